//! Runs a script step by step, each in a transaction with its row of the manifest, and skips what is unchanged.

mod execute;
mod plan;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use duckdb::Connection;
use serde_json::json;

use super::decide::{Decision, Judge, Verdict, Versions, file_name};
use super::effects::{Change, Role};
use super::guard::Guard;
use super::load::{Action, load};
use super::manifest::{Entry, Finished, Manifest, past};
use super::outline::outline;
use super::step::{Step, object_name, steps};
use super::{cohort, hash, variables};
use crate::engine::Engines;
use crate::engine::duckdb::{Session, Settings, open};
use crate::interrupt::{self, WhenStuck};
use crate::render::Limits;
use crate::synth;

/// How to run a script.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub database: PathBuf,
    /// Variables from the command line; they win over the script's own SET VARIABLE.
    pub set: Vec<(String, String)>,
    /// Run this step and all after it.
    pub from: Option<String>,
    /// Run every step.
    pub force: bool,
    /// Say what would be run, and run nothing.
    pub plan: bool,
    pub settings: Settings,
    pub engines: Engines,
    pub limits: Limits,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    Done,
    /// With the report for the person at the terminal.
    Failed(String),
    Interrupted,
}

/// Runs the script at `path`; results and one line per step go to `out`.
pub fn run(path: &Path, options: &Options, out: &mut dyn Write) -> Result<Ending> {
    let steps = steps(load(path)?)?;
    if !options.set.is_empty() {
        outline(path)?.check(path, &options.set)?;
    }
    let from = match &options.from {
        Some(name) => find(&steps, name)?,
        None => steps.len(),
    };
    let is_new = !options.database.exists();
    let database = if options.plan && is_new { None } else { Some(options.database.as_path()) };
    let settings = Settings { read_only: options.plan && !is_new, ..options.settings.clone() };
    let session = open(database, &settings).with_context(|| format!("cannot open the database {}", options.database.display()))?;
    let connection: &Connection = &session;
    interrupt::listen(connection, WhenStuck::Exit)?;

    let mut judge = Judge::new(connection, past(connection)?, functions_version())?;
    judge.created = (steps.iter().filter_map(|step| step.effects.target.as_ref()))
        .filter(|target| target.change == Change::Create)
        .map(object_name)
        .collect();
    for (name, value) in &options.set {
        variables::set(connection, name, value).with_context(|| format!("--set {name}={value}"))?;
    }
    let manifest = if options.plan {
        None
    } else {
        let versions = json!({"esccsql": env!("CARGO_PKG_VERSION"), "duckdb": judge.duckdb_version, "functions": judge.functions_version});
        let set: serde_json::Map<_, _> = options.set.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let set = serde_json::Value::from(set).to_string();
        Some(Manifest::begin(connection, &path.display().to_string(), &versions.to_string(), &set)?)
    };
    let forced = (0..steps.len()).map(|at| options.force || at >= from).collect();
    let width = steps.iter().map(|step| step.name.chars().count()).max().unwrap_or(0).clamp(12, 40);
    Run {
        session: &session,
        connection,
        guard: Guard::new(connection),
        judge,
        manifest,
        options,
        forced,
        seen: vec![false; steps.len()],
        plan: vec![None; steps.len()],
        width,
        out,
        steps: &steps,
    }
    .all()
}

/// The place of a step given by its name or its number from 1.
fn find(steps: &[Step], name: &str) -> Result<usize> {
    let by_name = steps.iter().position(|step| step.name.eq_ignore_ascii_case(name));
    let by_number = || name.parse::<usize>().ok()?.checked_sub(1).filter(|at| *at < steps.len());
    let Some(at) = by_name.or_else(by_number) else {
        let names: Vec<&str> = steps.iter().filter(|step| step.effects.role != Role::Session).map(|step| step.name.as_str()).collect();
        bail!("--from {name}: no such step; the script has {}", names.join(", "));
    };
    Ok(at)
}

