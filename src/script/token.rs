//! Words of DuckDB SQL: enough of its lexer to split a script and to see what a statement names.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A keyword or name; in lower case, without its double quotes.
    Word { text: String, quoted: bool },
    /// A string literal's content.
    Text(String),
    /// A number, parameter or anything else that stands for itself.
    Other,
    /// `(`, `)`, `,`, `;`, `.`, or an operator's characters one by one.
    Symbol(char),
    /// A line or block comment.
    Comment,
}

/// A token and where it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub span: Range<usize>,
}

impl Token {
    /// Is it this keyword (lower case)?
    pub fn is(&self, keyword: &str) -> bool {
        matches!(&self.kind, Kind::Word { text, quoted: false } if text == keyword)
    }

    pub fn is_symbol(&self, symbol: char) -> bool {
        self.kind == Kind::Symbol(symbol)
    }

    pub fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word { text, .. } => Some(text),
            _ => None,
        }
    }
}

/// All tokens of `text` from byte `start`, comments among them. What is not closed runs to the end of the text.
pub fn tokens(text: &str, start: usize) -> Tokens<'_> {
    Tokens { text, at: start }
}

/// Iterator over the tokens of a text.
pub struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn token(&mut self, kind: Kind, length: usize) -> Token {
        let span = self.at..self.at + length;
        self.at = span.end;
        Token { kind, span }
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.at += self.rest().len() - self.rest().trim_start().len();
        let rest = self.rest();
        let first = rest.chars().next()?;
        if rest.starts_with("--") {
            let length = rest.find('\n').unwrap_or(rest.len());
            return Some(self.token(Kind::Comment, length));
        }
        if rest.starts_with("/*") {
            return Some(self.token(Kind::Comment, block_comment(rest).unwrap_or(rest.len())));
        }
        if first == '\'' {
            let (content, length) = quoted(rest, '\'', false);
            return Some(self.token(Kind::Text(content), length));
        }
        if matches!(first, 'e' | 'E') && rest[1..].starts_with('\'') {
            let (content, length) = quoted(&rest[1..], '\'', true);
            return Some(self.token(Kind::Text(content), length + 1));
        }
        if first == '"' {
            let (content, length) = quoted(rest, '"', false);
            return Some(self.token(Kind::Word { text: content.to_lowercase(), quoted: true }, length));
        }
        if first == '$'
            && let Some((content, length)) = dollar_quoted(rest)
        {
            return Some(self.token(Kind::Text(content), length));
        }
        if first.is_alphabetic() || first == '_' {
            let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
            return Some(self.token(Kind::Word { text: rest[..length].to_lowercase(), quoted: false }, length));
        }
        if first.is_ascii_digit() || first == '$' {
            let tail = rest[1..].find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).map_or(rest.len(), |n| n + 1);
            return Some(self.token(Kind::Other, tail));
        }
        Some(self.token(Kind::Symbol(first), first.len_utf8()))
    }
}

/// Is it a block comment without its end?
pub fn is_unclosed(comment: &str) -> bool {
    comment.starts_with("/*") && block_comment(comment).is_none()
}

/// Length of a block comment, `None` if it is not closed; DuckDB nests them.
fn block_comment(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0usize, 0);
    while at < bytes.len() {
        match &bytes[at..bytes.len().min(at + 2)] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => {
                (depth, at) = (depth - 1, at + 2);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
    None
}

/// Content and length of a quoted token, whose quote is written twice inside (or, in an E string, after a backslash).
fn quoted(rest: &str, quote: char, escapes: bool) -> (String, usize) {
    let mut content = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if escapes && character == '\\' {
            if let Some((_, escaped)) = characters.next() {
                content.push(match escaped {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    other => other,
                });
            }
        } else if character == quote {
            if characters.peek().is_some_and(|(_, next)| *next == quote) {
                characters.next();
                content.push(quote);
            } else {
                return (content, at + 1);
            }
        } else {
            content.push(character);
        }
    }
    (content, rest.len())
}

/// Content and length of `$tag$ ... $tag$`; `None` if this is no dollar quote (a parameter such as `$1`).
fn dollar_quoted(rest: &str) -> Option<(String, usize)> {
    let tag_end = rest[1..].find('$')? + 2;
    let tag = &rest[..tag_end];
    let name = &tag[1..tag.len() - 1];
    let is_tag = name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit());
    if !is_tag {
        return None;
    }
    let body = &rest[tag_end..];
    Some(match body.find(tag) {
        Some(length) => (body[..length].to_string(), tag_end + length + tag.len()),
        None => (body.to_string(), rest.len()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        tokens(text, 0).map(|token| token.kind).collect()
    }

    #[test]
    fn strings_close_where_duckdb_closes_them() {
        assert_eq!(kinds("'it''s; -- not'"), [Kind::Text("it's; -- not".into())]);
        assert_eq!(kinds(r"e'a\'b;'"), [Kind::Text("a'b;".into())]);
        assert_eq!(kinds("$q$ ; ' $q$"), [Kind::Text(" ; ' ".into())]);
        assert_eq!(kinds("$$;$$"), [Kind::Text(";".into())]);
        assert_eq!(kinds("$1"), [Kind::Other]);
        assert_eq!(kinds("\"A\"\"b\""), [Kind::Word { text: "a\"b".into(), quoted: true }]);
    }

    #[test]
    fn comments_nest() {
        assert_eq!(kinds("/* a /* ; */ b */ -- c ;\n;"), [Kind::Comment, Kind::Comment, Kind::Symbol(';')]);
        assert_eq!(kinds("/* never closed"), [Kind::Comment]);
        assert!(is_unclosed("/* a /* b */") && is_unclosed("/*/") && !is_unclosed("/* a /* b */ */") && !is_unclosed("-- /*"));
    }

    #[test]
    fn words_are_lowered_and_numbers_are_whole() {
        assert_eq!(
            kinds("Foo.bär1 1.5e3"),
            [
                Kind::Word { text: "foo".into(), quoted: false },
                Kind::Symbol('.'),
                Kind::Word { text: "bär1".into(), quoted: false },
                Kind::Other
            ]
        );
    }
}
