//! The study itself on every engine, and the guard over its held-out rows.

use std::fs;
use std::path::{Path, PathBuf};

use crate::desk;
use crate::support::{Desk, Said};

/// The study on a miniature.
const SMALL: [&str; 7] =
    ["patients=40", "size=small", "image_types=['original']", "resamples=50", "node_sizes=[5]", "network_epochs=2", "network_size=32"];

/// The tables of the study whose rows are computed from voxels, and those that lie between them.
const IMAGE_STAGES: [&str; 7] = ["volumes", "overlap", "radiomics_of_outlines", "prepared_scans", "networks", "embeddings", "components"];

/// The study's scripts in a folder of the test, each line as `edit` has it.
fn scripts(desk: &Desk, edit: impl Fn(&str) -> String) -> PathBuf {
    fn copy(from: &Path, to: &Path, edit: &dyn Fn(&str) -> String) {
        fs::create_dir_all(to).expect("a folder");
        for entry in from.read_dir().expect("the scripts").flatten() {
            let (from, to) = (entry.path(), to.join(entry.file_name()));
            match from.extension() {
                _ if from.is_dir() => copy(&from, &to, edit),
                Some(kind) if kind == "sql" => {
                    let text = fs::read_to_string(&from).expect("a script");
                    fs::write(to, text.lines().map(|line| edit(line) + "\n").collect::<String>()).expect("a script");
                }
                _ => {}
            }
        }
    }
    copy(&desk::checkout().join("sql"), &desk.path("sql"), &edit);
    desk.path("sql/study.sql")
}

fn run(desk: &Desk, script: &Path, database: &str, more: &[&str]) {
    let cohort = format!("cohort={}", desk.path("cohort").display());
    let mut arguments = vec!["run", script.to_str().expect("a path"), "--db", database, "--set", &cohort];
    arguments.extend(SMALL.iter().flat_map(|setting| ["--set", setting]));
    let said = desk.say(&[&arguments[..], more].concat());
    assert_eq!(said.status, Some(0), "{database}: {said:?}");
}

/// Every table with a hash of its rows.
fn tables(desk: &Desk, database: &str) -> Vec<String> {
    let names = desk.ask(database, "SELECT table_name FROM duckdb_tables() WHERE NOT starts_with(table_name, 'esccsql_') ORDER BY 1");
    let hash = |name: &str| {
        let rows =
            format!("SELECT count(*) || ' ' || coalesce(md5(string_agg(t::VARCHAR, chr(10) ORDER BY t::VARCHAR)), '') FROM {name} AS t");
        format!("{name} {}", desk.ask(database, &rows))
    };
    names.lines().map(hash).collect()
}

fn has_run(said: &Said) {
    assert_eq!(said.status, Some(0), "{said:?}");
}

#[test]
fn its_image_stages_are_the_same_on_datafusion() {
    let desk = Desk::new();
    run(&desk, &scripts(&desk, str::to_string), "duckdb.duckdb", &[]);
    let asked = scripts(&desk, |line| {
        let made = line.strip_prefix("CREATE OR REPLACE TABLE ").and_then(|rest| rest.strip_suffix(" AS"));
        if made.is_some_and(|table| IMAGE_STAGES.contains(&table)) { format!("-- @engine datafusion\n{line}") } else { line.to_string() }
    });
    run(&desk, &asked, "datafusion.duckdb", &[]);
    let expected = tables(&desk, "duckdb.duckdb");
    assert!(expected.len() > 40, "{expected:?}");
    assert_eq!(tables(&desk, "datafusion.duckdb"), expected);
}

#[cfg(feature = "cluster")]
#[test]
fn the_whole_of_it_is_the_same_with_a_cluster() {
    let desk = Desk::new();
    let script = scripts(&desk, str::to_string);
    run(&desk, &script, "duckdb.duckdb", &[]);
    let nodes = crate::nodes::Nodes::start(2);
    run(&desk, &script, "cluster.duckdb", &["--cluster", &nodes.url(), "--share", desk.path(".").to_str().unwrap()]);
    assert!(nodes.has_worked(0) && nodes.has_worked(1));
    assert_eq!(tables(&desk, "cluster.duckdb"), tables(&desk, "duckdb.duckdb"));
}

/// A fit is guarded wherever it is asked to run: what the guard cannot see on another machine runs here.
#[cfg(feature = "cluster")]
#[test]
fn held_out_rows_stay_unseen_on_a_cluster() {
    let desk = Desk::new();
    let script = "
        CREATE OR REPLACE TABLE patients AS
        SELECT i AS patient_id, 1 + (i * 7919 % 97)::DOUBLE AS months, (i * 31 % 5) < 3 AS died, (i * 17 % 23)::DOUBLE AS age FROM range(1, 121) t(i);
        SET VARIABLE held_out = {'patient_id': [4, 8, 12]};
        -- @engine ballista
        CREATE OR REPLACE TABLE m AS SELECT cox_fit(months, died, {'age': age}) AS m FROM patients WHERE patient_id > 12;
        -- @engine ballista
        CREATE OR REPLACE TABLE risks AS SELECT patient_id, cox_predict(m, {'age': age}) AS risk FROM patients, m;";
    let leak = "
        -- @engine ballista
        CREATE OR REPLACE TABLE leak AS SELECT cox_fit(months, died, {'age': age}) AS m FROM patients;";
    desk.write("good.sql", script);
    desk.write("leak.sql", &format!("{script}{leak}"));
    let nodes = crate::nodes::Nodes::start(1);
    let cluster = nodes.url();
    has_run(&desk.say(&["run", "good.sql", "--db", "cluster.duckdb", "--cluster", &cluster]));
    assert!(nodes.has_worked(0), "predictions run there");
    has_run(&desk.say(&["run", "good.sql", "--db", "here.duckdb"]));
    assert_eq!(tables(&desk, "cluster.duckdb"), tables(&desk, "here.duckdb"));
    for more in [&["--cluster", &cluster][..], &["--cluster", &cluster, "--engine", "ballista"]] {
        let said = desk.say(&[&["run", "leak.sql", "--db", "cluster.duckdb"], more].concat());
        assert_eq!(said.status, Some(1), "{said:?}");
        assert!(said.error.contains("step \"leak\" failed") && said.error.contains("sees rows that are held out"), "{said:?}");
    }
}
