//! What a report holds, before it is HTML or Markdown.

use std::path::PathBuf;

use super::figure::Picture;
use crate::render::Table;

/// The whole report.
#[derive(Debug, Default)]
pub struct Page {
    pub blocks: Vec<Block>,
    pub script: PathBuf,
    /// First 128 bits of the SHA-256 of the script and of those it reads.
    pub script_hash: String,
    pub database: Option<PathBuf>,
    /// `DuckDB v1.5.6`.
    pub engine: String,
    /// When it was made, UTC.
    pub date: String,
}

#[derive(Debug)]
pub enum Block {
    /// Markdown, with its values in place.
    Prose(String),
    Table {
        caption: Option<String>,
        table: Table,
    },
    Figure {
        caption: Option<String>,
        panels: Vec<Panel>,
    },
}

/// A picture and what the other columns of its row say.
#[derive(Debug)]
pub struct Panel {
    pub label: Option<String>,
    pub picture: Picture,
}

impl Page {
    /// The first heading of the first level.
    pub fn title(&self) -> String {
        let headings = self.blocks.iter().filter_map(|block| match block {
            Block::Prose(text) => text.lines().find_map(|line| line.trim_start().strip_prefix("# ")),
            _ => None,
        });
        headings.map(|heading| heading.trim().to_string()).next().unwrap_or_else(|| "Report".into())
    }

    pub fn tables(&self) -> usize {
        self.blocks.iter().filter(|block| matches!(block, Block::Table { .. })).count()
    }

    pub fn figures(&self) -> usize {
        self.blocks.iter().filter(|block| matches!(block, Block::Figure { .. })).count()
    }
}
