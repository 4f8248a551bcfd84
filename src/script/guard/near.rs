//! Rows of text whose numbers may differ by rounding.

/// Relative and absolute difference of two numbers that count as the same.
const ROUNDING: (f64, f64) = (1e-9, 1e-12);

/// A text's numbers, and what stands between them.
fn pieces(text: &str) -> Vec<Result<f64, &str>> {
    let is_of_number = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| is_of_number(c) != is_of_number(first)).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        pieces.push(piece.parse().map_err(|_| piece));
        rest = after;
    }
    pieces
}

/// Are they the same but for rounding?
pub fn is_same(a: &str, b: &str) -> bool {
    let is_near = |a: f64, b: f64| (a - b).abs() <= ROUNDING.1.max(ROUNDING.0 * a.abs());
    let (a_pieces, b_pieces) = (pieces(a), pieces(b));
    let mut pairs = a_pieces.iter().zip(&b_pieces);
    let is_pair_same = |(a, b): (&Result<f64, &str>, &Result<f64, &str>)| match (a, b) {
        (Ok(a), Ok(b)) => a == b || is_near(*a, *b),
        (a, b) => a == b,
    };
    a == b || (a_pieces.len() == b_pieces.len() && pairs.all(is_pair_same))
}

/// The text with its numbers cut to six digits: a key to sort by.
pub fn rounded(text: &str) -> String {
    pieces(text).into_iter().map(|piece| piece.map_or_else(str::to_string, |number| format!("{number:.5e}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_differ_by_rounding_and_nothing_else_may() {
        assert!(is_same("{'a': 0.30000000000000004, b: x1}", "{'a': 0.3, b: x1}"));
        assert!(!is_same("0.30000001", "0.3"));
        assert!(!is_same("1, a", "1, b") && !is_same("1", "1, 2") && !is_same("NULL", "0"));
        assert!(is_same("inf, nan", "inf, nan") && !is_same("inf", "-inf"));
        assert_eq!(rounded("a 0.30000000000000004"), rounded("a 0.3"));
    }
}
