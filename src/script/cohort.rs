//! `.synth` in a script: the arguments of `esccsql synth`, with `$name` for a variable of the script.

use anyhow::{Context, Result, bail};
use clap::{CommandFactory, FromArgMatches, Parser};
use duckdb::Connection;

use super::variables;
use crate::synth::SynthArgs;

/// What follows `.synth`: the folder, then options as on the command line.
#[derive(Debug, Parser)]
#[command(name = ".synth", no_binary_name = true, disable_help_flag = true)]
struct Line {
    #[command(flatten)]
    arguments: SynthArgs,
}

/// Reads the arguments of `.synth DIR [--patients N] ...`.
pub fn arguments(connection: &Connection, text: &str) -> Result<SynthArgs> {
    let mut words = Vec::new();
    for word in words_of(text)? {
        words.push(match word.strip_prefix('$') {
            Some(name) => {
                let value = variables::read(connection, name)?;
                value.with_context(|| format!("the variable {name} is not set; write SET VARIABLE {name} = ... before it"))?.1
            }
            None => word,
        });
    }
    if words.first().is_some_and(|first| !first.starts_with('-')) {
        words.insert(0, "--out".into());
    }
    let matches = Line::command().try_get_matches_from(words)?;
    Ok(Line::from_arg_matches(&matches)?.arguments)
}

/// Words at spaces; quotes keep spaces.
fn words_of(text: &str) -> Result<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    let mut quote = None;
    let mut is_open = false;
    for c in text.chars() {
        match (c, quote) {
            (c, Some(end)) if c == end => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                if !is_open {
                    words.push(String::new());
                }
                is_open = true;
            }
            (c, None) if c.is_whitespace() => is_open = false,
            (c, _) => {
                if !is_open {
                    words.push(String::new());
                }
                is_open = true;
                if let Some(word) = words.last_mut() {
                    word.push(c);
                }
            }
        }
    }
    if quote.is_some() {
        bail!("a quote is not closed");
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_stand_for_their_values() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("SET VARIABLE folder = 'my cohort'; SET VARIABLE patients = 24; SET VARIABLE effect = 0.5").unwrap();
        let read = arguments(&connection, "$folder --patients $patients --effect $effect --size small").unwrap();
        assert_eq!(read.out.to_str(), Some("my cohort"));
        assert_eq!((read.patients, read.effect), (24, 0.5));
        assert_eq!(arguments(&connection, "'a b' --seed 3").unwrap().out.to_str(), Some("a b"));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let connection = Connection::open_in_memory().unwrap();
        let error = |text: &str| format!("{:#}", arguments(&connection, text).unwrap_err());
        assert!(error("$nowhere").contains("the variable nowhere is not set"));
        assert!(error("x --colour red").contains("--colour"));
        assert!(error("'x").contains("not closed"));
    }
}
