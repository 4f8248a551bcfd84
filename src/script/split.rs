//! Splits the text of a script into statements, dot commands and the prose between them.

use super::token::{Kind, is_unclosed, tokens};

/// What is said of a [`PieceKind::Unclosed`].
pub const UNCLOSED: &str = "unterminated /* comment; close it with */, once for each /* in it";

/// A statement, without its semicolon, a dot command, or a block comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    /// Line of the first word, from 1.
    pub line: usize,
    /// `-- @name value` in the comments before it: what the author says of it.
    pub directives: Vec<Directive>,
    pub kind: PieceKind,
    /// Was a semicolon (or a command's end of line) there?
    pub is_complete: bool,
}

/// `-- @step two words`; `-- test: name` is the same as `-- @test name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    pub name: String,
    pub value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceKind {
    Statement,
    /// A line such as `.read other.sql`.
    Command,
    /// What stands between `/*` and `*/`, outside any statement.
    Prose,
    /// The rest of the text from a statement or comment whose `/*` is never closed; its line is that of the `/*`.
    Unclosed,
}

impl Piece {
    pub fn is_command(&self) -> bool {
        self.kind == PieceKind::Command
    }

    /// The value of the last directive of this name.
    pub fn directive(&self, name: &str) -> Option<&str> {
        self.directives.iter().rev().find(|directive| directive.name == name).map(|directive| directive.value.as_str())
    }
}

/// The statements and dot commands of `text`, in order.
pub fn split(text: &str) -> Vec<Piece> {
    split_with_prose(text).into_iter().filter(|piece| piece.kind != PieceKind::Prose).collect()
}

/// The statements and dot commands of `text`, and the block comments outside of them, in order.
///
/// A byte-order mark at its start is passed over.
pub fn split_with_prose(text: &str) -> Vec<Piece> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut pieces = Vec::new();
    let mut words = tokens(text, 0);
    let mut directives = Vec::new();
    let mut start: Option<usize> = None;
    let mut end = 0;
    while let Some(token) = words.next() {
        match &token.kind {
            Kind::Comment => {
                let comment = &text[token.span.clone()];
                if is_unclosed(comment) {
                    let rest = text[start.unwrap_or(token.span.start)..].to_string();
                    pieces.push(piece(text, rest, token.span.start, Vec::new(), PieceKind::Unclosed, false));
                    return pieces;
                }
                if start.is_none() {
                    directives.extend(directive(comment));
                    if let Some(prose) = comment.strip_prefix("/*") {
                        let prose = prose.strip_suffix("*/").unwrap_or(prose);
                        let place = token.span.start;
                        pieces.push(piece(text, prose.to_string(), place, Vec::new(), PieceKind::Prose, true));
                    }
                }
            }
            Kind::Symbol('.') if start.is_none() && starts_line(text, token.span.start) => {
                let from = token.span.start;
                let to = from + text[from..].find('\n').unwrap_or(text.len() - from);
                let command = text[from..to].trim_end().trim_end_matches(';').trim_end().to_string();
                pieces.push(piece(text, command, from, std::mem::take(&mut directives), PieceKind::Command, true));
                words = tokens(text, to);
            }
            Kind::Symbol(';') => {
                if let Some(from) = start.take() {
                    let statement = text[from..end].to_string();
                    pieces.push(piece(text, statement, from, std::mem::take(&mut directives), PieceKind::Statement, true));
                }
            }
            _ => {
                start.get_or_insert(token.span.start);
                end = token.span.end;
            }
        }
    }
    if let Some(from) = start {
        pieces.push(piece(text, text[from..end].to_string(), from, directives, PieceKind::Statement, false));
    }
    pieces
}

fn piece(script: &str, text: String, from: usize, directives: Vec<Directive>, kind: PieceKind, is_complete: bool) -> Piece {
    Piece { text, line: line_of(script, from), directives, kind, is_complete }
}

fn directive(comment: &str) -> Option<Directive> {
    let comment = comment.strip_prefix("--")?.trim();
    if let Some(name) = comment.strip_prefix("test:") {
        return Some(Directive { name: "test".into(), value: name.trim().to_string() });
    }
    let content = comment.strip_prefix('@')?;
    let (name, value) = content.split_once(char::is_whitespace).unwrap_or((content, ""));
    Some(Directive { name: name.to_string(), value: value.trim().to_string() })
}

fn starts_line(text: &str, at: usize) -> bool {
    text[..at].rsplit('\n').next().is_none_or(|before| before.trim().is_empty())
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_keep_their_lines_and_labels() {
        let pieces = split("-- head\nSELECT ';' -- ;\n;\n\n-- @step two words\n/* x ; */ SELECT\n 2;;\n.read a.sql\nSELECT 3 -- end");
        let seen: Vec<_> = pieces.iter().map(|p| (p.text.as_str(), p.line, p.directive("step"), p.is_command())).collect();
        assert_eq!(
            seen,
            [
                ("SELECT ';'", 2, None, false),
                ("SELECT\n 2", 6, Some("two words"), false),
                (".read a.sql", 8, None, true),
                ("SELECT 3", 9, None, false)
            ]
        );
        assert!(pieces[1].is_complete && !pieces[3].is_complete);
    }

    #[test]
    fn prose_stands_between_statements_and_never_inside_one() {
        let pieces = split_with_prose("/*\n# Title\n*/\n-- @caption Ages; by site\nSELECT /* inside */ 1;\n/* end */");
        let seen: Vec<_> = pieces.iter().map(|p| (p.kind, p.text.as_str(), p.line, p.directive("caption"))).collect();
        assert_eq!(
            seen,
            [
                (PieceKind::Prose, "\n# Title\n", 1, None),
                (PieceKind::Statement, "SELECT /* inside */ 1", 5, Some("Ages; by site")),
                (PieceKind::Prose, " end ", 6, None)
            ]
        );
    }

    #[test]
    fn a_comment_that_is_not_closed_takes_the_rest_and_is_told_with_its_line() {
        let last = |text: &str| split(text).last().map(|p| (p.kind, p.line, p.is_complete));
        assert_eq!(last("SELECT 1;\n\n/* open\nSELECT 2;"), Some((PieceKind::Unclosed, 3, false)));
        assert_eq!(last("SELECT 1\n/* open\n;"), Some((PieceKind::Unclosed, 2, false)));
        assert_eq!(split("SELECT 1\n/* open\n;").len(), 1);
        assert_eq!(last("SELECT 1; /* closed */"), Some((PieceKind::Statement, 1, true)));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_statement() {
        let first = |text: &str| split(text).swap_remove(0);
        assert_eq!(first("\u{feff}SET VARIABLE k = 1;").text, "SET VARIABLE k = 1");
        assert_eq!(first("\u{feff}-- test: ages\nSELECT 1;").directive("test"), Some("ages"));
        assert!(first("\u{feff}.read a.sql").is_command());
    }

    #[test]
    fn a_dot_within_a_statement_is_no_command() {
        assert_eq!(split("SELECT a\n.b FROM t;").len(), 1);
    }
}
