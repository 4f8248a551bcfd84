//! A cluster: same bits, and what happens when a part of it is lost or of another version.
#![cfg(feature = "cluster")]

use std::net::Ipv4Addr;
#[cfg(feature = "s3")]
use std::process::Command;
use std::thread::{self, sleep};
use std::time::Instant;

use esccsql::engine::cluster::{Executor, execute as run_executor};
use esccsql::engine::{Cluster, Engine, Engines};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

#[cfg(feature = "s3")]
use crate::bucket::Bucket;
use crate::cohort::{Cohort, engines, execute, rows};
use crate::nodes::{Nodes, free_port, until};
use crate::{portable, same_bits};

/// Long enough to be interrupted: 320 scans.
const LONG: &str = "SELECT number, scan_id, radiomics(image(image), mask(mask), {'resampled_pixel_spacing': [1, 1, 1]}) AS x FROM many";
const MANY: &str = "CREATE TABLE many AS SELECT row_number() OVER () AS number, * FROM scans, range(10)";

#[test]
fn a_cluster_gives_the_same_bits() {
    let cohort = Cohort::new();
    let nodes = Nodes::start(2);
    portable::run(&cohort, &nodes.engines());
    same_bits::compare(&same_bits::stages(&cohort, &nodes.engines()), &same_bits::stages(&cohort, &Engines::default()));
    assert_eq!(nodes.shared_files(), [""; 0]);
}

#[test]
fn an_executor_killed_at_any_moment_costs_no_row() {
    let cohort = Cohort::new();
    let session = cohort.session();
    session.execute_batch(MANY).unwrap();
    let sorted = |table: &str| {
        let mut rows = rows(&session, &Engines::default(), &format!("FROM {table}")).unwrap();
        rows.sort();
        rows
    };
    execute(&session, &Engines::default(), &format!("CREATE TABLE expected AS {LONG}")).unwrap();
    let expected = sorted("expected");
    assert_eq!(expected.len(), 320);

    let mut nodes = Nodes::start(2);
    let start = Instant::now();
    execute(&session, &nodes.engines(), &format!("CREATE TABLE found AS {LONG}")).unwrap();
    let undisturbed = start.elapsed();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for round in 0..10 {
        let moment = undisturbed.mul_f64(f64::from(random.next_u32() % 1000) / 1000.0);
        let cluster = nodes.engines();
        let victim = &mut nodes.executors[0];
        let result = thread::scope(|scope| {
            scope.spawn(|| {
                sleep(moment);
                victim.kill().unwrap();
            });
            execute(&session, &cluster, &format!("CREATE OR REPLACE TABLE found AS {LONG}"))
        });
        result.unwrap_or_else(|error| panic!("round {round}, killed after {moment:?} of {undisturbed:?}: {error:#}"));
        assert!(sorted("found") == expected, "round {round}, killed after {moment:?} of {undisturbed:?}: the rows differ");
        nodes.replace_executor();
    }
    assert_eq!(nodes.shared_files(), [""; 0]);
}

#[test]
fn queries_on_images_go_to_the_cluster_unasked() {
    let cohort = Cohort::new();
    let session = cohort.session();
    let mut nodes = Nodes::start(1);
    let engines = Engines { default: Engine::Duckdb, ..nodes.engines() };
    execute(&session, &engines, "CREATE TABLE recipes AS SELECT scan_id, mask(mask) AS outline FROM scans").unwrap();
    assert!(!nodes.has_worked(0), "a recipe reads no voxels");
    let volumes = "SELECT scan_id, mask_volume(outline) AS volume FROM recipes";
    execute(&session, &engines, &format!("CREATE TABLE volumes AS {volumes}")).unwrap();
    assert!(nodes.has_worked(0));
    nodes.scheduler.kill().unwrap();
    nodes.scheduler.wait().unwrap();
    assert!(execute(&session, &engines, &format!("CREATE TABLE again AS {volumes}")).is_err());
    let here = engines.prepare(&session, &format!("CREATE TABLE here AS {volumes}"), Some("duckdb")).unwrap();
    session.execute_batch(&here.sql).unwrap();
    let sorted = |table: &str| rows(&session, &Engines::default(), &format!("FROM {table} ORDER BY scan_id")).unwrap();
    assert_eq!(sorted("volumes"), sorted("here"));
}

/// Tables, models and images through an object store.
#[cfg(feature = "s3")]
#[test]
fn a_bucket_is_as_good_as_a_folder() {
    let cohort = Cohort::new();
    let bucket = Bucket::start();
    let nodes = Nodes::start_within(1, bucket.environment().to_vec());
    let local = cohort.session();
    let paths = rows(&local, &Engines::default(), "SELECT image, mask FROM scans LIMIT 8").unwrap();
    let folder = cohort.path().join("cohort").display().to_string();
    for path in paths.iter().flatten() {
        bucket.put(path.strip_prefix(&format!("{folder}/")).unwrap(), std::fs::read(path).unwrap());
    }
    let images = bucket.keys();
    let select = "SELECT scan_id, mask_volume(mask) AS volume, crossformer_embed(network, image, mask) AS embedding FROM scans, networks";
    let tables = format!(
        "CREATE TABLE scans AS SELECT scan_id, 's3://bucket/' || image AS image, 's3://bucket/' || mask_reader1 AS mask
         FROM read_csv('{folder}/scans.csv') LIMIT 8;
         CREATE TABLE networks AS SELECT crossformer_init({{'variant': 'micro', 'size': 64, 'seed': 1}}) AS network;"
    );
    let script = format!("{tables} CREATE TABLE found AS {select};");
    let done = Command::new(env!("CARGO_BIN_EXE_esccsql"))
        .args(["query", "--cluster", &nodes.url(), "--share", "s3://bucket/share", "--db"])
        .arg(cohort.path().join("found.duckdb"))
        .arg(&script)
        .envs(bucket.environment())
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let attach = format!("ATTACH '{}' AS f (READ_ONLY)", cohort.path().join("found.duckdb").display());
    local.execute_batch(&format!("{attach}; CREATE TABLE networks AS FROM f.networks; CREATE TABLE here AS {select} LIMIT 8")).unwrap();
    let sorted = |table: &str| rows(&local, &Engines::default(), &format!("FROM {table} ORDER BY scan_id")).unwrap();
    assert_eq!(sorted("f.found"), sorted("here"));
    assert_eq!(bucket.keys(), images, "the share is as it was");
    let mut reads = bucket.reads();
    reads.retain(|key| images.contains(key));
    reads.sort();
    assert_eq!(reads, images, "each image is fetched once");
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
        fetched: 0,
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
