//! The steps of a script: its statements with what each reads and writes.

use std::collections::HashMap;

use anyhow::{Result, bail};

use super::effects::{Effects, Role, Target, effects};
use super::hash;
use super::load::{Action, Source};

/// A statement of the script.
#[derive(Debug, Clone)]
pub struct Step {
    pub source: Source,
    /// From `-- @step name`, from what it makes, or from its first words; unique in the script.
    pub name: String,
    /// The statement; empty for a dot command.
    pub statement: String,
    pub statement_hash: String,
    pub effects: Effects,
}

/// The steps of a script in order, each with its own name.
pub fn steps(sources: Vec<Source>) -> Result<Vec<Step>> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut steps = Vec::new();
    for source in sources {
        let statement = match &source.action {
            Action::Statement(text) => text.clone(),
            Action::Print(_) | Action::Synth(_) => String::new(),
        };
        let effects = effects(&statement);
        if effects.role == Role::Transaction {
            bail!(
                "{}:{}: {} in a script: each step is a transaction of its own already; take it out",
                source.file.display(),
                source.line,
                effects.title.to_uppercase()
            );
        }
        let name = source.label.clone().unwrap_or_else(|| match &effects.target {
            Some(target) => target.path.join("."),
            None if matches!(source.action, Action::Synth(_)) => "synth".into(),
            None => effects.title.clone(),
        });
        let count = seen.entry(name.clone()).or_insert(0);
        *count += 1;
        let name = if *count == 1 { name } else { format!("{name} #{count}") };
        let statement_hash = hash::of([effects.canonical.as_str()]);
        steps.push(Step { source, name, statement, statement_hash, effects });
    }
    Ok(steps)
}

/// The name under which versions of an object are kept: without the schema that it is in by default.
pub fn object_name(target: &Target) -> String {
    let path: Vec<&str> = target.path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["main", name] => (*name).to_string(),
        path => path.join("."),
    }
}
