//! `esccsql run`: runs a script.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

use super::engine::EngineArgs;
use super::terminal;
use crate::engine::duckdb::Settings;
use crate::interrupt;
use crate::script::{self, Ending, Options};

/// Run a SQL script step by step; steps that are unchanged since the last run are skipped.
///
/// A script is DuckDB SQL, with `.read other.sql` (looked for beside the script), `.print text` and SET VARIABLE.
/// Each statement is a step and a transaction of its own. Its name is what it creates, or comes from a comment
/// `-- @step name` before it. A step is skipped when its statement, the tables, variables and files that it reads, the
/// settings and the functions are as they were when it was last done, and what it made is still there. The result of a
/// skipped query is printed again. SET, PRAGMA, ATTACH and temporary tables run every time. A table that an
/// earlier run made with a plain CREATE is replaced when its step is run again.
///
/// What was done stands in the tables esccsql_runs and esccsql_steps of the database. A run that was killed goes on where
/// it was.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct RunArgs {
    /// The script.
    #[arg(value_name = "FILE.sql")]
    script: PathBuf,
    /// Database to keep the study in [default: the script's name with .duckdb, in the current directory].
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
    /// Set a variable; a SET VARIABLE of the same name in the script is passed over. Numbers, true, false, null, 'text',
    /// [lists] and {structs} are SQL, anything else is text. The script must set or read a variable of that name.
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Run this step (name or number) and all after it, changed or not.
    #[arg(long, value_name = "STEP")]
    from: Option<String>,
    /// Run every step, changed or not.
    #[arg(long)]
    force: bool,
    /// Print which steps would run, and why; run nothing.
    #[arg(long)]
    plan: bool,
    /// Threads [default: all cores]. Results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Memory that DuckDB may use, such as 8GB.
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
    #[command(flatten)]
    engine: EngineArgs,
}

pub fn run(args: &RunArgs) -> Result<ExitCode> {
    let options = Options {
        database: args.db.clone().unwrap_or_else(|| default_database(&args.script)),
        set: args.set.clone(),
        from: args.from.clone(),
        force: args.force,
        plan: args.plan,
        settings: Settings { threads: args.threads.map(usize::from), memory_limit: args.memory.clone(), read_only: false },
        engines: args.engine.engines(),
        limits: terminal::limits(),
    };
    Ok(match script::run(&args.script, &options, &mut io::stdout().lock())? {
        Ending::Done => ExitCode::SUCCESS,
        Ending::Failed(report) => {
            eprint!("{report}");
            ExitCode::FAILURE
        }
        Ending::Interrupted => {
            eprintln!("interrupted; the steps that are done are kept");
            ExitCode::from(interrupt::EXIT_STATUS as u8)
        }
    })
}

fn default_database(script: &Path) -> PathBuf {
    PathBuf::from(script.file_stem().unwrap_or(script.as_os_str())).with_extension("duckdb")
}

pub fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write name=value")?;
    let name = name.trim();
    if name.is_empty() { Err("the name is missing: write name=value".into()) } else { Ok((name.to_lowercase(), value.to_string())) }
}
