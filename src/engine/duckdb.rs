//! The embedded DuckDB.

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use duckdb::Connection;
use esccsql_duckdb::{Database, Handover};
use esccsql_functions::shape::Environment;

use crate::progress;

/// How to open a database.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub threads: Option<usize>,
    pub memory_limit: Option<String>,
    pub read_only: bool,
}

/// An open database: a DuckDB connection with all functions, to be used as one.
pub struct Session {
    // Declared first, so that it is dropped before the database that it belongs to.
    connection: Connection,
    handover: Handover,
    database: Database,
}

impl Session {
    /// Where rows of another engine are put for DuckDB to read.
    pub fn handover(&self) -> &Handover {
        &self.handover
    }

    /// DuckDB's settings as functions see them.
    pub fn environment(&self) -> Arc<Environment> {
        self.database.registrar().environment()
    }
}

impl Deref for Session {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

/// Opens a file, or memory for `None`, and registers every function. Extensions are neither installed nor loaded unasked.
pub fn open(database: Option<&Path>, settings: &Settings) -> anyhow::Result<Session> {
    let mut config = vec![("autoinstall_known_extensions", "false".to_string()), ("autoload_known_extensions", "false".to_string())];
    if let Some(threads) = settings.threads {
        config.push(("threads", threads.to_string()));
    }
    if let Some(limit) = &settings.memory_limit {
        config.push(("memory_limit", limit.clone()));
    }
    if settings.read_only {
        config.push(("access_mode", "READ_ONLY".to_string()));
    }
    let opened = Database::open(database, &config)?;
    esccsql_duckdb::install(opened.registrar())?;
    let handover = opened.registrar().handover()?;
    progress::follow(Box::new(Functions));
    // SAFETY: the handle is open and outlives the connection, which `Session` drops first.
    let connection = unsafe { Connection::open_from_raw(opened.raw().cast()) }.context("no connection to the database")?;
    // DuckDB puts chunks of less than 64 rows together and copies their values, once more for each row that shares a model: a network
    // of 109 MB on 50 patients would take 5 GB.
    connection.execute_batch("SET enable_caching_operators = false").context("the setting of small chunks")?;
    Ok(Session { connection, handover, database: opened })
}

/// The progress of the functions' rows.
struct Functions;

impl progress::Source for Functions {
    fn state(&self) -> Option<(u64, u64)> {
        esccsql_functions::shape::progress()
    }

    fn note(&self) -> String {
        esccsql_functions::shape::progress_note()
    }
}
