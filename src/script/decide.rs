//! Run or skip: what a step depends on, and whether that is as it was when the step was last done.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use anyhow::Result;
use duckdb::Connection;
use esccsql_functions::shape::Function;

use super::catalog::Catalog;
use super::effects::{Change, Part, Pattern, Role};
use super::files::Files;
use super::hash;
use super::manifest::{Finished, Past};
use super::step::{Step, object_name};
use super::variables;

/// What was found about a step.
#[derive(Debug, Clone)]
pub struct Decision {
    pub inputs: BTreeMap<String, String>,
    pub key: String,
    pub verdict: Verdict,
}

#[derive(Debug, Clone)]
pub enum Verdict {
    /// Unchanged; with what it gave when it was done.
    Skip(Finished),
    /// To be run, and why.
    Run(String),
}

/// Words that make a statement depend on everything before it: it looks at the catalog or at the session.
const CATALOG: [&str; 7] =
    ["show", "describe", "information_schema", "sqlite_master", "pg_catalog", "esccsql_errors", "all_profiling_output"];
/// The manifest's own tables.
const MANIFEST: [&str; 2] = ["esccsql_runs", "esccsql_steps"];

/// The state of the database as the script would have it, step by step.
#[derive(Clone, Default)]
pub struct Versions {
    /// Name without schema -> name with schema -> key of the step that made it.
    objects: BTreeMap<String, BTreeMap<String, String>>,
    /// Files written by COPY.
    files: BTreeMap<String, String>,
    /// Settings, attached databases, ... made by the session's statements.
    settings: String,
    /// All steps so far.
    everything: String,
}

impl Versions {
    /// Takes note of a step that is done or skipped.
    pub fn after(&mut self, step: &Step, key: &str, output_file: Option<&str>) {
        self.everything = hash::of([self.everything.as_str(), key]);
        if let Some(target) = &step.effects.target {
            let objects = self.objects.entry(target.name().to_string()).or_default();
            if target.change == Change::Drop {
                objects.remove(&object_name(target));
            } else {
                objects.insert(object_name(target), key.to_string());
            }
        } else if let Some(file) = output_file {
            self.files.insert(file.to_string(), key.to_string());
        } else if step.effects.role == Role::Session && step.effects.sets_variable.is_none() && !step.effects.is_resource_setting {
            self.settings = hash::of([self.settings.as_str(), step.statement_hash.as_str()]);
        }
    }

    /// The version of an object that the script made.
    pub fn of(&self, object: &str) -> Option<&String> {
        self.objects.get(object.rsplit('.').next()?)?.get(object)
    }

    /// The objects that the script made and that a step names, with the version that the step expects.
    pub fn expected_by(&self, step: &Step) -> Vec<(String, String)> {
        let modified = step.effects.target.as_ref().filter(|target| target.change == Change::Modify).map(|target| target.name());
        let words = step.effects.words.iter().map(String::as_str).chain(modified);
        words.filter_map(|word| self.objects.get(word)).flatten().map(|(name, key)| (name.clone(), key.clone())).collect()
    }
}

/// What decisions are made from.
pub struct Judge<'c> {
    pub connection: &'c Connection,
    pub catalog: Catalog<'c>,
    pub past: Past,
    pub functions: BTreeSet<String>,
    /// The functions that fit.
    pub learners: BTreeSet<String>,
    pub functions_version: String,
    pub duckdb_version: String,
    /// Names that the script itself makes: before their step they are no input, whatever an earlier run left.
    pub created: BTreeSet<String>,
    /// Variables whose value is not known while only planning.
    pub unknown_variables: BTreeSet<String>,
    files: Files,
    values: HashMap<String, Option<(String, String)>>,
}

impl<'c> Judge<'c> {
    pub fn new(connection: &'c Connection, past: Past, functions_version: String) -> Result<Self> {
        let all: Vec<_> = esccsql_functions::all().into_iter().flat_map(|(_, functions)| functions).collect();
        let name = |function: &Function| function.name().to_lowercase();
        let duckdb_version = connection.query_row("SELECT version()", [], |row| row.get(0))?;
        Ok(Judge {
            connection,
            catalog: Catalog::new(connection),
            past,
            functions: all.iter().map(name).collect(),
            learners: all.iter().filter(|function| function.learns()).map(name).collect(),
            functions_version,
            duckdb_version,
            created: BTreeSet::new(),
            unknown_variables: BTreeSet::new(),
            files: Files::default(),
            values: HashMap::new(),
        })
    }

    /// A statement was run: the catalog, the variables and the files may be others now.
    pub fn forget(&mut self) {
        self.catalog.forget();
        self.values.clear();
    }

    /// `is_written_later`: does a later step of the script write the same object?
    pub fn decide(&mut self, step: &Step, versions: &Versions, is_written_later: bool) -> Result<Decision> {
        let inputs = self.inputs(step, versions)?;
        let parts = inputs.iter().flat_map(|(name, version)| [name.as_str(), version.as_str()]);
        let key = hash::of([step.statement_hash.as_str()].into_iter().chain(parts));
        let verdict = self.verdict(step, &inputs, &key, is_written_later)?;
        Ok(Decision { inputs, key, verdict })
    }