/// Version and build of the program, and so of its functions.
fn functions_version() -> String {
    let build = std::env::current_exe().and_then(std::fs::read).map_or_else(|_| "unknown".into(), |bytes| hash::of_bytes(&bytes));
    format!("{} {build}", env!("CARGO_PKG_VERSION"))
}

struct Run<'c, 'o> {
    session: &'c Session,
    connection: &'c Connection,
    guard: Guard<'c>,
    judge: Judge<'c>,
    /// None while planning.
    manifest: Option<Manifest<'c>>,
    options: &'o Options,
    steps: &'o [Step],
    /// Steps to run even if unchanged.
    forced: Vec<bool>,
    /// Steps whose line is printed already, before the run went back.
    seen: Vec<bool>,
    /// What the plan says of each step.
    plan: Vec<Option<String>>,
    width: usize,
    out: &'o mut dyn Write,
}

impl Run<'_, '_> {
    fn all(mut self) -> Result<Ending> {
        let result = self.each();
        if let (Err(_), Some(manifest)) = (&result, &mut self.manifest) {
            // What went wrong is told; that the manifest does not say so too is no reason to tell something else.
            let _ = self.connection.execute_batch("ROLLBACK");
            let _ = manifest.end("failed");
        }
        result
    }

    fn each(&mut self) -> Result<Ending> {
        // The versions before each step, so that the run can go back to it.
        let mut before = vec![Versions::default(); self.steps.len() + 1];
        let mut times_back = 0;
        let mut at = 0;
        while at < self.steps.len() {
            if interrupt::requested() {
                return self.interrupted();
            }
            let steps = self.steps;
            let step = &steps[at];
            let mut versions = before[at].clone();
            if self.is_quiet(at)? {
                before[at + 1] = versions;
                at += 1;
                continue;
            }
            let mut decision = self.judge.decide(step, &versions, self.is_written_later(at))?;
            let verdict = match (&decision.verdict, self.forced[at]) {
                (Verdict::Skip(_), true) => Verdict::Run("forced".into()),
                (verdict, _) => verdict.clone(),
            };
            let output_file = self.judge.output_file(step)?;
            match verdict {
                Verdict::Skip(finished) => self.skip(at, &decision, &finished)?,
                Verdict::Run(why) => {
                    if let Some(back) = self.must_go_back(at, &versions) {
                        times_back += 1;
                        if times_back > 10 * self.steps.len() {
                            bail!("esccsql bug: step {:?} never finds the tables it needs; esccsql run --force runs all", step.name);
                        }
                        at = back;
                        continue;
                    }
                    if self.options.plan {
                        self.plan_step(at, &why, &versions);
                    } else if let Some(ending) = self.run_step(at, &mut decision, &versions, output_file.as_deref())? {
                        return Ok(ending);
                    }
                    self.forced[at] = false;
                    self.remember(step, &decision, output_file.as_deref());
                }
            }
            versions.after(step, &decision.key, output_file.as_deref());
            before[at + 1] = versions;
            at += 1;
        }
        match &mut self.manifest {
            Some(manifest) => manifest.end("done")?,
            None => self.print_plan()?,
        }
        Ok(Ending::Done)
    }

    /// Dot commands, and variables that the command line has set: nothing to decide.
    fn is_quiet(&mut self, at: usize) -> Result<bool> {
        let step = &self.steps[at];
        if let Action::Print(text) = &step.source.action {
            if !self.options.plan && !std::mem::replace(&mut self.seen[at], true) {
                writeln!(self.out, "{text}")?;
            }
            return Ok(true);
        }
        if let Action::Synth(arguments) = &step.source.action {
            self.synth(at, step, arguments)
                .with_context(|| format!("{}:{}: .synth {arguments}", step.source.file.display(), step.source.line))?;
            return Ok(true);
        }
        let is_set = |name: &String| self.options.set.iter().any(|(set, _)| set.eq_ignore_ascii_case(name));
        Ok(step.effects.sets_variable.as_ref().is_some_and(is_set))
    }

