//! What an analyst writes and what comes back, on each engine: the files of `tests/slt/portable`.

use std::fmt;

use esccsql::engine::duckdb::Session;
use esccsql::engine::{Engine, Engines};
use sqllogictest::{DB, DBOutput, DefaultColumnType, Runner, parse_file};

use crate::cohort::{Cohort, engines, execute, rows};
use crate::desk;

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
        let word = sql.split_whitespace().next().unwrap_or_default().to_uppercase();
        if !["SELECT", "FROM", "WITH", "VALUES"].contains(&word.as_str()) {
            execute(&self.session, &self.engines, sql).map_err(|error| Failure(format!("{error:#}")))?;
            return Ok(DBOutput::StatementComplete(0));
        }
        let rows = rows(&self.session, &self.engines, sql).map_err(|error| Failure(format!("{error:#}")))?;
        Ok(DBOutput::Rows { types: vec![DefaultColumnType::Any; rows.first().map_or(0, Vec::len)], rows })
    }

    fn engine_name(&self) -> &str {
        match self.engines.default {
            Engine::Duckdb => "duckdb",
            Engine::Datafusion => "datafusion",
            Engine::Ballista => "ballista",
        }
    }
}

/// Runs every file with `engines` and tells everything that is not as written.
pub fn run(cohort: &Cohort, engines: &Engines) {
    let folder = desk::checkout().join("tests/slt/portable");
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 6, "{files:?}");
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
