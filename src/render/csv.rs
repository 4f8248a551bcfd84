//! Comma-separated values, RFC 4180; NULL is empty.

use std::io::{self, Write};

use super::Table;

pub fn write(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<String> = table.columns.iter().map(|column| field(&column.name)).collect();
    writeln!(out, "{}", names.join(","))?;
    for row in 0..table.rows() {
        let fields: Vec<String> =
            (0..table.columns.len()).map(|column| table.whole_text(row, column).map_or(String::new(), |text| field(&text))).collect();
        writeln!(out, "{}", fields.join(","))?;
    }
    Ok(())
}

fn field(text: &str) -> String {
    // An empty text is quoted, so that it is not read as NULL.
    if text.is_empty() || text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.into() }
}

#[cfg(test)]
mod tests {
    #[test]
    fn fields_are_quoted_when_they_must_be() {
        assert_eq!(super::field("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(super::field(""), "\"\"");
        assert_eq!(super::field("a b"), "a b");
    }
}
