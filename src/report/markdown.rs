//! The page as Markdown, its figures and tables as files in a folder beside it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::page::{Block, Page};
use super::{put, table};
use crate::render::{Format, Limits, Table};

pub fn write(page: &Page, out: &Path) -> Result<()> {
    let stem = out.file_stem().unwrap_or(out.as_os_str()).to_string_lossy();
    let folder_name = format!("{stem}_files");
    let folder = out.with_file_name(&folder_name);
    if page.tables() + page.figures() > 0 {
        fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let file = |name: &str, content: &[u8]| fs::write(folder.join(name), content).with_context(|| format!("cannot write {name}"));
    let mut text = String::new();
    let (mut tables, mut figures) = (0, 0);
    for block in &page.blocks {
        match block {
            Block::Prose(prose) => text.push_str(prose),
            Block::Table { caption, table } => {
                tables += 1;
                let name = format!("table_{tables:02}.csv");
                let mut csv = Vec::new();
                table.write(Format::Csv, Limits::default(), &mut csv)?;
                file(&name, &csv)?;
                let _ = writeln!(text, "**Table {tables}.** {} ([CSV]({folder_name}/{name}))\n", caption.as_deref().unwrap_or_default());
                push_table(&mut text, table);
            }
            Block::Figure { caption, panels } => {
                figures += 1;
                for (at, panel) in panels.iter().enumerate() {
                    let part = if panels.len() > 1 { format!("_{:02}", at + 1) } else { String::new() };
                    let name = format!("figure_{figures:02}{part}.{}", panel.picture.extension());
                    file(&name, panel.picture.bytes())?;
                    let label = panel.label.clone().unwrap_or_else(|| format!("Figure {figures}"));
                    let _ = writeln!(text, "![{label}]({folder_name}/{name})\n");
                }
                let _ = write!(text, "**Figure {figures}.** {}", caption.as_deref().unwrap_or_default());
            }
        }
        text.push_str("\n\n");
    }
    let _ = writeln!(text, "---\n\nScript {}, esccsql {} on {}, {}.", page.script_hash, env!("CARGO_PKG_VERSION"), page.engine, page.date);
    put(out, &text)
}

fn push_table(text: &mut String, content: &Table) {
    let columns = 0..content.columns.len();
    let cell = |text: &str| text.replace('\\', "\\\\").replace('|', "\\|").replace('\n', "<br>");
    let names: Vec<String> = content.columns.iter().map(|column| cell(&column.name)).collect();
    let rules: Vec<&str> = columns.clone().map(|column| if table::is_number(content, column) { "--:" } else { "---" }).collect();
    let _ = writeln!(text, "| {} |\n|{}|", names.join(" | "), rules.join("|"));
    for row in 0..content.rows() {
        let cells: Vec<String> = columns.clone().map(|column| cell(&table::cell(content, row, column))).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
}
