//! A cluster: same bits, and what happens when a part of it is lost or of another version.
#![cfg(feature = "cluster")]

use std::net::Ipv4Addr;
use std::thread;

use esccsql::engine::cluster::{Executor, execute as run_executor};
use esccsql::engine::{Cluster, Engine, Engines};

use crate::cohort::{Cohort, engines, execute, rows};
use crate::nodes::{Nodes, free_port, until};
use crate::{portable, same_bits};

/// Long enough to be interrupted: 640 scans.
const LONG: &str = "SELECT number, scan_id, radiomics(image(image), mask(mask), {'resampled_pixel_spacing': [1, 1, 1]}) AS x FROM many";
const MANY: &str = "CREATE TABLE many AS SELECT row_number() OVER () AS number, * FROM scans, range(20)";

#[test]
fn a_cluster_gives_the_same_bits() {
    let cohort = Cohort::new();
    let nodes = Nodes::start(2);
    portable::run(&cohort, &nodes.engines());
    same_bits::compare(&same_bits::stages(&cohort, &nodes.engines()), &same_bits::stages(&cohort, &Engines::default()));
    assert_eq!(nodes.shared_files(), [""; 0]);
}

#[test]
fn a_killed_executor_costs_no_row() {
    let cohort = Cohort::new();
    let session = cohort.session();
    session.execute_batch(MANY).unwrap();
    let mut nodes = Nodes::start(2);
    let cluster = nodes.engines();
    let found = thread::scope(|scope| {
        let killed = scope.spawn(|| {
            until("both executors work", || nodes.has_worked(0) && nodes.has_worked(1));
            nodes.executors[0].kill().unwrap();
        });
        let found = execute(&session, &cluster, &format!("CREATE TABLE found AS {LONG}"));
        assert!(killed.is_finished(), "the statement is too short for this test");
        found
    });
    found.unwrap_or_else(|error| panic!("{error:#}"));
    let all = |table: &str| {
        let mut rows = rows(&session, &Engines::default(), &format!("FROM {table}")).unwrap();
        rows.sort();
        rows
    };
    execute(&session, &Engines::default(), &format!("CREATE TABLE expected AS {LONG}")).unwrap();
    assert!(all("found") == all("expected"), "the rows differ");
    assert_eq!(all("found").len(), 640);
}

#[test]
fn a_lost_scheduler_is_told_and_changes_nothing() {
    let cohort = Cohort::new();
    let session = cohort.session();
    session.execute_batch(MANY).unwrap();
    session.execute_batch("CREATE TABLE kept AS SELECT 1 AS a").unwrap();
    let mut nodes = Nodes::start(1);
    let cluster = nodes.engines();
    let result = thread::scope(|scope| {
        scope.spawn(|| {
            until("the executor works", || nodes.has_worked(0));
            nodes.scheduler.kill().unwrap();
        });
        execute(&session, &cluster, &format!("CREATE OR REPLACE TABLE kept AS {LONG}"))
    });
    let error = format!("{:#}", result.unwrap_err());
    assert!(error.contains(&nodes.url()) && error.contains("was lost") && error.contains("the database is as it was"), "{error}");
    assert_eq!(rows(&session, &Engines::default(), "FROM kept").unwrap(), [["1"]]);
    assert_eq!(nodes.shared_files(), [""; 0]);

    nodes.scheduler.wait().unwrap();
    let gone = format!("{:#}", execute(&session, &cluster, "CREATE TABLE t AS SELECT 1 AS a").unwrap_err());
    assert!(gone.contains("no scheduler answers") && gone.contains("esccsql cluster scheduler"), "{gone}");
}

#[test]
fn another_version_is_refused_by_name() {
    let nodes = Nodes::start(0);
    let work = tempfile::tempdir().unwrap();
    let port = free_port();
    let error = run_executor(&Executor {
        scheduler: nodes.url(),
        bind: Ipv4Addr::LOCALHOST.into(),
        host: "localhost".into(),
        port,
        control_port: free_port(),
        cores: 1,
        work: work.path().into(),
        allowed: Vec::new(),
        version: "0.0.1".into(),
    });
    let error = format!("{:#}", error.unwrap_err());
    let expected = format!("executor localhost:{port} is esccsql 0.0.1, this scheduler is esccsql {}", env!("CARGO_PKG_VERSION"));
    assert!(error.contains(&expected), "{error}");
}

#[test]
fn a_functions_failure_comes_back_as_its_own_words() {
    let cohort = Cohort::new();
    let session = cohort.session();
    let nodes = Nodes::start(1);
    let statement = "CREATE TABLE t AS SELECT mask_volume(patient_id) AS v FROM scans";
    let there = format!("{:#}", execute(&session, &nodes.engines(), statement).unwrap_err());
    let here = format!("{:#}", execute(&session, &engines(Engine::Datafusion, None), statement).unwrap_err());
    assert!(there.contains(&here), "{there}\n{here}");
}

#[test]
fn a_cluster_must_be_named_rightly() {
    let cohort = Cohort::new();
    let wrong = Cluster { url: "localhost:50050".into(), share: None, parts: 4 };
    let error = execute(&cohort.session(), &engines(Engine::Ballista, Some(wrong)), "CREATE TABLE t AS SELECT 1 AS a").unwrap_err();
    assert!(error.to_string().contains("df://host:port"), "{error}");
}
