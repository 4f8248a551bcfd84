//! The stage of a rehearsal: a database in memory with the real one's names, and without the held-out rows.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use duckdb::Connection;
use esccsql_functions::shape::guard;

use super::super::decide::Judge;
use super::super::effects::{Change, Target};
use super::super::step::{Step, object_name};
use super::super::token::{Kind, tokens};
use super::{Rehearsal, Script, fits, near};

const STAGE: &str = "esccsql_rehearsal";

pub struct Stage<'c> {
    connection: &'c Connection,
    /// The real database.
    home: String,
    /// Tables that name no patients and were made again here, with the version of each.
    remade: BTreeMap<String, String>,
    /// Tables and views of the real database as of the last rehearsal, by the name that a script uses.
    objects: BTreeMap<String, Object>,
}

#[derive(Debug, Clone)]
struct Object {
    /// Quoted, with its schema: `"main"."patients"`.
    path: String,
    kind: ObjectKind,
}

#[derive(Debug, Clone)]
enum ObjectKind {
    /// With those of its columns that name held-out rows.
    Table(Vec<String>),
    /// With its definition.
    View(String),
}

/// Tables with their columns that name held-out rows, then views in the order in which they were made.
const OBJECTS: &str = "
SELECT schema_name, table_name, NULL AS definition,
    coalesce((SELECT string_agg(c.column_name, chr(31)) FROM duckdb_columns() AS c
        WHERE c.table_oid = t.table_oid AND c.database_oid = t.database_oid
            AND list_contains(string_split(lower($2), chr(31)), lower(c.column_name))), '') AS keys
FROM duckdb_tables() AS t
WHERE database_name = $1 AND NOT internal AND table_name NOT IN ('esccsql_runs', 'esccsql_steps')
UNION ALL
FROM (SELECT schema_name, view_name, sql, '' FROM duckdb_views() WHERE database_name = $1 AND NOT internal ORDER BY view_oid)";

/// Tables and views that the stage cannot stand in for, and whether they are temporary.
const ELSEWHERE: &str = "
SELECT lower(table_name), database_name = 'temp' FROM duckdb_tables() WHERE database_name NOT IN ($1, $2, 'system')
UNION ALL
SELECT lower(view_name), database_name = 'temp' FROM duckdb_views() WHERE database_name NOT IN ($1, $2, 'system') AND NOT internal";

impl<'c> Stage<'c> {
    pub fn new(connection: &'c Connection) -> Result<Self> {
        let home = connection.query_row("SELECT current_database()", [], |row| row.get(0))?;
        connection.execute_batch(&format!("ATTACH IF NOT EXISTS ':memory:' AS {STAGE}"))?;
        Ok(Stage { connection, home, remade: BTreeMap::new(), objects: BTreeMap::new() })
    }

    /// Runs a statement here, and lets the guard remember what is fitted.
    ///
    /// # Errors
    /// What the guard cannot look through. That the statement itself fails here is a result.
    pub fn rehearse(&mut self, script: Script, keys: &[String], judge: &mut Judge) -> Result<Rehearsal> {
        let step = &script.steps[script.at];
        if step.effects.output_file.is_some() {
            bail!("a fit within COPY cannot be rehearsed without the held-out rows; make a table of it first, then copy that");
        }
        self.set(script, keys)?;
        let names = self.names_behind(step);
        self.refuse_other_databases(step, &names)?;
        let _path = self.enter()?;
        for maker in self.makers(script, &names, judge) {
            self.refuse_files(script, maker, keys, judge)?;
        }
        self.refuse_files(script, script.at, keys, judge)?;
        let played = self.make_again(script, &names, judge).and_then(|()| {
            self.make_room(step)?;
            let _watch = guard::remember();
            Ok(self.connection.execute_batch(&step.statement)?)
        });
        Ok(match played {
            Ok(()) => Rehearsal::Done,
            Err(error) => Rehearsal::Failed(format!("{error:#}")),
        })
    }

