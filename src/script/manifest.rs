//! The manifest: what was run in a database, when, with what, and what came of it.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Context, Result};
use duckdb::{Connection, params};

/// What was made of what: the latest step that wrote each object or file.
const LINEAGE: &str = "
CREATE OR REPLACE MACRO {schema}.esccsql_lineage() AS TABLE
WITH latest AS (
    SELECT * FROM {schema}.esccsql_steps WHERE status = 'done' AND writes IS NOT NULL QUALIFY row_number() OVER (PARTITION BY writes ORDER BY id DESC) = 1
)
SELECT
    writes AS object,
    list_filter(json_keys(inputs), lambda input: starts_with(input, 'table ')).list_transform(lambda input: input[7:]) AS tables,
    list_filter(json_keys(inputs), lambda input: starts_with(input, 'variable ')).list_transform(lambda input: input[10:]) AS variables,
    list_filter(json_keys(inputs), lambda input: starts_with(input, 'file ')).list_transform(lambda input: input[6:]) AS files,
    name AS step, file AS script, line, rows, seconds, finished, statement
FROM latest
ORDER BY id";

/// The manifest's tables in the database that a run writes.
pub struct Manifest<'c> {
    connection: &'c Connection,
    /// `"study"."main"`: names stay whole when the script says USE.
    schema: String,
    /// Skipped and session steps that wait for the next transaction.
    waiting: Vec<Entry>,
    next_id: i64,
    run: i64,
}

/// One step of a run.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    pub index: usize,
    pub name: String,
    pub file: String,
    pub line: usize,
    pub statement: String,
    pub statement_hash: String,
    /// What the result depends on besides the statement: `table x`, `variable y`, ... and the hash of each.
    pub inputs: BTreeMap<String, String>,
    /// Hash of the statement and its inputs: the version of what the step makes.
    pub key: String,
    /// The object or file that the step writes.
    pub writes: Option<String>,
    pub status: &'static str,
    pub rows: Option<u64>,
    pub seconds: f64,
    pub output: Option<String>,
    pub error: Option<String>,
}

/// What is known of earlier runs.
#[derive(Debug, Default)]
pub struct Past {
    /// Keys of finished steps, with the rows and the output of each.
    pub done: HashMap<String, Finished>,
    /// Inputs and statement hash of the last finished step of a name.
    pub latest: HashMap<String, Latest>,
    /// The key of the step that last wrote an object.
    pub versions: HashMap<String, String>,
    /// Everything that a step of any run has made.
    pub made: HashSet<String>,
}

#[derive(Debug, Clone, Default)]
pub struct Finished {
    pub rows: Option<u64>,
    pub output: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub struct Latest {
    pub statement_hash: String,
    pub inputs: BTreeMap<String, String>,
}

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS {schema}.esccsql_runs (
    run_id BIGINT PRIMARY KEY,
    script VARCHAR,
    started TIMESTAMPTZ,
    finished TIMESTAMPTZ,
    status VARCHAR,
    versions JSON,
    threads BIGINT,
    variables JSON
);
CREATE TABLE IF NOT EXISTS {schema}.esccsql_steps (
    id BIGINT,
    run_id BIGINT,
    step BIGINT,
    name VARCHAR,
    file VARCHAR,
    line BIGINT,
    statement VARCHAR,
    statement_hash VARCHAR,
    inputs JSON,
    inputs_hash VARCHAR,
    writes VARCHAR,
    status VARCHAR,
    rows BIGINT,
    seconds DOUBLE,
    output VARCHAR,
    error VARCHAR,
    finished TIMESTAMPTZ
);";

impl<'c> Manifest<'c> {
    /// The name of the database that `connection` writes to.
    fn schema(connection: &Connection) -> Result<String> {
        let database: String = connection.query_row("SELECT current_database()", [], |row| row.get(0))?;
        Ok(format!("\"{}\".main", database.replace('"', "\"\"")))
    }

