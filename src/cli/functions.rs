//! `esccsql functions`: the functions' own documentation.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use duckdb::Connection;

use crate::engine::duckdb::{Settings, open};

/// List the SQL functions, or document one.
#[derive(Debug, clap::Args)]
pub struct FunctionsArgs {
    /// A function's name, or a part of it.
    name: Option<String>,
}

/// What the list and a page are made of. The page is written by DuckDB itself, from the functions' metadata.
const LIST: &str = "SELECT topic, name, signature, description FROM esccsql_functions() ORDER BY topic, name";
const PAGE: &str = "
SELECT concat(
    signature, '\n    ', description, '\n',
    CASE WHEN len(arguments) > 0
        THEN '\nArguments\n' || array_to_string(list_transform(arguments, a -> '    ' || a.name || '  ' || a.type || '  ' || a.description), '\n') || '\n' END,
    CASE WHEN len(options) > 0
        THEN '\nOptions\n' || array_to_string(list_transform(options, a -> '    ' || a.name || '  ' || a.type || '  ' || a.description), '\n') || '\n' END,
    CASE WHEN returns <> '' THEN '\nReturns\n    ' || returns || '\n' END,
    CASE WHEN example <> '' THEN '\nExample\n    ' || example || '\n' END,
    CASE WHEN source <> '' THEN '\nSource\n    ' || source || '\n' END)
FROM esccsql_functions() WHERE name = lower(?)";

pub fn functions(args: &FunctionsArgs) -> Result<ExitCode> {
    let session = open(None, &Settings::default())?;
    print(&session, args.name.as_deref(), &mut io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the list of functions, or the page of one.
pub fn print(connection: &Connection, name: Option<&str>, out: &mut dyn Write) -> Result<()> {
    let Some(name) = name else { return list(connection, "", out) };
    let mut statement = connection.prepare(PAGE).context("the functions' documentation is not to be had")?;
    let pages: Vec<String> = statement.query_map([name], |row| row.get(0))?.collect::<Result<_, _>>()?;
    match pages.first() {
        Some(page) => writeln!(out, "{}", page.trim_end())?,
        None => list(connection, name, out)?,
    }
    Ok(())
}

/// The functions whose names contain `part`, by topic.
fn list(connection: &Connection, part: &str, out: &mut dyn Write) -> Result<()> {
    let mut statement = connection.prepare(LIST).context("the functions' documentation is not to be had")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let mut last_topic = String::new();
    let mut count = 0;
    for row in rows {
        let (topic, name, signature, description): (String, String, String, String) = row?;
        if !name.contains(&part.to_lowercase()) {
            continue;
        }
        if topic != last_topic {
            writeln!(out, "{}{topic}", if last_topic.is_empty() { "" } else { "\n" })?;
            last_topic = topic;
        }
        writeln!(out, "  {signature}\n      {description}")?;
        count += 1;
    }
    if count == 0 {
        bail!("no function is called {part}; esccsql functions lists them all");
    }
    Ok(())
}
