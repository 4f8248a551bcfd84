//! Stages of a study on every engine: each bit of every row is the same.

use esccsql::engine::{Engine, Engines};

use crate::cohort::{Cohort, engines, execute, rows};

/// Statements of a study, and how their rows are read.
const STAGES: [(&str, &str); 9] = [
    ("recipes", "SELECT scan_id, image_window(image(image), 50, 350) AS recipe, mask(mask) AS outline FROM scans"),
    ("volumes", "SELECT scan_id, mask_volume(outline) AS volume, image_info(recipe) AS info FROM recipes"),
    (
        "features",
        "SELECT scan_id, radiomics(recipe, outline, {'resampled_pixel_spacing': [2, 2, 2], 'bin_width': 25, 'image_types': ['original']}) AS x
         FROM recipes",
    ),
    ("networks", "SELECT crossformer_init({'variant': 'micro', 'size': 64, 'seed': 1}) AS network"),
    ("copies", "SELECT network, {'network': network} AS inner FROM networks"),
    ("embeddings", "SELECT scan_id, crossformer_embed(network, recipe, outline) AS embedding FROM recipes, networks WHERE scan_id < 'P003'"),
    ("inputs", "SELECT scan_id, crossformer_input(recipe, outline) AS input FROM recipes WHERE scan_id < 'P003'"),
    (
        "models",
        "SELECT cox_fit(months, died, {'age': age, 'dose': dose_gy}) AS cox,
                rsf_fit(months, died, {'age': age, 'dose': dose_gy}, {'trees': 20, 'seed': 1}) AS forest FROM patients",
    ),
    (
        "risks",
        "SELECT patient_id, cox_predict(cox, {'age': age, 'dose': dose_gy}) AS cox, rsf_predict(forest, {'age': age, 'dose': dose_gy}) AS forest
         FROM patients, models",
    ),
];

/// Runs all stages and gives back the rows of each as text, sorted.
pub fn stages(cohort: &Cohort, engines: &Engines) -> Vec<(&'static str, Vec<Vec<String>>)> {
    let session = cohort.session();
    let duckdb = Engines::default();
    let run = |(name, query): &(&'static str, &str)| {
        execute(&session, engines, &format!("CREATE TABLE {name} AS {query}")).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let mut rows = rows(&session, &duckdb, &format!("FROM {name}")).unwrap();
        rows.sort();
        assert!(!rows.is_empty(), "{name}");
        (*name, rows)
    };
    STAGES.iter().map(run).collect()
}

/// Says where two runs differ first.
pub fn compare(found: &[(&str, Vec<Vec<String>>)], expected: &[(&str, Vec<Vec<String>>)]) {
    for ((name, found), (_, expected)) in found.iter().zip(expected) {
        assert_eq!(found.len(), expected.len(), "{name}");
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found, expected, "{name}");
        }
    }
}

#[test]
fn duckdb_and_datafusion() {
    let cohort = Cohort::new();
    let expected = stages(&cohort, &Engines::default());
    compare(&stages(&cohort, &engines(Engine::Datafusion, None)), &expected);
}

#[test]
fn types_pass_and_come_back() {
    let cohort = Cohort::new();
    let session = cohort.session();
    session
        .execute_batch(
            "CREATE SCHEMA s; CREATE TYPE side AS ENUM ('left', 'right');
             CREATE TABLE s.t AS SELECT 1::TINYINT AS a, 2::UBIGINT AS b, 1.25::DECIMAL(9, 3) AS c, 'left'::side AS d, DATE '2020-02-29' AS e,
                    TIMESTAMP '2020-01-01 10:20:30.5' AS f, [1.5, NULL] AS g, {'k': 'v', 'l': [1]} AS h, MAP {'p': 0.1} AS i,
                    'ab'::BLOB AS j, true AS k, NULL::DOUBLE AS l, [1, 2]::FLOAT[2] AS m, image('p').image_zscore() AS n
             UNION ALL SELECT * REPLACE (NULL AS d, NULL AS n) FROM (SELECT NULL AS a, NULL AS b, NULL AS c, 'right'::side AS d, NULL AS e, NULL AS f,
                    NULL AS g, NULL AS h, NULL AS i, NULL AS j, NULL AS k, 1e-300 AS l, NULL AS m, '' AS n)",
        )
        .unwrap();
    let datafusion = engines(Engine::Datafusion, None);
    execute(&session, &datafusion, "CREATE TABLE back AS SELECT * FROM s.t").unwrap();
    let duckdb = Engines::default();
    let there = rows(&session, &duckdb, "FROM s.t").unwrap();
    assert_eq!(rows(&session, &duckdb, "FROM back").unwrap(), there);
    let types = "SELECT typeof(COLUMNS(* EXCLUDE d)) FROM";
    assert_eq!(rows(&session, &duckdb, &format!("{types} back")).unwrap(), rows(&session, &duckdb, &format!("{types} s.t")).unwrap());
}

#[test]
fn a_failure_leaves_the_tables_alone() {
    let cohort = Cohort::new();
    let session = cohort.session();
    let datafusion = engines(Engine::Datafusion, None);
    session.execute_batch("CREATE TABLE kept AS SELECT 1 AS a").unwrap();
    let error =
        execute(&session, &datafusion, "CREATE OR REPLACE TABLE kept AS SELECT mask_volume(patient_id) AS v FROM scans").unwrap_err();
    assert!(format!("{error:#}").contains("mask_volume") && format!("{error:#}").contains("P001"), "{error:#}");
    assert_eq!(rows(&session, &Engines::default(), "FROM kept").unwrap(), [["1"]]);
    let unknown = execute(&session, &datafusion, "CREATE TABLE t AS SELECT a FROM no_such_table").unwrap_err();
    assert!(format!("{unknown:#}").contains("no_such_table"), "{unknown:#}");
    let syntax = execute(&session, &datafusion, "CREATE TABLE t AS SELECT a FROM kept POSITIONAL JOIN kept").unwrap_err();
    assert!(!format!("{syntax:#}").is_empty());
}

#[test]
fn files_stay_closed_when_duckdb_closes_them() {
    let cohort = Cohort::new();
    let session = cohort.session();
    let datafusion = engines(Engine::Datafusion, None);
    let query = "SELECT mask_volume(mask) AS v FROM scans";
    assert_eq!(rows(&session, &datafusion, query).unwrap().len(), 32);
    session.execute_batch("SET enable_external_access = false").unwrap();
    let error = rows(&session, &datafusion, query).unwrap_err();
    assert!(format!("{error:#}").contains("enable_external_access"), "{error:#}");
}
