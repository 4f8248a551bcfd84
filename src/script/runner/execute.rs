//! Runs one step, in a transaction with its row of the manifest.

use std::time::Instant;

use anyhow::{Result, bail};

use super::{Ending, Run, entry};
use crate::interrupt;
use crate::progress;
use crate::render::{Format, Limits, Table};
use crate::script::decide::{Decision, Versions};
use crate::script::effects::{Role, Target};
use crate::script::failure;
use crate::script::guard::Script;
use crate::script::manifest::{Entry, Finished};
use crate::script::step::{Step, object_name};

/// What running a statement gave.
struct Outcome {
    rows: Option<u64>,
    output: Option<String>,
}

impl Run<'_, '_> {
    /// Runs a step and prints it. `Some`: the run is over.
    pub(super) fn run_step(
        &mut self,
        at: usize,
        decision: &mut Decision,
        versions: &Versions,
        output_file: Option<&str>,
    ) -> Result<Option<Ending>> {
        let step = &self.steps[at];
        let start = Instant::now();
        let result = self.execute_guarded(at, decision, versions, output_file, start);
        let seconds = start.elapsed().as_secs_f64();
        self.judge.forget();
        match result {
            Ok(outcome) => {
                self.judge.past.done.insert(decision.key.clone(), Finished { rows: outcome.rows, output: outcome.output.clone() });
                let is_seen = std::mem::replace(&mut self.seen[at], true);
                if step.effects.role != Role::Session {
                    self.line(&step.name, outcome.rows, &format!("{seconds:.2} s"))?;
                }
                if let (Some(output), false) = (&outcome.output, is_seen && step.effects.role == Role::Session) {
                    self.out.write_all(output.as_bytes())?;
                }
                self.out.flush()?;
                Ok(None)
            }
            Err(_) if interrupt::requested() => {
                self.roll_back();
                self.interrupted().map(Some)
            }
            Err(error) => {
                self.roll_back();
                let message = message(&error);
                if let Some(manifest) = &mut self.manifest {
                    let failed =
                        Entry { status: "failed", seconds, error: Some(message.clone()), ..entry(at, step, decision, output_file) };
                    manifest.note(failed);
                    manifest.end("failed")?;
                }
                Ok(Some(Ending::Failed(failure::report(step, &message))))
            }
        }
    }

    /// Runs the statement so that no fit of it sees rows that are held out.
    fn execute_guarded(
        &mut self,
        at: usize,
        decision: &mut Decision,
        versions: &Versions,
        output_file: Option<&str>,
        start: Instant,
    ) -> Result<Outcome> {
        let script = Script { steps: self.steps, at, versions };
        self.guard.begin(script, &mut self.judge)?;
        let result = loop {
            let watch = self.guard.hold();
            let result = self.execute(at, decision, versions, output_file, start);
            drop(watch);
            if result.is_ok() {
                break result;
            }
            self.roll_back();
            if !self.guard.is_to_be_run_again(script, &mut self.judge)? {
                break result;
            }
        };
        self.guard.end();
        result
    }

    /// Runs the statement; a step that writes, and its row of the manifest, in one transaction.
    fn execute(
        &mut self,
        at: usize,
        decision: &mut Decision,
        versions: &Versions,
        output_file: Option<&str>,
        start: Instant,
    ) -> Result<Outcome> {
        let step = &self.steps[at];
        let is_session = step.effects.role == Role::Session;
        let in_transaction = !is_session && !self.writes_elsewhere(step)?;
        if in_transaction {
            self.connection.execute_batch("BEGIN")?;
        }
        let is_there_already = match step.effects.target.as_ref().filter(|target| target.is_plain_create) {
            Some(target) if self.judge.past.made.contains(&object_name(target)) => self.make_way(target)?,
            _ => false,
        };
        let outcome = if is_there_already {
            Outcome { rows: None, output: None }
        } else {
            let (session, engines) = (self.session, &self.options.engines);
            let table = progress::show(&step.name, || {
                let prepared = engines.prepare(session, &step.statement, step.source.engine.as_deref())?;
                let mut statement = session.prepare(&prepared.sql)?;
                anyhow::Ok(Table::fetch(&mut statement)?)
            })?;
            if step.source.is_test && table.rows() > 0 {
                bail!("{}", failure::of_test(&table, self.options.limits));
            }
            self.guard.check(step)?;
            outcome(step, &table, self.options.limits)
        };
        if step.effects.writes_files() {
            // The files that the step wrote itself are no news to the next run.
            self.judge.forget();
            *decision = self.judge.decide(step, versions, false)?;
        }
        let done = Entry {
            status: "done",
            rows: outcome.rows,
            seconds: start.elapsed().as_secs_f64(),
            output: outcome.output.clone(),
            ..entry(at, step, decision, output_file)
        };
        if let Some(manifest) = &mut self.manifest {
            if is_session {
                manifest.note(Entry { status: "session", output: None, writes: None, ..done });
            } else {
                manifest.write(done)?;
            }
        }
        if in_transaction {
            self.connection.execute_batch("COMMIT")?;
        }
        Ok(outcome)
    }

    /// Drops what an earlier run made under the name of a plain CREATE. True: a schema, which stays with all that is in it.
    fn make_way(&self, target: &Target) -> duckdb::Result<bool> {
        if !self.judge.catalog.holds(target)? {
            return Ok(false);
        }
        if target.kind == "schema" {
            return Ok(true);
        }
        let path: Vec<String> = target.path.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect();
        self.connection.execute_batch(&format!("DROP {} IF EXISTS {}", target.kind.to_uppercase(), path.join(".")))?;
        Ok(false)
    }

    /// Does the step write into an attached database? DuckDB writes to one database in a transaction.
    fn writes_elsewhere(&self, step: &Step) -> duckdb::Result<bool> {
        let Some(database) = step.effects.target.as_ref().filter(|target| target.path.len() > 1).map(|target| &target.path[0]) else {
            return Ok(false);
        };
        let sql = "SELECT count(*) FROM duckdb_databases() WHERE lower(database_name) = ? AND database_name <> current_database()";
        self.connection.query_row(sql, [database], |row| Ok(row.get::<_, i64>(0)? > 0))
    }

    fn roll_back(&self) {
        // There may be no transaction to roll back: the statement's own failure is what matters.
        let _ = self.connection.execute_batch("ROLLBACK");
    }
}

/// DuckDB's own words.
fn message(error: &anyhow::Error) -> String {
    error
        .chain()
        .filter(|cause| cause.downcast_ref::<duckdb::ffi::Error>().is_none())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// Rows and printed result of a statement.
fn outcome(step: &Step, table: &Table, limits: Limits) -> Outcome {
    let draw = || {
        let mut text = Vec::new();
        // Writing to memory does not fail.
        let _ = table.write(Format::Box, limits, &mut text);
        Some(String::from_utf8_lossy(&text).into_owned())
    };
    let rows = table.rows();
    match step.effects.role {
        Role::Query if step.source.is_test => Outcome { rows: Some(0), output: None },
        Role::Query => Outcome { rows: Some(rows as u64), output: draw() },
        _ if rows == 0 || table.columns.is_empty() => Outcome { rows: None, output: None },
        _ => match table.changed_rows() {
            Some(changed) => Outcome { rows: Some(changed), output: None },
            // INSERT ... RETURNING, PRAGMA, CALL.
            None => Outcome { rows: Some(rows as u64), output: draw() },
        },
    }
}
