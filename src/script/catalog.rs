//! What the database holds apart from what the script makes: names, and a fingerprint of each object that a step reads.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use duckdb::{Connection, Result};

use super::effects::Target;
use super::hash;
use super::token::{Token, tokens};

/// An object that no step of the script made.
#[derive(Debug, Clone)]
struct Object {
    /// As a script writes it: without the database and schema that are there by default.
    name: String,
    /// Quoted and whole: `"db"."schema"."name"`.
    full: String,
    kind: Kind,
    /// Its definition.
    sql: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Table,
    View,
    Macro,
}

/// Reads the catalog; fingerprints of tables are taken once and kept until the script writes the table.
pub struct Catalog<'c> {
    connection: &'c Connection,
    objects: Option<BTreeMap<String, Vec<Object>>>,
    fingerprints: HashMap<String, String>,
}

/// Kind, plain name, name as a script writes it, whole name, and definition.
const OBJECTS: &str = "
WITH objects AS (
    SELECT 'table' AS kind, database_name, schema_name, table_name AS name, coalesce(sql, '') AS definition
    FROM duckdb_tables() WHERE NOT internal AND table_name NOT IN ('esccsql_runs', 'esccsql_steps')
    UNION ALL
    SELECT 'view', database_name, schema_name, view_name, coalesce(sql, '') FROM duckdb_views() WHERE NOT internal
    UNION ALL
    SELECT 'macro', database_name, schema_name, function_name, concat_ws(' ', array_to_string(parameters, ','), macro_definition)
    FROM duckdb_functions() WHERE macro_definition IS NOT NULL AND NOT internal
)
SELECT kind, lower(name),
    lower(concat_ws('.',
        CASE WHEN database_name NOT IN (current_database(), 'temp') THEN database_name END,
        CASE WHEN schema_name <> 'main' THEN schema_name END,
        name)),
    format('\"{}\".\"{}\".\"{}\"', database_name, schema_name, name),
    definition
FROM objects WHERE database_name <> 'esccsql_rehearsal' ORDER BY ALL";

impl<'c> Catalog<'c> {
    pub fn new(connection: &'c Connection) -> Self {
        Catalog { connection, objects: None, fingerprints: HashMap::new() }
    }

    /// The catalog has changed: a statement was run.
    pub fn forget(&mut self) {
        self.objects = None;
    }

    /// Fingerprints of those tables, views and macros named in `words` that are not `known` as the script's own.
    pub fn read(&mut self, words: &BTreeSet<String>, is_known: &dyn Fn(&str) -> bool) -> Result<BTreeMap<String, String>> {
        let mut found = BTreeMap::new();
        let mut open: Vec<String> = words.iter().cloned().collect();
        while let Some(word) = open.pop() {
            if found.contains_key(&word) {
                continue;
            }
            let mut objects = self.objects()?.get(&word).cloned().unwrap_or_default();
            objects.retain(|object| !is_known(&object.name));
            if objects.is_empty() {
                continue;
            }
            let mut parts = Vec::new();
            for object in &objects {
                parts.push(self.fingerprint(object)?);
                if object.kind != Kind::Table {
                    open.extend(tokens(&object.sql, 0).filter_map(|token: Token| token.word().map(String::from)));
                }
            }
            found.insert(word, hash::of(parts.iter().map(String::as_str)));
        }
        Ok(found)
    }

    fn fingerprint(&mut self, object: &Object) -> Result<String> {
        if object.kind != Kind::Table {
            return Ok(hash::of([object.full.as_str(), object.sql.as_str()]));
        }
        if let Some(known) = self.fingerprints.get(&object.full) {
            return Ok(known.clone());
        }
        let content: String = self.connection.query_row(
            &format!("SELECT concat_ws(' ', count(*), bit_xor(hash(t)), sum(hash(t)::HUGEINT)) FROM {} AS t", object.full),
            [],
            |row| row.get(0),
        )?;
        let fingerprint = hash::of([object.full.as_str(), object.sql.as_str(), content.as_str()]);
        self.fingerprints.insert(object.full.clone(), fingerprint.clone());
        Ok(fingerprint)
    }

    fn objects(&mut self) -> Result<&BTreeMap<String, Vec<Object>>> {
        if self.objects.is_none() {
            let mut objects: BTreeMap<String, Vec<Object>> = BTreeMap::new();
            let mut statement = self.connection.prepare(OBJECTS)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let kind = match row.get::<_, String>(0)?.as_str() {
                    "table" => Kind::Table,
                    "view" => Kind::View,
                    _ => Kind::Macro,
                };
                objects.entry(row.get(1)?).or_default().push(Object { name: row.get(2)?, full: row.get(3)?, kind, sql: row.get(4)? });
            }
            self.objects = Some(objects);
        }
        Ok(self.objects.get_or_insert_default())
    }

    /// Is the object of a finished step still there?
    pub fn holds(&self, target: &Target) -> Result<bool> {
        let (source, column) = match target.kind {
            "table" => ("duckdb_tables()", "table_name"),
            "view" => ("duckdb_views()", "view_name"),
            "macro" => ("duckdb_functions()", "function_name"),
            "type" => ("duckdb_types()", "type_name"),
            "sequence" => ("duckdb_sequences()", "sequence_name"),
            "schema" => ("duckdb_schemas()", "schema_name"),
            _ => ("duckdb_indexes()", "index_name"),
        };
        // A temporary object of the name, or one in another schema, is not the one that the step made.
        let schema = target.path.len().checked_sub(2).map(|at| target.path[at].clone());
        let is_in_schema = if schema.is_some() && target.kind != "schema" {
            "(lower(schema_name) = ?2 OR lower(database_name) = ?2)"
        } else {
            "?2::VARCHAR IS NULL OR true"
        };
        let sql = format!(
            "SELECT count(*) FROM {source} WHERE lower({column}) = ?1 AND database_name <> 'esccsql_rehearsal' AND ({is_in_schema})"
        );
        self.connection.query_row(&sql, duckdb::params![target.name(), schema], |row| Ok(row.get::<_, i64>(0)? > 0))
    }
}
