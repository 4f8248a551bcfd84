//! Splits the text of a script into statements and dot commands.

use super::token::{Kind, tokens};

/// A statement, without its semicolon, or a dot command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    /// Line of the first word, from 1.
    pub line: usize,
    /// `-- @step name` in the comments before it.
    pub label: Option<String>,
    /// A line such as `.read other.sql`.
    pub is_command: bool,
    /// Was a semicolon (or a command's end of line) there?
    pub is_complete: bool,
}

/// The statements and dot commands of `text`, in order.
pub fn split(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut words = tokens(text, 0);
    let mut label = None;
    let mut start: Option<usize> = None;
    let mut end = 0;
    while let Some(token) = words.next() {
        match &token.kind {
            Kind::Comment => {
                if start.is_none() {
                    label = step_label(&text[token.span.clone()]).or(label);
                }
            }
            Kind::Symbol('.') if start.is_none() && starts_line(text, token.span.start) => {
                let from = token.span.start;
                let to = from + text[from..].find('\n').unwrap_or(text.len() - from);
                pieces.push(Piece {
                    text: text[from..to].trim_end().trim_end_matches(';').trim_end().to_string(),
                    line: line_of(text, from),
                    label: label.take(),
                    is_command: true,
                    is_complete: true,
                });
                words = tokens(text, to);
            }
            Kind::Symbol(';') => {
                if let Some(from) = start.take() {
                    pieces.push(statement(text, from, end, label.take(), true));
                }
            }
            _ => {
                start.get_or_insert(token.span.start);
                end = token.span.end;
            }
        }
    }
    if let Some(from) = start {
        pieces.push(statement(text, from, end, label.take(), false));
    }
    pieces
}

fn statement(text: &str, from: usize, to: usize, label: Option<String>, is_complete: bool) -> Piece {
    Piece { text: text[from..to].to_string(), line: line_of(text, from), label, is_command: false, is_complete }
}

fn step_label(comment: &str) -> Option<String> {
    let name = comment.strip_prefix("--")?.trim().strip_prefix("@step")?.trim();
    (!name.is_empty()).then(|| name.to_string())
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
        let seen: Vec<_> = pieces.iter().map(|p| (p.text.as_str(), p.line, p.label.as_deref(), p.is_command)).collect();
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
    fn a_dot_within_a_statement_is_no_command() {
        assert_eq!(split("SELECT a\n.b FROM t;").len(), 1);
    }
}
