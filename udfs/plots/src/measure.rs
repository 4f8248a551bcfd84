//! How wide a text is. No font is at hand, and the reader's may be any sans-serif: widths are Helvetica's, rounded up.

/// Width of a text in pixels.
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * size
}

fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '|' | '\'' | '.' | ',' | ':' | ';' | '!' => 0.28,
        ' ' | 'f' | 't' | 'I' | '/' | '\\' | '(' | ')' | '[' | ']' | '-' | 'r' => 0.34,
        'm' | 'M' | 'W' | '%' | '@' => 0.89,
        'w' => 0.74,
        'a'..='z' | '0'..='9' | '_' => 0.57,
        'A'..='Z' => 0.7,
        '\u{2212}' | '=' | '<' | '>' | '+' | '–' | '±' => 0.6,
        // Wide scripts take a square.
        c if (c as u32) >= 0x2E80 => 1.0,
        _ => 0.62,
    }
}

/// The text if it is narrower than `most`, or else its beginning and end with an ellipsis between: names of features begin
/// alike and differ at the end.
pub fn shorten(text: &str, size: f64, most: f64) -> String {
    if width(text, size) <= most {
        return text.into();
    }
    let letters: Vec<char> = text.chars().collect();
    let cut = |kept: usize| {
        let (head, tail) = (kept * 2 / 5, kept - kept * 2 / 5);
        let text = |letters: &[char]| letters.iter().collect::<String>();
        format!("{}…{}", text(&letters[..head]).trim_end(), text(&letters[letters.len() - tail..]).trim_start())
    };
    let fits = |kept: &usize| width(&cut(*kept), size) <= most;
    (1..letters.len()).rev().find(fits).map_or("…".into(), cut)
}

/// The text in lines no wider than `most` (but for single words).
pub fn wrap(text: &str, size: f64, most: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line, size) + width(word, size) + 0.34 * size <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_or_wrapped() {
        assert_eq!(shorten("short", 10.0, 100.0), "short");
        let cut = shorten("a rather long label of a feature", 10.0, 80.0);
        assert!(cut.starts_with("a rat") && cut.contains('…') && cut.ends_with("feature"), "{cut}");
        assert!(width(&cut, 10.0) <= 80.0);
        assert_eq!(shorten("wide", 10.0, 1.0), "…");
        assert!(wrap("a rather long label of a feature", 10.0, 80.0).iter().all(|line| width(line, 10.0) <= 80.0));
    }
}
