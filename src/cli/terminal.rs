//! The terminal that the program writes to.

use std::io::{self, IsTerminal};

use rustyline::DefaultEditor;

use crate::render::Limits;

/// How much of a table fits: on a terminal its width, otherwise all columns.
pub fn limits() -> Limits {
    let width =
        io::stdout().is_terminal().then(|| DefaultEditor::new().ok()?.dimensions().map(|(columns, _)| usize::from(columns))).flatten();
    Limits { width: width.filter(|width| *width > 20), ..Limits::default() }
}

/// Exit status after that, as a shell shows it for SIGPIPE.
pub const BROKEN_PIPE: u8 = 141;

/// Did the reader of our output go away, as `head` does? There is no one to tell.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe))
}

/// The whole story of an error; DuckDB's number of it tells a person nothing.
pub fn explain(error: &anyhow::Error) -> String {
    let causes = error.chain().filter(|cause| cause.downcast_ref::<duckdb::ffi::Error>().is_none());
    let text = causes.map(|cause| cause.to_string()).collect::<Vec<_>>().join(": ");
    // DuckDB's messages say what kind of error they are.
    if text.contains("Error: ") { text } else { format!("Error: {text}") }
}
