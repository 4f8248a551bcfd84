//! The leak guard: nothing is fitted on rows of the cohort that it will be judged on.
//!
//! ```sql
//! SET VARIABLE held_out = (SELECT {'patient_id': list(patient_id)} FROM patients WHERE cohort = 'test');
//! ```
//!
//! From there on the rows of any table whose `patient_id` is one of these are held out. A statement that fits is first
//! rehearsed on a [`Stage`] where they are not: tables with a `patient_id` lack these rows, tables without are made again from
//! such. Then it runs on the real tables, and each fit must be given there what it was given in the rehearsal. So it does not
//! matter how the rows come to the fit: by name, through a view, from a copy, or as a number that was computed from them.
//!
//! Rows that a table with a `patient_id` holds are trusted to be about that patient alone.

mod near;
mod stage;

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use duckdb::Connection;
use esccsql_functions::shape::guard;

use super::decide::{Judge, Versions};
use super::step::Step;
use stage::Stage;

/// Watches one step after the other.
pub struct Guard<'c> {
    connection: &'c Connection,
    stage: Option<Stage<'c>>,
    /// The columns that `held_out` names; none where this step is not watched.
    keys: Vec<String>,
    /// How the rehearsal of this step went, if there was one.
    rehearsal: Option<Rehearsal>,
}

/// What the script has done so far, for a rehearsal.
#[derive(Clone, Copy)]
pub struct Script<'s> {
    pub steps: &'s [Step],
    /// The step to rehearse.
    pub at: usize,
    pub versions: &'s Versions,
}

/// How a rehearsal went.
enum Rehearsal {
    Done,
    /// The statement does not run without the held-out rows, as DuckDB says.
    Failed(String),
}

impl<'c> Guard<'c> {
    pub fn new(connection: &'c Connection) -> Self {
        Guard { connection, stage: None, keys: Vec::new(), rehearsal: None }
    }

    /// Before a step: it is rehearsed if it names a function that fits.
    ///
    /// # Errors
    /// `held_out` is no STRUCT of lists; the step reads what the guard cannot look through.
    pub fn begin(&mut self, script: Script, judge: &mut Judge) -> Result<()> {
        let step = &script.steps[script.at];
        self.rehearsal = None;
        self.keys = if step.source.held_out.is_some() { Vec::new() } else { keys(self.connection)? };
        if !self.keys.is_empty() && fits(step, judge) {
            self.rehearse(script, judge)?;
        }
        Ok(())
    }

    /// While the step runs: fits of what was not rehearsed fail until the result is dropped.
    pub fn hold(&self) -> Option<guard::Watch> {
        (!self.keys.is_empty()).then(guard::hold)
    }

    /// When the step has run, within its transaction: a table that a fit made, and that names no patients, is read by later
    /// fits as it is, so it must hold nothing of held-out rows.
    pub fn check(&self, step: &Step) -> Result<()> {
        match (&self.stage, &self.rehearsal) {
            (Some(stage), Some(Rehearsal::Done)) => stage.compare(step, &self.keys),
            _ => Ok(()),
        }
    }

    /// When the step has failed and is rolled back: true if it was rehearsed only now, since a view or macro hid its fit. Run it again.
    ///
    /// # Errors
    /// A fit saw held-out rows.
    pub fn is_to_be_run_again(&mut self, script: Script, judge: &mut Judge) -> Result<bool> {
        match (guard::refused(), &self.rehearsal) {
            (None, _) => Ok(false),
            (Some(_), None) => self.rehearse(script, judge).map(|()| true),
            (Some(function), Some(rehearsal)) => bail!("{}", leak(&function, &self.keys, rehearsal)),
        }
    }

    /// After a step.
    pub fn end(&self) {
        guard::forget();
    }

    fn rehearse(&mut self, script: Script, judge: &mut Judge) -> Result<()> {
        let stage = match &mut self.stage {
            Some(stage) => stage,
            None => self.stage.insert(Stage::new(self.connection)?),
        };
        self.rehearsal = Some(stage.rehearse(script, &self.keys, judge)?);
        Ok(())
    }
}

/// Does the statement itself name a function that fits?
fn fits(step: &Step, judge: &Judge) -> bool {
    step.effects.words.iter().any(|word| judge.learners.contains(word))
}

/// The columns that `held_out` names; none if the variable is not set.
fn keys(connection: &Connection) -> Result<Vec<String>> {
    let is_set: bool = connection.query_row("SELECT getvariable('held_out') IS NOT NULL", [], |row| row.get(0))?;
    if !is_set {
        return Ok(Vec::new());
    }
    let columns = connection.prepare("DESCRIBE SELECT unnest(getvariable('held_out'))").and_then(|mut statement| {
        statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?.collect::<duckdb::Result<Vec<_>>>()
    });
    match columns {
        Ok(columns) if columns.iter().all(|(name, kind)| kind.ends_with(']') && !name.starts_with("unnest(")) => {
            Ok(columns.into_iter().map(|(name, _)| name).collect::<BTreeSet<_>>().into_iter().collect())
        }
        _ => bail!(
            "held_out must be a STRUCT of lists, a column's name with the values that are held out:\n\
             SET VARIABLE held_out = (SELECT {{'patient_id': list(patient_id)}} FROM patients WHERE cohort = 'test')"
        ),
    }
}

fn leak(function: &str, keys: &[String], rehearsal: &Rehearsal) -> String {
    let mut text = format!(
        "{function} sees rows that are held out: what it is given changes when the rows named by the variable held_out ({}) are left out. \
         Fit on the other rows, here and in the tables that the statement reads.",
        keys.join(", ")
    );
    if let Rehearsal::Failed(message) = rehearsal {
        text += &format!("\nWithout these rows the statement ends with: {message}");
    }
    text + "\nIf the model is meant to see them, write `-- @held_out` with the reason in a line before the statement."
}
