//! The files of `tests/slt`: what an analyst writes and what comes back, by topic.

use std::fmt;

use esccsql::engine::duckdb::Session;
use sqllogictest::{DB, DBOutput, DefaultColumnType, Runner, parse_file};

use crate::desk;

struct Engine(Session);

/// DuckDB's message, as the program prints it.
#[derive(Debug)]
struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl DB for Engine {
    type Error = Failure;
    type ColumnType = DefaultColumnType;

    fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Failure> {
        let told = |error: duckdb::Error| Failure(error.to_string());
        let sql = sql.trim().trim_end_matches(';');
        let word = sql.split_whitespace().next().unwrap_or_default().to_uppercase();
        if !["SELECT", "FROM", "WITH", "VALUES"].contains(&word.as_str()) {
            self.0.execute_batch(sql).map_err(told)?;
            return Ok(DBOutput::StatementComplete(0));
        }
        let mut statement = self.0.prepare(&format!("SELECT COLUMNS(*)::VARCHAR FROM ({sql})")).map_err(told)?;
        let mut found = statement.query([]).map_err(told)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(told)? {
            let columns = row.as_ref().column_count();
            let text = |column| Ok(row.get::<_, Option<String>>(column)?.unwrap_or("NULL".into()));
            rows.push((0..columns).map(text).collect::<Result<Vec<String>, _>>().map_err(told)?);
        }
        let columns = rows.first().map_or(0, Vec::len);
        Ok(DBOutput::Rows { types: vec![DefaultColumnType::Any; columns], rows })
    }

    fn engine_name(&self) -> &str {
        "duckdb"
    }
}

/// Runs a file, each in a session of its own, and tells everything that is not as written.
fn run(file: &str) {
    let path = crate::checkout().join("tests/slt").join(file);
    let mut runner = Runner::new(|| async { Ok(Engine(desk::session())) });
    let records = parse_file::<DefaultColumnType>(&path).unwrap();
    let problems: Vec<String> = records.into_iter().filter_map(|record| runner.run(record).err()).map(|error| error.to_string()).collect();
    assert!(problems.is_empty(), "{} in {file}\n\n{}", problems.len(), problems.join("\n\n"));
}

macro_rules! files {
    ($($name:ident),+ $(,)?) => {
        $(
            #[test]
            fn $name() {
                run(concat!(stringify!($name), ".slt"));
            }
        )+

        /// A file that no test runs would be forgotten.
        #[test]
        fn every_file_is_run() {
            let folder = crate::checkout().join("tests/slt");
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                if entry.path().is_dir() {
                    continue;
                }
                let name = entry.file_name().into_string().unwrap();
                assert!([$(stringify!($name)),+].contains(&name.trim_end_matches(".slt")), "{name} is not in the list");
            }
        }
    };
}

files!(
    images,
    bad_images,
    radiomics,
    options,
    nulls,
    survival,
    surv_shap,
    bad_survival,
    bad_fits,
    r_values,
    models,
    statistics,
    file_access,
    survival_design,
    competing_risks,
    cross_validation,
    deep,
    harmonisation,
    plots
);