    /// Makes a synthetic cohort where it is not there yet.
    fn synth(&mut self, at: usize, step: &Step, arguments: &str) -> Result<()> {
        let arguments = cohort::arguments(self.connection, arguments)?;
        if self.options.plan {
            self.plan[at] = Some(if arguments.is_there()? { "skip  unchanged" } else { "run   not done yet" }.into());
            return Ok(());
        }
        let start = Instant::now();
        let is_made = synth::make(&arguments)?;
        self.judge.forget();
        if !std::mem::replace(&mut self.seen[at], true) {
            let end = if is_made { format!("{:.2} s", start.elapsed().as_secs_f64()) } else { "skipped".into() };
            self.line(&step.name, None, &end)?;
        }
        Ok(())
    }

    fn is_written_later(&self, at: usize) -> bool {
        let effects = &self.steps[at].effects;
        let object = effects.target.as_ref().map(object_name);
        self.steps[at + 1..].iter().any(|later| match &object {
            Some(object) => later.effects.target.as_ref().map(object_name).as_ref() == Some(object),
            None => effects.output_file.is_some() && later.effects.output_file == effects.output_file,
        })
    }

    /// A step reads, or adds to, a table that a later step has changed since: the steps that make it are to be run again.
    fn must_go_back(&mut self, at: usize, versions: &Versions) -> Option<usize> {
        for (object, expected) in versions.expected_by(&self.steps[at]) {
            if self.judge.past.versions.get(&object) == Some(&expected) {
                continue;
            }
            let writes = |place: usize| self.steps[place].effects.target.as_ref().filter(|target| object_name(target) == object);
            let Some(creator) = (0..at).rev().find(|&place| writes(place).is_some_and(|target| target.change == Change::Create)) else {
                continue;
            };
            let again: Vec<usize> = (creator..at).filter(|&place| writes(place).is_some()).collect();
            for place in again {
                self.forced[place] = true;
            }
            return Some(creator);
        }
        None
    }

    /// The database now holds what the step makes.
    fn remember(&mut self, step: &Step, decision: &Decision, output_file: Option<&str>) {
        if let Some(name) = written(step, output_file) {
            self.judge.past.versions.insert(name.clone(), decision.key.clone());
            self.judge.past.made.insert(name);
        }
    }

    fn skip(&mut self, at: usize, decision: &Decision, finished: &Finished) -> Result<()> {
        let step = &self.steps[at];
        if self.options.plan {
            self.plan[at].get_or_insert_with(|| "skip  unchanged".into());
            return Ok(());
        }
        if std::mem::replace(&mut self.seen[at], true) {
            return Ok(());
        }
        self.line(&step.name, finished.rows, "skipped")?;
        if let Some(output) = &finished.output {
            self.out.write_all(output.as_bytes())?;
        }
        let entry = Entry { status: "skipped", rows: finished.rows, ..entry(at, step, decision, None) };
        if let Some(manifest) = &mut self.manifest {
            manifest.note(entry);
        }
        Ok(())
    }

    fn interrupted(&mut self) -> Result<Ending> {
        if let Some(manifest) = &mut self.manifest {
            manifest.end("interrupted")?;
        }
        Ok(Ending::Interrupted)
    }

    fn line(&mut self, name: &str, rows: Option<u64>, end: &str) -> Result<()> {
        let rows = rows.map_or(String::new(), |rows| format!("{rows} {}", if rows == 1 { "row" } else { "rows" }));
        writeln!(self.out, "{name:<width$}  {rows:>12}  {end:>9}", width = self.width)?;
        Ok(())
    }
}

/// The name under which the version of what a step writes is kept.
fn written(step: &Step, output_file: Option<&str>) -> Option<String> {
    step.effects.target.as_ref().map(object_name).or(output_file.map(file_name))
}

fn entry(at: usize, step: &Step, decision: &Decision, output_file: Option<&str>) -> Entry {
    Entry {
        index: at,
        name: step.name.clone(),
        file: step.source.file.display().to_string(),
        line: step.source.line,
        statement: step.statement.clone(),
        statement_hash: step.statement_hash.clone(),
        inputs: decision.inputs.clone(),
        key: decision.key.clone(),
        writes: written(step, output_file),
        ..Entry::default()
    }
}
