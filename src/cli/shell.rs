//! `esccsql shell`: SQL line by line, with DuckDB's dot commands.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use duckdb::Connection;
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use super::{functions, query, terminal};
use crate::engine::duckdb::{Settings, open};
use crate::interrupt::{self, WhenStuck};
use crate::progress;
use crate::render::{Format, Table};
use crate::script::{self, Piece, PieceKind, UNCLOSED};

const HELP: &str = "\
.functions [NAME]   list the functions, or document one
.help               this list
.mode [FORMAT]      show or set the format: box, csv, json, jsonlines, markdown
.print TEXT         print a line
.quit               leave (also .exit, Ctrl-D)
.read FILE          run the statements of a file
.schema [TABLE]     the statements that make the tables and views
.tables [PATTERN]   list tables and views; % and * stand for anything
.timer on|off       print how long each statement takes
Statements end with a semicolon. Ctrl-C stops a running query.";
const HISTORY: &str = ".esccsql_history";

/// Type SQL and see the results.
#[derive(Debug, clap::Args)]
pub struct ShellArgs {
    /// Database file [default: memory].
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
    /// Open the database for reading only.
    #[arg(long)]
    readonly: bool,
    /// Threads [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

pub fn shell(args: &ShellArgs) -> Result<ExitCode> {
    let settings = Settings { threads: args.threads.map(usize::from), memory_limit: None, read_only: args.readonly };
    let session = open(args.db.as_deref(), &settings)?;
    interrupt::listen(&session, WhenStuck::Wait)?;
    let mut shell = Shell { connection: &session, format: Format::Box, timer: false, is_over: false, failures: 0 };
    if io::stdin().is_terminal() {
        println!("esccsql {} on DuckDB {}; .help lists the commands", env!("CARGO_PKG_VERSION"), session.version().unwrap_or_default());
        shell.converse()?;
        return Ok(ExitCode::SUCCESS);
    }
    shell.read_lines(&mut io::stdin().lock())?;
    // Piped input is a script: its failures show in the exit status.
    Ok(if shell.failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Shell<'c> {
    connection: &'c Connection,
    format: Format,
    timer: bool,
    is_over: bool,
    failures: usize,
}

impl Shell<'_> {
    fn converse(&mut self) -> Result<()> {
        let mut editor = DefaultEditor::new().context("cannot use the terminal")?;
        let history = std::env::home_dir().map(|home| home.join(HISTORY));
        if let Some(history) = &history {
            // The first time there is none.
            let _ = editor.load_history(history);
        }
        let mut pending = String::new();
        while !self.is_over {
            let prompt = if pending.is_empty() { "esccsql> " } else { "    ...> " };
            match editor.readline(prompt) {
                Ok(line) => {
                    pending.push_str(&line);
                    pending.push('\n');
                    if self.is_complete(&pending) {
                        let _ = editor.add_history_entry(pending.trim_end());
                        self.take(&mut pending);
                    }
                }
                Err(ReadlineError::Interrupted) => pending.clear(),
                Err(ReadlineError::Eof) => break,
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(history) = &history {
            let _ = editor.save_history(history);
        }
        Ok(())
    }

    fn read_lines(&mut self, input: &mut dyn BufRead) -> Result<()> {
        let mut pending = String::new();
        for line in input.lines() {
            pending.push_str(&line?);
            pending.push('\n');
            if self.is_complete(&pending) {
                self.take(&mut pending);
            }
            if self.is_over {
                return Ok(());
            }
        }
        self.take(&mut pending);
        Ok(())
    }

    fn is_complete(&self, pending: &str) -> bool {
        script::split(pending).last().is_none_or(|piece| piece.is_complete)
    }

    /// Does what is pending; failures are told, and the shell goes on.
    fn take(&mut self, pending: &mut String) {
        for piece in script::split(&std::mem::take(pending)) {
            interrupt::forget();
            let result = self.piece(&piece);
            if let Err(error) = result {
                if terminal::is_broken_pipe(&error) {
                    self.is_over = true;
                    return;
                }
                self.failures += 1;
                let told = if interrupt::requested() { "interrupted".to_string() } else { terminal::explain(&error) };
                eprintln!("{told}");
            }
            if self.is_over {
                return;
            }
        }
    }

    fn piece(&mut self, piece: &Piece) -> Result<()> {
        match piece.kind {
            PieceKind::Command => self.command(&piece.text),
            PieceKind::Unclosed => bail!("line {}: {UNCLOSED}", piece.line),
            PieceKind::Statement | PieceKind::Prose => self.statement(&piece.text),
        }
    }

    fn statement(&self, sql: &str) -> Result<()> {
        let start = Instant::now();
        let table = progress::show("running", || self.connection.prepare(sql).and_then(|mut statement| Table::fetch(&mut statement)))?;
        let mut out = io::stdout().lock();
        if query::has_result(&table, sql) {
            table.write(self.format, terminal::limits(), &mut out)?;
        }
        if self.timer {
            writeln!(out, "Run Time (s): real {:.3}", start.elapsed().as_secs_f64())?;
        }
        Ok(())
    }

    fn command(&mut self, line: &str) -> Result<()> {
        let (name, argument) = script::command(line);
        match name {
            "quit" | "exit" | "q" => self.is_over = true,
            "help" => writeln!(io::stdout(), "{HELP}")?,
            "print" => writeln!(io::stdout(), "{argument}")?,
            "functions" => functions::print(self.connection, Some(argument.as_str()).filter(|name| !name.is_empty()), &mut io::stdout())?,
            "timer" => match argument.as_str() {
                "on" => self.timer = true,
                "off" => self.timer = false,
                _ => bail!("write .timer on or .timer off"),
            },
            "mode" => self.mode(&argument)?,
            "tables" => self.tables(&argument)?,
            "schema" => self.schema(&argument)?,
            "read" => self.read(Path::new(&argument))?,
            other => bail!("unknown command .{other}; .help lists the commands"),
        }
        Ok(())
    }

    fn mode(&mut self, name: &str) -> Result<()> {
        use clap::ValueEnum;
        let name_of = |format: &Format| format.to_possible_value().map(|value| value.get_name().to_string()).unwrap_or_default();
        if name.is_empty() {
            writeln!(io::stdout(), "{}", name_of(&self.format))?;
            return Ok(());
        }
        let Ok(format) = Format::from_str(if name == "duckbox" { "box" } else { name }, true) else {
            let names: Vec<String> = Format::value_variants().iter().map(name_of).collect();
            bail!("no format {name}; there are {}", names.join(", "));
        };
        self.format = format;
        Ok(())
    }

    fn tables(&self, pattern: &str) -> Result<()> {
        let sql = "SELECT table_name FROM information_schema.tables WHERE table_name LIKE ? ORDER BY table_name";
        self.print_texts(sql, pattern)
    }

    fn schema(&self, pattern: &str) -> Result<()> {
        let sql = "
            SELECT sql FROM (
                SELECT table_name AS name, sql FROM duckdb_tables() WHERE NOT internal
                UNION ALL SELECT view_name, sql FROM duckdb_views() WHERE NOT internal)
            WHERE name LIKE ? ORDER BY name";
        self.print_texts(sql, pattern)
    }

    fn print_texts(&self, sql: &str, pattern: &str) -> Result<()> {
        let pattern = if pattern.is_empty() { "%".to_string() } else { pattern.replace('*', "%") };
        let mut statement = self.connection.prepare(sql)?;
        for text in statement.query_map([pattern], |row| row.get::<_, String>(0))? {
            writeln!(io::stdout(), "{}", text?)?;
        }
        Ok(())
    }

    /// Stops at the first failure: what follows may rest on what failed.
    fn read(&mut self, path: &Path) -> Result<()> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        for piece in script::split(&text) {
            interrupt::forget();
            let result = self.piece(&piece);
            result.with_context(|| format!("{}:{}", path.display(), piece.line))?;
        }
        Ok(())
    }
}
