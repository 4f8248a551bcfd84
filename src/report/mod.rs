//! `esccsql report`: a page from a SQL script. Markdown stands in its block comments, `{{name}}` in it is a DuckDB
//! variable, and each statement's result becomes a table or a figure.

mod figure;
mod html;
mod markdown;
mod page;
mod prose;
mod script;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::engine::duckdb::{Settings, open};
use crate::interrupt::{self, WhenStuck};
use crate::script::{Outline, outline};
use page::Page;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One file that needs nothing else.
    Html,
    /// Markdown, with its figures (SVG, PNG) and tables (CSV) as files in a folder beside it.
    Md,
}

/// What to write, from what.
#[derive(Debug, Clone)]
pub struct Options {
    /// `None`: memory; the script attaches or reads what it needs.
    pub database: Option<PathBuf>,
    pub out: PathBuf,
    pub format: Format,
    /// Variables from the command line; they win over the script's own SET VARIABLE.
    pub set: Vec<(String, String)>,
    pub threads: Option<usize>,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    pub tables: usize,
    pub figures: usize,
}

/// Runs the script at `path` on a database that it may only read, and writes the page when all of it is there.
///
/// # Errors
/// A statement that fails, with its file and line; a `{{name}}` or a name in `set` that is no variable; a picture from the
/// network; a page that would take the place of the database or of a script.
pub fn write(path: &Path, options: &Options) -> Result<Written> {
    if let Some(database) = &options.database
        && !database.exists()
    {
        bail!("there is no database {}: make it with esccsql run, or name it with --db", database.display());
    }
    let outline = outline(path)?;
    outline.check(path, &options.set)?;
    check_out(options, &outline)?;
    let settings = Settings { threads: options.threads, memory_limit: None, read_only: options.database.is_some() };
    let session = open(options.database.as_deref(), &settings)?;
    interrupt::listen(&session, WhenStuck::Exit)?;
    let page = script::Runner::new(&session, &options.set)?.page(path)?;
    let page = Page { database: options.database.clone(), ..page };
    if let Some(folder) = options.out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    match options.format {
        Format::Html => put(&options.out, &html::render(&page))?,
        Format::Md => markdown::write(&page, &options.out)?,
    }
    Ok(Written { tables: page.tables(), figures: page.figures() })
}

/// The page must not take the place of what it is made from.
fn check_out(options: &Options, outline: &Outline) -> Result<()> {
    // A file that is not there yet is none of them.
    let Ok(out) = options.out.canonicalize() else { return Ok(()) };
    let is_database = options.database.as_ref().and_then(|database| database.canonicalize().ok()).is_some_and(|database| database == out);
    let what = match (is_database, outline.files.contains(&out)) {
        (true, _) => "the database of the report",
        (_, true) => "a script of the report",
        _ => return Ok(()),
    };
    bail!("--out {} is {what}, which the page would replace: choose another name", options.out.display())
}

/// Writes a file whole or not at all.
fn put(path: &Path, content: &str) -> Result<()> {
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, content).with_context(|| format!("cannot write {}", unfinished.display()))?;
    fs::rename(&unfinished, path).with_context(|| format!("cannot write {}", path.display()))
}
