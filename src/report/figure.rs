//! Pictures in a result: SVG text or the bytes of a PNG.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::page::{Block, Panel};
use crate::render::Table;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picture {
    Svg(String),
    Png(Vec<u8>),
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

impl Picture {
    fn of(table: &Table, row: usize, column: usize) -> Option<Picture> {
        if let Some(bytes) = table.bytes(row, column) {
            return bytes.starts_with(PNG).then(|| Picture::Png(bytes.to_vec()));
        }
        let text = table.text(row, column)?;
        let start = text.trim_start();
        (start.starts_with("<svg") || start.starts_with("<?xml") && start.contains("<svg")).then_some(Picture::Svg(text))
    }

    pub fn extension(&self) -> &'static str {
        match self {
            Picture::Svg(_) => "svg",
            Picture::Png(_) => "png",
        }
    }

    pub fn bytes(&self) -> &[u8] {
        match self {
            Picture::Svg(text) => text.as_bytes(),
            Picture::Png(bytes) => bytes,
        }
    }

    /// As an image's address. An image runs no script and keeps its styles and names to itself.
    pub fn data_uri(&self) -> String {
        let kind = match self {
            Picture::Svg(_) => "svg+xml",
            Picture::Png(_) => "png",
        };
        format!("data:image/{kind};base64,{}", STANDARD.encode(self.bytes()))
    }

    /// What the picture says of itself in `<title>` and `<desc>`, for those who cannot see it.
    pub fn description(&self) -> Option<String> {
        let Picture::Svg(text) = self else { return None };
        let inside = |tag: &str| {
            let from = text.find(&format!("<{tag}"))?;
            let from = from + text[from..].find('>')? + 1;
            let to = from + text[from..].find(&format!("</{tag}>"))?;
            Some(unescape(text[from..to].trim())).filter(|content| !content.is_empty())
        };
        match (inside("title"), inside("desc")) {
            (Some(title), Some(description)) => Some(format!("{title}. {description}")),
            (title, description) => title.or(description),
        }
    }
}

fn unescape(text: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_string(), |text, (entity, character)| text.replace(entity, character))
}

/// A result with a column of pictures is a figure, a panel per row; its other columns label the panels.
pub fn block(table: Table, caption: Option<String>) -> Block {
    let is_picture = |column: &usize| (0..table.rows()).any(|row| Picture::of(&table, row, *column).is_some());
    let Some(pictures) = (0..table.columns.len()).find(is_picture) else { return Block::Table { caption, table } };
    let panels = (0..table.rows()).filter_map(|row| {
        let picture = Picture::of(&table, row, pictures)?;
        let labels: Vec<String> =
            (0..table.columns.len()).filter(|&column| column != pictures).filter_map(|column| table.text(row, column)).collect();
        Some(Panel { label: (!labels.is_empty()).then(|| labels.join(", ")), picture })
    });
    Block::Figure { caption, panels: panels.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_described_by_its_own_words() {
        let svg = Picture::Svg("<svg><title id=\"t\">A &amp; B</title><desc>Two curves</desc></svg>".into());
        assert_eq!(svg.description().as_deref(), Some("A & B. Two curves"));
        assert_eq!(Picture::Svg("<svg></svg>".into()).description(), None);
    }
}
