//! A small synthetic cohort in a database of its own.

use std::path::Path;
use std::process::Command;

use esccsql::engine::duckdb::{Session, Settings, open};
use esccsql::engine::{Cluster, Engine, Engines};
use tempfile::TempDir;

/// A cohort of 16 patients on disk.
pub struct Cohort {
    pub folder: TempDir,
}

impl Cohort {
    pub fn new() -> Cohort {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let out = folder.path().join("cohort");
        let done = Command::new(env!("CARGO_BIN_EXE_esccsql"))
            .args(["synth", "--patients", "16", "--size", "small", "--out"])
            .arg(&out)
            .output()
            .expect("the program runs");
        assert!(done.status.success(), "{done:?}");
        Cohort { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A session in memory that knows the cohort's scans and patients.
    pub fn session(&self) -> Session {
        let session = open(None, &Settings::default()).expect("a session");
        session.execute_batch(&self.tables()).expect("the cohort's tables");
        session
    }

    /// The statements that make the tables `scans` and `patients`.
    pub fn tables(&self) -> String {
        let cohort = self.path().join("cohort");
        let cohort = cohort.display();
        format!(
            "CREATE TABLE scans AS SELECT scan_id, patient_id, timepoint, '{cohort}/' || image AS image, '{cohort}/' || mask_reader1 AS mask
             FROM read_csv('{cohort}/scans.csv');
             CREATE TABLE patients AS SELECT *, row_number() OVER () AS number FROM read_csv('{cohort}/clinical.csv');"
        )
    }
}

/// All of a run's queries on one engine.
pub fn engines(engine: Engine, cluster: Option<Cluster>) -> Engines {
    Engines { default: engine, cluster }
}

/// Runs a statement as the program does.
pub fn execute(session: &Session, engines: &Engines, statement: &str) -> anyhow::Result<()> {
    let prepared = engines.prepare(session, statement, None)?;
    Ok(session.execute_batch(&prepared.sql)?)
}

/// The rows of a query as text that tells every bit, in the order that they come.
pub fn rows(session: &Session, engines: &Engines, query: &str) -> anyhow::Result<Vec<Vec<String>>> {
    let prepared = engines.prepare(session, query, None)?;
    let mut statement = session.prepare(&format!("SELECT COLUMNS(*)::VARCHAR FROM ({})", prepared.sql))?;
    let mut found = statement.query([])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let columns = row.as_ref().column_count();
        rows.push(
            (0..columns).map(|column| Ok(row.get::<_, Option<String>>(column)?.unwrap_or("NULL".into()))).collect::<anyhow::Result<_>>()?,
        );
    }
    Ok(rows)
}
