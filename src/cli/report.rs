//! `esccsql report`: makes a page of a script.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use super::run::assignment;
use crate::report::{self, Format, Options};

/// Make a report from a SQL script: one HTML file that needs no network and prints well.
///
/// Markdown stands in the script's block comments (/* ... */) between statements, and {{name}} in it is the value of a
/// variable (SET VARIABLE name = (SELECT ...)). The result of each query becomes a table, or a figure where it is SVG text
/// or a PNG; `-- @caption text` before a query says what it shows. The database is opened for reading only: a report
/// never changes the study. Temporary tables, macros and variables are free to use.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct ReportArgs {
    /// The script.
    #[arg(value_name = "FILE.sql")]
    script: PathBuf,
    /// Database of the study [default: memory].
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
    /// File to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// html: one file; md: Markdown with its figures and tables as files beside it.
    #[arg(long, value_enum, default_value_t = Format::Html)]
    format: Format,
    /// Set a variable; a SET VARIABLE of the same name in the script is passed over. The script must set or read a variable
    /// of that name.
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Threads [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

pub fn report(args: &ReportArgs) -> Result<ExitCode> {
    let options = Options {
        database: args.db.clone(),
        out: args.out.clone(),
        format: args.format,
        set: args.set.clone(),
        threads: args.threads.map(usize::from),
    };
    let written = report::write(&args.script, &options)?;
    println!("{}: {} tables, {} figures", args.out.display(), written.tables, written.figures);
    Ok(ExitCode::SUCCESS)
}