    /// Makes the tables where they are not there, and begins a run.
    pub fn begin(connection: &'c Connection, script: &str, versions: &str, variables: &str) -> Result<Self> {
        let schema = Self::schema(connection)?;
        connection.execute_batch(&TABLES.replace("{schema}", &schema)).context("cannot write the manifest into the database")?;
        connection.execute_batch(&LINEAGE.replace("{schema}", &schema)).context("cannot write the manifest into the database")?;
        // Only one process has the database open for writing: a run that still says `running` was killed.
        connection.execute(&format!("UPDATE {schema}.esccsql_runs SET status = 'killed' WHERE status = 'running'"), [])?;
        let next = |table: &str, column: &str| -> Result<i64> {
            let sql = format!("SELECT coalesce(max({column}), 0) + 1 FROM {schema}.{table}");
            Ok(connection.query_row(&sql, [], |row| row.get(0))?)
        };
        let (run, next_id) = (next("esccsql_runs", "run_id")?, next("esccsql_steps", "id")?);
        connection.execute(
            &format!(
                "INSERT INTO {schema}.esccsql_runs
                SELECT ?, ?, now(), NULL, 'running', ?, current_setting('threads'), ?"
            ),
            params![run, script, versions, variables],
        )?;
        Ok(Manifest { connection, schema, waiting: Vec::new(), next_id, run })
    }

    /// Ends the run as `done`, `failed` or `interrupted`.
    pub fn end(&mut self, status: &str) -> Result<()> {
        self.connection.execute_batch("BEGIN")?;
        self.flush()?;
        let sql = format!("UPDATE {}.esccsql_runs SET finished = now(), status = ? WHERE run_id = ?", self.schema);
        self.connection.execute(&sql, params![status, self.run])?;
        self.connection.execute_batch("COMMIT")?;
        Ok(())
    }

    /// Keeps an entry until the next transaction writes it.
    pub fn note(&mut self, entry: Entry) {
        self.waiting.push(entry);
    }

    /// Writes an entry, and those that wait, in the open transaction.
    pub fn write(&mut self, entry: Entry) -> duckdb::Result<()> {
        self.waiting.push(entry);
        self.flush()
    }

    fn flush(&mut self) -> duckdb::Result<()> {
        let sql = format!(
            "INSERT INTO {}.esccsql_steps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, get_current_timestamp())",
            self.schema
        );
        let mut insert = self.connection.prepare(&sql)?;
        for (offset, entry) in self.waiting.iter().enumerate() {
            let inputs = serde_json::to_string(&entry.inputs).unwrap_or_default();
            insert.execute(params![
                self.next_id + offset as i64,
                self.run,
                entry.index as i64 + 1,
                entry.name,
                entry.file,
                entry.line as i64,
                entry.statement,
                entry.statement_hash,
                inputs,
                entry.key,
                entry.writes,
                entry.status,
                entry.rows,
                entry.seconds,
                entry.output,
                entry.error
            ])?;
        }
        self.next_id += self.waiting.len() as i64;
        self.waiting.clear();
        Ok(())
    }
}

/// What earlier runs left in the database; nothing when there was none.
pub fn past(connection: &Connection) -> Result<Past> {
    let mut past = Past::default();
    let schema = Manifest::schema(connection)?;
    let known = "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'esccsql_steps' AND database_name = current_database()";
    if connection.query_row(known, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(past);
    }
    let sql = format!(
        "SELECT name, statement_hash, inputs, inputs_hash, writes, rows, output FROM {schema}.esccsql_steps
        WHERE status = 'done' ORDER BY id"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, statement_hash, key): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(3)?);
        let inputs = serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default();
        if let Some(writes) = row.get::<_, Option<String>>(4)? {
            past.versions.insert(writes.clone(), key.clone());
            past.made.insert(writes);
        }
        past.done.insert(key, Finished { rows: row.get(5)?, output: row.get(6)? });
        past.latest.insert(name, Latest { statement_hash, inputs });
    }
    Ok(past)
}
