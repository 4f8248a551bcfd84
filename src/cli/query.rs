//! `esccsql query`: runs SQL and prints the results.

use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use super::engine::EngineArgs;
use super::terminal;
use crate::engine::duckdb::{Settings, open};
use crate::interrupt::{self, WhenStuck};
use crate::render::{Format, Table};
use crate::script::{PieceKind, UNCLOSED, is_query, split};

/// Run SQL and print the result.
#[derive(Debug, clap::Args)]
pub struct QueryArgs {
    /// One or more statements; - reads them from standard input.
    #[arg(value_name = "SQL", required_unless_present = "command")]
    sql: Option<String>,
    /// The same as SQL, for the habit of it.
    #[arg(short = 'c', long = "command", value_name = "SQL", conflicts_with = "sql")]
    command: Option<String>,
    /// Database file [default: memory].
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = Format::Box)]
    format: Format,
    /// Open the database for reading only.
    #[arg(long)]
    readonly: bool,
    /// Threads [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    #[command(flatten)]
    engine: EngineArgs,
}

pub fn query(args: &QueryArgs) -> Result<ExitCode> {
    let given = args.sql.as_deref().or(args.command.as_deref()).unwrap_or("-");
    let sql = if given == "-" { standard_input()? } else { given.to_string() };
    let pieces = split(&sql);
    if let Some(piece) = pieces.iter().find(|piece| piece.kind == PieceKind::Unclosed) {
        bail!("line {}: {UNCLOSED}", piece.line);
    }
    let settings = Settings { threads: args.threads.map(usize::from), memory_limit: None, read_only: args.readonly };
    let session = open(args.db.as_deref(), &settings)?;
    interrupt::listen(&session, WhenStuck::Exit)?;
    let limits = terminal::limits();
    let engines = args.engine.engines();
    let mut out = io::BufWriter::new(io::stdout().lock());
    for piece in pieces {
        if piece.is_command() {
            bail!("line {}: {}: dot commands are for esccsql shell", piece.line, piece.text);
        }
        let table = engines.prepare(&session, &piece.text, piece.directive("engine")).and_then(|prepared| {
            let mut statement = session.prepare(&prepared.sql)?;
            Ok(Table::fetch(&mut statement)?)
        });
        match table {
            Ok(table) if has_result(&table, &piece.text) => table.write(args.format, limits, &mut out)?,
            Ok(_) => {}
            Err(_) if interrupt::requested() => return Ok(ExitCode::from(interrupt::EXIT_STATUS as u8)),
            Err(error) => {
                out.flush()?;
                bail!("{error}");
            }
        }
        out.flush()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Is there more to show than that a statement was done?
pub fn has_result(table: &Table, statement: &str) -> bool {
    is_query(statement) || table.rows() > 0 && table.changed_rows().is_none()
}

fn standard_input() -> Result<String> {
    if io::stdin().is_terminal() {
        eprintln!("reading SQL from the terminal; end it with Ctrl-D");
    }
    let mut sql = String::new();
    io::stdin().read_to_string(&mut sql).context("cannot read standard input")?;
    Ok(sql)
}
