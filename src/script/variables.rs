//! DuckDB's variables: set from the command line, and read as text for fingerprints and paths.

use duckdb::{Connection, Result};

/// The SQL of a `--set name=value`: numbers, booleans, NULL, lists, structs and quoted text as written, anything else as text.
pub fn literal(value: &str) -> String {
    let trimmed = value.trim();
    let is_number = trimmed.parse::<f64>().is_ok() && trimmed.contains(|c: char| c.is_ascii_digit());
    let is_word = ["true", "false", "null"].contains(&trimmed.to_lowercase().as_str());
    let is_enclosed = [('\'', '\''), ('[', ']'), ('{', '}')]
        .iter()
        .any(|(open, close)| trimmed.starts_with(*open) && trimmed.ends_with(*close) && trimmed.len() > 1);
    if is_number || is_word || is_enclosed { trimmed.to_string() } else { format!("'{}'", value.replace('\'', "''")) }
}

/// Sets a variable.
pub fn set(connection: &Connection, name: &str, value: &str) -> Result<()> {
    connection.execute_batch(&format!("SET VARIABLE \"{}\" = {}", name.replace('"', "\"\""), literal(value)))
}

/// A variable's type and value as text; `None` when it is NULL or not set.
pub fn read(connection: &Connection, name: &str) -> Result<Option<(String, String)>> {
    let name = name.replace('\'', "''");
    let sql = format!("SELECT typeof(getvariable('{name}')), getvariable('{name}')::VARCHAR");
    connection.query_row(&sql, [], |row| {
        let value: Option<String> = row.get(1)?;
        Ok(value.map(|value| (row.get(0).unwrap_or_default(), value)))
    })
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn literals() {
        let cases = [
            ("5", "5"),
            ("1e-3", "1e-3"),
            ("true", "true"),
            ("[1, 2]", "[1, 2]"),
            ("a'b", "'a''b'"),
            ("nan", "'nan'"),
            ("x/y.csv", "'x/y.csv'"),
        ];
        for (value, sql) in cases {
            assert_eq!(literal(value), sql);
        }
    }
}
