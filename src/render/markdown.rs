//! A Markdown table.

use std::io::{self, Write};

use super::{Table, is_number};

pub fn write(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<String> = table.columns.iter().map(|column| cell(&column.name)).collect();
    writeln!(out, "| {} |", names.join(" | "))?;
    let rules: Vec<&str> = table.columns.iter().map(|column| if is_number(&column.type_name) { "--:" } else { "---" }).collect();
    writeln!(out, "|{}|", rules.join("|"))?;
    for row in 0..table.rows() {
        let cells: Vec<String> =
            (0..table.columns.len()).map(|column| cell(table.whole_text(row, column).as_deref().unwrap_or("NULL"))).collect();
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    Ok(())
}

fn cell(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('\n', "<br>")
}