    fn inputs(&mut self, step: &Step, versions: &Versions) -> Result<BTreeMap<String, String>> {
        let effects = &step.effects;
        let mut inputs = BTreeMap::from([("DuckDB".to_string(), self.duckdb_version.clone())]);
        if !versions.settings.is_empty() {
            inputs.insert("settings".into(), versions.settings.clone());
        }
        for (name, key) in versions.expected_by(step) {
            inputs.insert(format!("table {name}"), key);
        }
        let modified = effects.target.as_ref().filter(|target| target.change == Change::Modify).map(object_name);
        let is_known = |name: &str| self.created.contains(name) || modified.as_deref() == Some(name);
        let outside = self.catalog.read(&effects.words, &is_known)?;
        // A view or macro from outside may call any function.
        let calls_functions = effects.words.iter().any(|word| self.functions.contains(word)) || !outside.is_empty();
        inputs.extend(outside.into_iter().map(|(name, fingerprint)| (format!("table {name}"), fingerprint)));
        if calls_functions {
            inputs.insert("functions".into(), self.functions_version.clone());
        }
        let fits = effects.words.iter().any(|word| self.learners.contains(word));
        let is_watched = fits && step.source.held_out.is_none() && self.value("held_out")?.is_some();
        let held_out = is_watched.then(|| "held_out".to_string());
        for name in effects.variables.iter().chain(&held_out) {
            let version = if self.unknown_variables.contains(name) {
                "not known yet".to_string()
            } else {
                match self.value(name)? {
                    Some((kind, value)) => hash::of([kind.as_str(), value.as_str()]),
                    None => "null".into(),
                }
            };
            inputs.insert(format!("variable {name}"), version);
        }
        for pattern in &effects.patterns {
            if effects.output_file.as_ref() == Some(pattern) {
                continue;
            }
            for text in self.paths(pattern)? {
                if let Some(key) = versions.files.get(&text) {
                    inputs.insert(format!("file {text}"), key.clone());
                } else if let Some(fingerprint) = self.files.fingerprint(self.connection, &text)? {
                    inputs.insert(format!("file {text}"), fingerprint);
                }
            }
        }
        let looks_around = |word: &String| CATALOG.contains(&word.as_str()) || word.starts_with("duckdb_");
        if effects.words.iter().any(looks_around) || effects.is_desc {
            inputs.insert("everything before".into(), versions.everything.clone());
        }
        Ok(inputs)
    }

    /// The texts that a pattern may stand for: the whole chain; of a variable that holds a list, each item.
    fn paths(&mut self, pattern: &Pattern) -> Result<Vec<String>> {
        let mut text = String::new();
        for part in pattern {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Variable(name) => match self.value(name)? {
                    Some((kind, value)) if kind.ends_with("[]") => {
                        let items = value.trim_matches(['[', ']']).split(',');
                        return Ok(items.map(|item| item.trim().trim_matches('\'').to_string()).collect());
                    }
                    Some((_, value)) => text.push_str(&value),
                    None => return Ok(Vec::new()),
                },
            }
        }
        Ok(vec![text])
    }

    fn value(&mut self, name: &str) -> Result<Option<(String, String)>> {
        if !self.values.contains_key(name) {
            self.values.insert(name.to_string(), variables::read(self.connection, name)?);
        }
        Ok(self.values.get(name).cloned().flatten())
    }

    /// The file that a COPY writes, as far as it is known.
    pub fn output_file(&mut self, step: &Step) -> Result<Option<String>> {
        match &step.effects.output_file {
            Some(pattern) => Ok(self.paths(pattern)?.into_iter().next()),
            None => Ok(None),
        }
    }

    fn verdict(&mut self, step: &Step, inputs: &BTreeMap<String, String>, key: &str, is_written_later: bool) -> Result<Verdict> {
        let run = |why: &str| Ok(Verdict::Run(why.to_string()));
        if step.effects.role == Role::Session {
            return run("runs every time");
        }
        if step.effects.words.iter().any(|word| MANIFEST.contains(&word.as_str())) {
            return run("reads the manifest");
        }
        let Some(finished) = self.past.done.get(key).cloned() else {
            return run(&self.what_changed(step, inputs));
        };
        if let Some(target) = &step.effects.target
            && !is_written_later
        {
            if target.change != Change::Drop && !self.catalog.holds(target)? {
                return run(&format!("{} {} is gone", target.kind, object_name(target)));
            }
            if self.past.versions.get(&object_name(target)).map(String::as_str) != Some(key) {
                return run(&format!("{} {} is of another version", target.kind, object_name(target)));
            }
        }
        if let Some(file) = self.output_file(step)? {
            if !Path::new(&file).exists() {
                return run(&format!("file {file} is gone"));
            }
            if !is_written_later && self.past.versions.get(&file_name(&file)).map(String::as_str) != Some(key) {
                return run(&format!("file {file} is of another version"));
            }
        }
        Ok(Verdict::Skip(finished))
    }

    fn what_changed(&self, step: &Step, inputs: &BTreeMap<String, String>) -> String {
        let Some(latest) = self.past.latest.get(&step.name) else { return "not done yet".into() };
        if latest.statement_hash != step.statement_hash {
            return "statement changed".into();
        }
        let changed: Vec<&str> =
            inputs.iter().filter(|(name, version)| latest.inputs.get(*name) != Some(version)).map(|(name, _)| name.as_str()).collect();
        let gone: Vec<&str> = latest.inputs.keys().filter(|name| !inputs.contains_key(*name)).map(String::as_str).collect();
        let list = if changed.is_empty() { gone } else { changed };
        if list.is_empty() { "not done yet".into() } else { format!("{} changed", list.join(", ")) }
    }
}

/// The name under which the version of a written file is kept.
pub fn file_name(path: &str) -> String {
    format!("file {path}")
}
