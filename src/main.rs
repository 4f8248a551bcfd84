//! The program: see `src/cli` for its commands.

use std::process::ExitCode;

fn main() -> ExitCode {
    esccsql::cli::main()
}
