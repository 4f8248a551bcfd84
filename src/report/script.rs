//! Runs a report's script.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use duckdb::Connection;

use super::page::{Block, Page};
use super::{figure, prose};
use crate::render::Table;
use crate::script::{Piece, PieceKind, UNCLOSED, beside, command, hash_of, is_query, literal, sets_variable, split_with_prose};

pub struct Runner<'c> {
    connection: &'c Connection,
    set: Vec<String>,
    page: Page,
    /// The scripts that are being read, outermost first.
    open: Vec<PathBuf>,
    texts: Vec<String>,
}

impl<'c> Runner<'c> {
    pub fn new(connection: &'c Connection, set: &[(String, String)]) -> Result<Self> {
        for (name, value) in set {
            let sql = format!("SET VARIABLE \"{}\" = {}", name.replace('"', "\"\""), literal(value));
            connection.execute_batch(&sql).with_context(|| format!("--set {name}={value}"))?;
        }
        let set = set.iter().map(|(name, _)| name.to_lowercase()).collect();
        Ok(Runner { connection, set, page: Page::default(), open: Vec::new(), texts: Vec::new() })
    }

    /// The page of the script at `path`.
    pub fn page(mut self, path: &Path) -> Result<Page> {
        self.read(path)?;
        let one = |sql: &str| self.connection.query_row(sql, [], |row| row.get::<_, String>(0));
        self.page.engine = format!("DuckDB {}", one("SELECT version()")?);
        self.page.date = one("SELECT strftime(make_timestamp(epoch_us(now())), '%Y-%m-%d %H:%M UTC')")?;
        self.page.script = path.to_path_buf();
        self.page.script_hash = hash_of(self.texts.iter().map(String::as_str));
        Ok(self.page)
    }

    fn read(&mut self, path: &Path) -> Result<()> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read the script {}", path.display()))?;
        let identity = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        if self.open.contains(&identity) {
            bail!("{} reads itself", path.display());
        }
        self.open.push(identity);
        for piece in split_with_prose(&text) {
            self.piece(path, &piece).with_context(|| format!("{}:{}", path.display(), piece.line))?;
        }
        self.open.pop();
        self.texts.push(text);
        Ok(())
    }

    fn piece(&mut self, path: &Path, piece: &Piece) -> Result<()> {
        match piece.kind {
            PieceKind::Prose => {
                let text = prose::fill(&prose::flush(&piece.text), &|name| self.value(name))?;
                self.page.blocks.push(Block::Prose(text));
            }
            PieceKind::Command => match command(&piece.text) {
                ("read", file) if !file.is_empty() => self.read(&beside(path, &file))?,
                (other, _) => bail!("unknown command .{other}; a report may use .read other.sql"),
            },
            PieceKind::Statement => self.statement(piece)?,
            PieceKind::Unclosed => bail!("{UNCLOSED}"),
        }
        Ok(())
    }

    fn statement(&mut self, piece: &Piece) -> Result<()> {
        if sets_variable(&piece.text).is_some_and(|name| self.set.contains(&name)) {
            return Ok(());
        }
        let table = self.connection.prepare(&piece.text).and_then(|mut statement| Table::fetch(&mut statement))?;
        if !is_query(&piece.text) {
            return Ok(());
        }
        let caption = match piece.directive("caption") {
            Some(caption) => Some(prose::fill(caption, &|name| self.value(name))?),
            None => None,
        };
        self.page.blocks.push(figure::block(table, caption));
        Ok(())
    }

    /// A variable as DuckDB casts it to VARCHAR.
    fn value(&self, name: &str) -> Result<Option<String>> {
        let sql = format!("SELECT getvariable('{}')::VARCHAR", name.replace('\'', "''"));
        Ok(self.connection.query_row(&sql, [], |row| row.get(0))?)
    }
}