    /// The stage's names come first until the result is dropped.
    fn enter(&self) -> Result<Path<'c>> {
        let path: String = self.connection.query_row("SELECT current_setting('search_path')", [], |row| row.get(0))?;
        let home = if path.is_empty() { format!("{}.main", quoted(&self.home)) } else { path.clone() };
        self.connection.execute_batch(&format!("SET search_path = '{}'", format!("{STAGE}.main,{home}").replace('\'', "''")))?;
        Ok(Path { connection: self.connection, path })
    }

    /// Gives every table and view of the real database its stand-in. What was made again, and is of the same version, stays.
    fn set(&mut self, script: Script, keys: &[String]) -> Result<()> {
        self.remade.retain(|name, version| script.versions.of(name) == Some(version));
        self.clear()?;
        self.objects = self.read(keys)?;
        let schemas: BTreeSet<&str> = self.objects.values().filter_map(|object| object.path.split_once("\".")).map(|(s, _)| s).collect();
        for schema in schemas {
            self.connection.execute_batch(&format!("CREATE SCHEMA IF NOT EXISTS {STAGE}.{schema}\""))?;
        }
        for (name, object) in &self.objects {
            if let (ObjectKind::Table(keys), false) = (&object.kind, self.remade.contains_key(name)) {
                let filter: String = keys.iter().enumerate().map(|(at, key)| without(at, key)).collect();
                self.connection.execute_batch(&format!(
                    "CREATE OR REPLACE VIEW {STAGE}.{path} AS SELECT t.* FROM {home}.{path} AS t{filter}",
                    path = object.path,
                    home = quoted(&self.home),
                ))?;
            }
        }
        let _path = self.enter()?;
        for object in self.objects.values() {
            let ObjectKind::View(definition) = &object.kind else { continue };
            let body = definition.trim_start_matches("CREATE VIEW ");
            if self.connection.execute_batch(&format!("CREATE OR REPLACE VIEW {body}")).is_err() {
                // A view that no longer works; whoever reads it is told.
                let told = object.path.replace('\'', "''");
                self.connection.execute_batch(&format!(
                    "CREATE OR REPLACE VIEW {STAGE}.{} AS SELECT error('the view {told} cannot be read') AS broken",
                    object.path
                ))?;
            }
        }
        Ok(())
    }

    fn clear(&self) -> Result<()> {
        let sql = "SELECT schema_name, view_name, 'VIEW' FROM duckdb_views() WHERE database_name = ?1 AND NOT internal
            UNION ALL SELECT schema_name, table_name, 'TABLE' FROM duckdb_tables() WHERE database_name = ?1";
        let found: Vec<(String, String, String)> = {
            let mut statement = self.connection.prepare(sql)?;
            let rows = statement.query_map([STAGE], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.collect::<duckdb::Result<_>>()?
        };
        for (schema, name, kind) in found {
            if kind == "VIEW" || !self.remade.contains_key(&script_name(&schema, &name)) {
                self.connection.execute_batch(&format!("DROP {kind} {STAGE}.{}.{}", quoted(&schema), quoted(&name)))?;
            }
        }
        Ok(())
    }

    fn read(&self, keys: &[String]) -> Result<BTreeMap<String, Object>> {
        let mut statement = self.connection.prepare(OBJECTS)?;
        let mut rows = statement.query(duckdb::params![self.home, keys.join("\u{1f}")])?;
        let mut objects = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (schema, name): (String, String) = (row.get(0)?, row.get(1)?);
            let keys: String = row.get(3)?;
            let kind = match row.get::<_, Option<String>>(2)? {
                Some(definition) => ObjectKind::View(definition),
                None => ObjectKind::Table(keys.split('\u{1f}').filter(|key| !key.is_empty()).map(String::from).collect()),
            };
            let path = format!("{}.{}", quoted(&schema), quoted(&name));
            objects.insert(script_name(&schema, &name), Object { path, kind });
        }
        Ok(objects)
    }

    /// Every name that a statement may read: its own words, and those of the views and macros that they name.
    fn names_behind(&self, step: &Step) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut open: Vec<String> = step.effects.words.iter().cloned().collect();
        if let Some(target) = step.effects.target.as_ref().filter(|target| target.change == Change::Modify) {
            open.push(target.name().to_string());
        }
        while let Some(word) = open.pop() {
            if !names.insert(word.clone()) {
                continue;
            }
            let definitions = self.named(&word).filter_map(|(_, object)| match &object.kind {
                ObjectKind::View(definition) => Some(definition.clone()),
                ObjectKind::Table(_) => None,
            });
            for definition in definitions.chain(self.macro_named(&word)) {
                open.extend(tokens(&definition, 0).filter_map(|token| token.word().map(String::from)));
            }
        }
        names
    }

    fn macro_named(&self, word: &str) -> Option<String> {
        let sql = "SELECT string_agg(macro_definition, ' ') FROM duckdb_functions() WHERE lower(function_name) = ? AND NOT internal";
        self.connection.query_row(sql, [word], |row| row.get::<_, Option<String>>(0)).ok().flatten()
    }

    fn named<'s>(&'s self, word: &'s str) -> impl Iterator<Item = (&'s String, &'s Object)> {
        self.objects.iter().filter(move |(name, _)| name.rsplit('.').next() == Some(word))
    }

    /// The stage stands in for one database.
    fn refuse_other_databases(&self, step: &Step, names: &BTreeSet<String>) -> Result<()> {
        let words: Vec<_> = tokens(&step.statement, 0).filter(|token| token.kind != Kind::Comment).collect();
        let home = self.home.to_lowercase();
        if words.windows(2).any(|pair| pair[0].word() == Some(&home) && pair[1].is_symbol('.')) {
            bail!("{home}. before a name keeps the guard from taking held-out rows out; write the names without the database");
        }
        let mut statement = self.connection.prepare(ELSEWHERE)?;
        let mut rows = statement.query([self.home.as_str(), STAGE])?;
        while let Some(row) = rows.next()? {
            let (name, is_temporary): (String, bool) = (row.get(0)?, row.get(1)?);
            if names.contains(&name) && is_temporary {
                bail!("{name} is temporary, so the guard cannot take held-out rows out of it; make it a table without TEMP");
            }
            if names.contains(&name) && self.named(&name).next().is_none() {
                bail!(
                    "{name} lies in another database, where the guard cannot take held-out rows out; copy it into a table of this one first"
                );
            }
        }
        Ok(())
    }

    /// Rows that come straight from a file stay what they are.
    fn refuse_files(&self, script: Script, at: usize, keys: &[String], judge: &mut Judge) -> Result<()> {
        let decision = judge.decide(&script.steps[at], script.versions, false)?;
        for file in decision.inputs.keys().filter_map(|input| input.strip_prefix("file ")) {
            let sql = format!("DESCRIBE SELECT * FROM '{}'", file.replace('\'', "''"));
            // What cannot be described is no table, such as a folder of images.
            let Ok(mut statement) = self.connection.prepare(&sql) else { continue };
            let Ok(columns) = statement.query_map([], |row| row.get::<_, String>(0)) else { continue };
            for column in columns.filter_map(|column| column.ok()) {
                if keys.iter().any(|key| key.eq_ignore_ascii_case(&column)) {
                    bail!(
                        "step {:?} reads {file}, whose {column} may be held out; make a table of the file in a step of its own and read that",
                        script.steps[at].name
                    );
                }
            }
        }
        Ok(())
    }

    /// The steps that made a table without keys, unless a fit made it: those are compared when they run.
    fn makers_of(&self, name: &str, script: Script, judge: &Judge) -> Vec<usize> {
        let has_keys = |object: &Object| matches!(&object.kind, ObjectKind::Table(keys) if !keys.is_empty());
        let is_table = self.objects.get(name).is_some_and(|object| matches!(object.kind, ObjectKind::Table(_)) && !has_keys(object));
        let writes = |step: &Step| step.effects.target.as_ref().is_some_and(|target| object_name(target) == name);
        let created = |step: &Step| step.effects.target.as_ref().is_some_and(|target| target.change == Change::Create);
        let Some(first) = (0..script.at).rev().find(|&at| writes(&script.steps[at]) && created(&script.steps[at])) else {
            return Vec::new();
        };
        let makers: Vec<usize> = (first..script.at).filter(|&at| writes(&script.steps[at])).collect();
        let is_as_it_is = |&at: &usize| fits(&script.steps[at], judge) || script.steps[at].source.held_out.is_some();
        if !is_table || makers.iter().any(is_as_it_is) { Vec::new() } else { makers }
    }

    /// All steps that [`Stage::make_again`] will run.
    fn makers(&self, script: Script, names: &BTreeSet<String>, judge: &Judge) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut open: Vec<String> = names.iter().cloned().collect();
        while let Some(word) = open.pop() {
            for (name, _) in self.named(&word).filter(|(name, _)| !self.remade.contains_key(*name)) {
                for maker in self.makers_of(name, script, judge) {
                    if found.insert(maker) {
                        open.extend(self.names_behind(&script.steps[maker]));
                    }
                }
            }
        }
        found
    }

    /// Makes the tables without keys that the names stand for, and before them those that they were made from.
    fn make_again(&mut self, script: Script, names: &BTreeSet<String>, judge: &Judge) -> Result<()> {
        let tables: Vec<String> =
            names.iter().flat_map(|word| self.named(word).map(|(name, _)| name.clone()).collect::<Vec<_>>()).collect();
        for name in tables {
            let makers = self.makers_of(&name, script, judge);
            let Some(version) = script.versions.of(&name).cloned().filter(|_| !makers.is_empty() && !self.remade.contains_key(&name))
            else {
                continue;
            };
            // Before its makers: a table may be made from itself.
            self.remade.insert(name.clone(), version);
            for &maker in &makers {
                let before = Script { at: maker, ..script };
                self.make_again(before, &self.names_behind(&script.steps[maker]), judge)?;
            }
            let path = self.objects[&name].path.clone();
            self.connection.execute_batch(&format!("DROP VIEW IF EXISTS {STAGE}.{path}"))?;
            for maker in makers {
                self.connection.execute_batch(&script.steps[maker].statement)?;
            }
        }
        Ok(())
    }

    /// The place for what the step itself makes or adds to.
    fn make_room(&mut self, step: &Step) -> Result<()> {
        let Some(target) = &step.effects.target else { return Ok(()) };
        let Some(object) = self.objects.get(&object_name(target)) else { return Ok(()) };
        let path = format!("{STAGE}.{}", object.path);
        let kind = if self.remade.contains_key(&object_name(target)) { "TABLE" } else { "VIEW" };
        let is_added_to = target.change == Change::Modify && matches!(object.kind, ObjectKind::Table(_));
        let (keep, put_back) = if is_added_to {
            (
                format!("CREATE TEMP TABLE esccsql_room AS FROM {path};"),
                format!("CREATE TABLE {path} AS FROM temp.esccsql_room; DROP TABLE temp.esccsql_room"),
            )
        } else {
            (String::new(), String::new())
        };
        self.connection.execute_batch(&format!("{keep} DROP {kind} {path}; {put_back}"))?;
        self.remade.remove(&object_name(target));
        Ok(())
    }

    /// Holds a table without keys to the one of the rehearsal.
    pub fn compare(&self, step: &Step, keys: &[String]) -> Result<()> {
        let Some(path) = step.effects.target.as_ref().filter(|target| target.kind == "table").map(path) else { return Ok(()) };
        let (real, played) = (format!("{}.{path}", quoted(&self.home)), format!("{STAGE}.{path}"));
        let is_key = |column: &String| keys.iter().any(|key| key.eq_ignore_ascii_case(column));
        if self.columns(&real)?.iter().any(is_key) {
            return Ok(());
        }
        let (found, played) = (self.content(&real)?, self.content(&played)?);
        if found.len() != played.len() || !found.iter().zip(&played).all(|(a, b)| near::is_same(a, b)) {
            bail!(
                "{} holds models, and what becomes other without the held-out rows; \
                 make the fit and what follows from it two steps, so that later fits cannot read the one with the other",
                step.name
            );
        }
        Ok(())
    }

    /// Every row as text, in an order that rounding leaves alone.
    fn content(&self, table: &str) -> Result<Vec<String>> {
        let sql = format!("SELECT concat_ws(chr(31), {}) FROM {table}", self.texts(table)?.join(", "));
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<duckdb::Result<_>>()?;
        rows.sort_by_cached_key(|row| near::rounded(row));
        Ok(rows)
    }

    /// Each column as text; of binary ones their hash.
    fn texts(&self, table: &str) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare(&format!("DESCRIBE {table}"))?;
        let columns = statement.query_map([], |row| Ok((quoted(&row.get::<_, String>(0)?), row.get::<_, String>(1)?)))?;
        let text = |(name, kind): (String, String)| match kind.as_str() {
            "BLOB" | "MODEL" => format!("coalesce(md5({name}::BLOB), 'NULL')"),
            _ => format!("coalesce({name}::VARCHAR, 'NULL')"),
        };
        Ok(columns.map(|column| column.map(text)).collect::<duckdb::Result<_>>()?)
    }

    fn columns(&self, table: &str) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare(&format!("DESCRIBE {table}"))?;
        Ok(statement.query_map([], |row| row.get(0))?.collect::<duckdb::Result<_>>()?)
    }
}

/// Restores the search path when it is dropped.
struct Path<'c> {
    connection: &'c Connection,
    path: String,
}

impl Drop for Path<'_> {
    fn drop(&mut self) {
        // The connection is there, and the path was its own.
        let _ = self.connection.execute_batch(&format!("SET search_path = '{}'", self.path.replace('\'', "''")));
    }
}

/// Leaves out rows by one column.
fn without(at: usize, key: &str) -> String {
    let key = quoted(key);
    format!(" ANTI JOIN (SELECT unnest(getvariable('held_out').{key})::VARCHAR AS held) AS held_{at} ON t.{key}::VARCHAR = held_{at}.held")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// As a script writes it.
fn script_name(schema: &str, name: &str) -> String {
    if schema == "main" { name.to_lowercase() } else { format!("{schema}.{name}").to_lowercase() }
}

fn path(target: &Target) -> String {
    let parts: Vec<String> = target.path.iter().map(|part| quoted(part)).collect();
    if parts.len() == 1 { format!("\"main\".{}", parts[0]) } else { parts.join(".") }
}
