//! The page as one HTML file: no script, no font, no request.

use std::fmt::Write;

use super::page::{Block, Page, Panel};
use super::prose::{self, Heading};
use super::table;
use crate::render::Table;

const STYLE: &str = include_str!("page.css");

pub fn render(page: &Page) -> String {
    let mut headings = Vec::new();
    let mut body = String::new();
    let (mut tables, mut figures) = (0, 0);
    for block in &page.blocks {
        match block {
            Block::Prose(text) => body.push_str(&prose::to_html(text, &mut headings)),
            Block::Table { caption, table } => {
                tables += 1;
                push_table(&mut body, tables, caption.as_deref(), table);
            }
            Block::Figure { caption, panels } => {
                figures += 1;
                push_figure(&mut body, figures, caption.as_deref(), panels);
            }
        }
    }
    let title = escape(&page.title());
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#content\">Skip to the content</a>\n{}<main id=\"content\">\n{body}</main>\n{}</body>\n</html>\n",
        contents(&headings),
        footer(page)
    )
}

/// Links to the sections, where there is more than one.
fn contents(headings: &[Heading]) -> String {
    let sections: Vec<&Heading> = headings.iter().filter(|heading| heading.level == 2).collect();
    if sections.len() < 2 {
        return String::new();
    }
    let links: String =
        sections.iter().map(|heading| format!("<li><a href=\"#{}\">{}</a></li>\n", escape(&heading.id), escape(&heading.text))).collect();
    format!("<nav aria-label=\"Contents\">\n<ol>\n{links}</ol>\n</nav>\n")
}

fn footer(page: &Page) -> String {
    let database = page.database.as_ref().and_then(|path| path.file_name());
    let from = database.map_or(String::new(), |name| format!(" from <code>{}</code>", escape(&name.to_string_lossy())));
    let script = page.script.file_name().unwrap_or(page.script.as_os_str()).to_string_lossy();
    format!(
        "<footer>\n<p>Made by <code>{}</code>{from} (script {}) with esccsql {} on {}, <time>{}</time>.</p>\n</footer>\n",
        escape(&script),
        page.script_hash,
        env!("CARGO_PKG_VERSION"),
        escape(&page.engine),
        escape(&page.date)
    )
}

/// `<b>Table 2.</b> Text`, the text in Markdown.
fn legend(kind: &str, number: usize, caption: Option<&str>) -> String {
    let caption = caption.map_or(String::new(), |caption| {
        let html = prose::to_html(caption, &mut Vec::new());
        format!(" {}", html.trim().trim_start_matches("<p>").trim_end_matches("</p>"))
    });
    format!("<b>{kind} {number}.</b>{caption}")
}

fn push_table(body: &mut String, number: usize, caption: Option<&str>, content: &Table) {
    let id = format!("table-{number}");
    let columns = 0..content.columns.len();
    let classes: Vec<&str> = columns
        .clone()
        .map(|column| match table::is_number(content, column) {
            true => " class=\"number\"",
            false if table::is_short(content, column) => " class=\"short\"",
            false => "",
        })
        .collect();
    let _ = writeln!(body, "<figure class=\"table\" id=\"{id}\">");
    let _ = writeln!(body, "<figcaption id=\"{id}-caption\">{}</figcaption>", legend("Table", number, caption));
    let _ =
        writeln!(body, "<div class=\"scroll\" role=\"region\" aria-labelledby=\"{id}-caption\" tabindex=\"0\">\n<table>\n<thead>\n<tr>");
    for column in columns.clone() {
        let _ = writeln!(body, "<th scope=\"col\"{}>{}</th>", classes[column], escape(&content.columns[column].name));
    }
    let _ = writeln!(body, "</tr>\n</thead>\n<tbody>");
    for row in 0..content.rows() {
        body.push_str("<tr>");
        for column in columns.clone() {
            let _ = write!(body, "<td{}>{}</td>", classes[column], escape(&table::cell(content, row, column)));
        }
        body.push_str("</tr>\n");
    }
    if content.rows() == 0 {
        let _ = writeln!(body, "<tr><td colspan=\"{}\">no rows</td></tr>", content.columns.len().max(1));
    }
    body.push_str("</tbody>\n</table>\n</div>\n</figure>\n");
}

fn push_figure(body: &mut String, number: usize, caption: Option<&str>, panels: &[Panel]) {
    let _ = writeln!(body, "<figure class=\"picture\" id=\"figure-{number}\">\n<div class=\"panels\">");
    for panel in panels {
        let described = panel.picture.description().or(panel.label.clone()).or(caption.map(String::from));
        let alternative = escape(&described.unwrap_or_else(|| format!("Figure {number}")));
        let label = panel.label.as_ref().map_or(String::new(), |label| format!("<p>{}</p>\n", escape(label)));
        let kind = panel.picture.extension();
        let _ = writeln!(
            body,
            "<div class=\"panel\">\n{label}<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Figure {number}\">\
             <img class=\"{kind}\" alt=\"{alternative}\" src=\"{}\"></div>\n</div>",
            panel.picture.data_uri()
        );
    }
    let _ = writeln!(body, "</div>\n<figcaption>{}</figcaption>\n</figure>", legend("Figure", number, caption));
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
