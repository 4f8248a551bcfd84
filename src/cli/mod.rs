//! The commands of the program.

#[cfg(feature = "cluster")]
mod cluster;
mod engine;
mod functions;
mod query;
mod report;
mod run;
mod shell;
mod terminal;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::synth;

/// Radiomics and survival models in SQL: an embedded analytics database for imaging cohorts, on DuckDB.
#[derive(Debug, Parser)]
#[command(name = "esccsql", version)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Query(query::QueryArgs),
    Shell(shell::ShellArgs),
    Report(report::ReportArgs),
    Functions(functions::FunctionsArgs),
    Synth(synth::SynthArgs),
    #[cfg(feature = "cluster")]
    Cluster(cluster::ClusterArgs),
}

/// Runs the program: 0 when all went well, 1 after an error, 2 when it was called wrongly, 130 after Ctrl-C,
/// 141 when the reader of the output went away.
pub fn main() -> ExitCode {
    let result = match Program::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Query(args) => query::query(&args),
        Command::Shell(args) => shell::shell(&args),
        Command::Report(args) => report::report(&args),
        Command::Functions(args) => functions::functions(&args),
        #[cfg(feature = "cluster")]
        Command::Cluster(args) => cluster::cluster(&args),
        Command::Synth(args) => synth::run(&args).map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| {
        if terminal::is_broken_pipe(&error) {
            return ExitCode::from(terminal::BROKEN_PIPE);
        }
        eprintln!("{}", terminal::explain(&error));
        ExitCode::FAILURE
    })
}
