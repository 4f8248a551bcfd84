//! A result's cells as a reader wants them.

use crate::render::Table;

/// Significant digits of a DOUBLE: more say nothing to a reader, and whoever wants others says so with `printf` or `round`.
const DIGITS: usize = 4;

/// The text of a cell. NULL is a dash, a DOUBLE is rounded.
pub fn cell(table: &Table, row: usize, column: usize) -> String {
    let Some(text) = table.text(row, column) else { return "–".into() };
    match table.columns[column].type_name.as_str() {
        "double" | "float" => text.parse().map_or(text, rounded),
        _ => text,
    }
}

/// `value` with [`DIGITS`] significant digits, without zeros at its end.
fn rounded(value: f64) -> String {
    if !value.is_finite() || value == 0.0 {
        return value.to_string();
    }
    let magnitude = value.abs().log10().floor();
    if !(-5.0..15.0).contains(&magnitude) {
        return format!("{value:.*e}", DIGITS - 1);
    }
    let decimals = (DIGITS as f64 - 1.0 - magnitude).max(0.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

/// Is the column set to the right?
pub fn is_number(table: &Table, column: usize) -> bool {
    table.columns[column].is_number()
}

/// Longest text that is kept on one line: `0.152 (0.125 to 0.183)` and a little more.
const SHORT: usize = 26;

/// Does every cell of the column stay on one line?
pub fn is_short(table: &Table, column: usize) -> bool {
    (0..table.rows()).all(|row| cell(table, row, column).chars().count() <= SHORT)
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn numbers_are_short_and_whole_ones_whole() {
        let cases = [
            (0.123_456, "0.1235"),
            (257.0, "257"),
            (1234.567, "1235"),
            (-0.5, "-0.5"),
            (1e-9, "1.000e-9"),
            (123_456.0, "123456"),
            (0.0, "0"),
        ];
        for (value, text) in cases {
            assert_eq!(rounded(value), text);
        }
    }
}
