//! The files of `tests/slt/portable`, on each engine.

use std::fmt;
use std::path::Path;

use esccsql::engine::duckdb::Session;
use esccsql::engine::{Engine, Engines};
use sqllogictest::{DB, DBOutput, DefaultColumnType, Runner, parse_file};

use crate::cohort::{Cohort, engines, execute, rows};

struct Both {
    session: Session,
    engines: Engines,
}

#[derive(Debug)]
struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl DB for Both {
    type Error = Failure;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Failure> {
        let sql = sql.trim().trim_end_matches(';');
        if !sql.to_uppercase().starts_with("SELECT") {
            execute(&self.session, &self.engines, sql).map_err(|error| Failure(format!("{error:#}")))?;
            return Ok(DBOutput::StatementComplete(0));
        }
        let rows = rows(&self.session, &self.engines, sql).map_err(|error| Failure(format!("{error:#}")))?;
        Ok(DBOutput::Rows { types: vec![DefaultColumnType::Any; rows.first().map_or(0, Vec::len)], rows })
    }

    fn engine_name(&self) -> &str {
        "esccsql"
    }
}

/// Runs every file with `engines` and tells everything that is not as written.
pub fn run(cohort: &Cohort, engines: &Engines) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt/portable");
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 2, "{files:?}");
    let mut problems = Vec::new();
    for file in files {
        let mut runner = Runner::new(|| async { Ok(Both { session: cohort.session(), engines: engines.clone() }) });
        for record in parse_file::<DefaultColumnType>(&file).unwrap() {
            if let Err(error) = runner.run(record) {
                problems.push(format!("{error}"));
            }
        }
    }
    assert!(problems.is_empty(), "{} with {engines:?}\n\n{}", problems.len(), problems.join("\n\n"));
}

#[test]
fn in_this_process() {
    let cohort = Cohort::new();
    for engine in [Engine::Duckdb, Engine::Datafusion] {
        run(&cohort, &engines(engine, None));
    }
}
