//! Every SQL function on the example tables: its documented example runs, and bad input is told what to do.

use std::path::Path;
use std::sync::Once;

use duckdb::types::Value;
use esccsql::engine::duckdb::{Session, Settings, open};
use esccsql_imaging::{Geometry, Volume, Voxels, write_volume};
use ndarray::Array3;

/// 140 patients with tied times, censoring and both cohorts, and two readers' values of three features.
const TABLES: &str = "
CREATE TABLE patients AS
SELECT printf('P%03d', i) AS patient_id,
       CASE WHEN i % 4 = 0 THEN 'test' ELSE 'training' END AS cohort,
       CASE WHEN i % 2 = 0 THEN 'north' ELSE 'south' END AS site,
       40 + (i * 7919) % 41 AS age,
       2 + (i * 31) % 3 AS stage,
       CASE WHEN (i * 13) % 5 < 3 THEN 'male' ELSE 'female' END AS sex,
       round(1 + ((i * 6151) % 997) / 997.0 * 80 * (1.2 - ((i * 31) % 3) * 0.3), 1)::DOUBLE AS months,
       (i * 17) % 7 < 4 AS died,
       5 + ((i * 4241) % 499) / 10.0 AS volume,
       sin(i * 12.9898)::DOUBLE AS marker,
       ((i * 31) % 3) * 0.8 + cos(i * 78.233) AS risk
FROM range(140) t(i);
CREATE TABLE readings AS
SELECT 'S' || (i % 30) AS scan_id, CASE WHEN i % 2 = 0 THEN 'north' ELSE 'south' END AS site, i // 30 % 2 AS reader, 'f' || (i // 60) AS feature,
       (i % 30) * 1.5 + sin(i * 3.7) * (1 + i // 60) AS value
FROM range(180) t(i);";

/// A small scan, two readers' masks of it, in a folder that becomes the working directory.
fn images() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let folder = std::env::temp_dir().join(format!("esccsql-examples-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::env::set_current_dir(&folder).unwrap();
        let geometry = Geometry { spacing: [0.8, 0.8, 3.0], ..Geometry::identity([24, 22, 10]) };
        let scan = Array3::from_shape_fn(geometry.shape(), |(z, y, x)| ((x * 37 + y * 11 + z * 53) % 211) as i16 - 60);
        let ball = |radius: f64| {
            Array3::from_shape_fn(geometry.shape(), |(z, y, x)| {
                let d = |a: usize, c: f64, mm: f64| ((a as f64 - c) * mm).powi(2);
                u8::from(d(x, 12.0, 0.8) + d(y, 11.0, 0.8) + d(z, 5.0, 3.0) < radius * radius)
            })
        };
        let write = |name: &str, voxels| write_volume(Path::new(name), &Volume { geometry: geometry.clone(), voxels }).unwrap();
        write("scan.nii.gz", Voxels::I16(scan));
        write("gtv.nii.gz", Voxels::U8(ball(6.5)));
        write("gtv_reader2.nii.gz", Voxels::U8(ball(7.4)));
        let network = esccsql_crossformer::weights::initial(&esccsql_crossformer::Config::micro().channels(7), 1);
        std::fs::write("network.safetensors", network.to_safetensors().unwrap()).unwrap();
    });
}

fn session() -> Session {
    images();
    let session = open(None, &Settings::default()).unwrap();
    session.execute_batch(TABLES).unwrap();
    session
}

/// All rows of a query as text; floats with all their bits.
fn rows(session: &Session, sql: &str) -> Result<Vec<String>, String> {
    let mut statement = session.prepare(sql).map_err(|error| error.to_string())?;
    let mut rows = statement.query([]).map_err(|error| error.to_string())?;
    let mut texts = Vec::new();
    while let Some(row) = rows.next().map_err(|error| error.to_string())? {
        let columns = row.as_ref().column_count();
        let values: Vec<Value> = (0..columns).map(|column| row.get(column)).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        texts.push(format!("{values:?}"));
    }
    Ok(texts)
}

#[test]
fn every_function_is_documented_and_its_example_runs() {
    let session = session();
    for (topic, functions) in esccsql_functions::all() {
        for function in functions {
            let (name, doc) = (function.name(), &function.doc);
            assert!(!topic.is_empty() && doc.description.len() > 20, "{name} has no description");
            assert!(doc.arguments.iter().all(|argument| !argument.description.is_empty()), "{name} has an argument without a text");
            assert!(doc.options.iter().all(|option| !option.description.is_empty()), "{name} has an option without a text");
            assert!(doc.example.contains(name), "{name} has no example");
            let rows = rows(&session, doc.example).unwrap_or_else(|error| panic!("{name}: {}\n{error}", doc.example));
            assert!(!rows.is_empty() || name == "esccsql_errors", "{name}: its example gives no rows");
        }
    }
}

/// What a user can get wrong, and a part of what is said: the function, what was found, what to do.
#[test]
fn bad_input_is_told_what_to_do() {
    let session = session();
    std::fs::write("truncated.nii.gz", &std::fs::read("scan.nii.gz").unwrap()[..400]).unwrap();
    std::fs::write("text.nrrd", "not an image").unwrap();
    std::fs::write("truncated.safetensors", &std::fs::read("network.safetensors").unwrap()[..60_000]).unwrap();
    std::fs::write(
        "lying.mha",
        "ObjectType = Image\nNDims = 3\nDimSize = 900000 900000 900000\nElementType = MET_SHORT\nElementDataFile = LOCAL\nxx",
    )
    .unwrap();
    let geometry = Geometry::identity([24, 22, 10]);
    let mask = |name: &str, inside: fn(usize) -> u8| {
        let mut index = 0;
        let voxels = Array3::from_shape_simple_fn(geometry.shape(), || {
            index += 1;
            inside(index)
        });
        write_volume(Path::new(name), &Volume { geometry: geometry.clone(), voxels: Voxels::U8(voxels) }).unwrap();
    };
    mask("other_grid.nii.gz", |i| u8::from(i % 2 == 0));
    mask("empty.nii.gz", |_| 0);
    mask("one_voxel.nii.gz", |i| u8::from(i == 2000));
    session.execute_batch("CREATE TABLE models AS SELECT cox_fit(months, died, {'age': age}) AS model FROM patients").unwrap();
    for (sql, said) in [
        ("SELECT image_info('missing.nii.gz')", "no such file; check the path"),
        ("SELECT image_info('truncated.nii.gz')", "truncated.nii.gz"),
        ("SELECT image_info('text.nrrd')", "not an image that is read here"),
        ("SELECT image_info('lying.mha')", "lying.mha"),
        ("FROM read_images('nothing/*.nii')", "nothing"),
        ("SELECT radiomics('scan.nii.gz', 'other_grid.nii.gz')", "radiomics"),
        ("SELECT radiomics('scan.nii.gz', 'gtv.nii.gz', {'label': 7})", "7"),
        ("SELECT radiomics('other_grid.nii.gz', 'empty.nii.gz')", "empty.nii.gz"),
        ("SELECT radiomics('other_grid.nii.gz', 'one_voxel.nii.gz')", "one_voxel.nii.gz"),
        ("SELECT radiomics('scan.nii.gz', 'gtv.nii.gz', {'bin_with': 5})", "unknown option `bin_with`"),
        ("SELECT radiomics('scan.nii.gz', 'gtv.nii.gz', {'bin_width': -5})", "bin"),
        ("SELECT radiomics('scan.nii.gz', 'gtv.nii.gz', 5)", "options must be a STRUCT"),
        ("SELECT mask_volume(image('scan.nii.gz').image_window(50, 350))", "expected a mask"),
        ("SELECT cox_fit(months, false, {'age': age}) FROM patients", "no events"),
        ("SELECT cox_fit(-months, died, {'age': age}) FROM patients", "follow-up times start at 0"),
        ("SELECT cox_fit(months, died, {'age': 'nan'::DOUBLE}) FROM patients", "remove or impute"),
        ("SELECT cox_fit(months, age, {'age': age}) FROM patients", "an event is TRUE, FALSE, 1 or 0"),
        ("SELECT cox_fit(months, died, sex) FROM patients", "expected a STRUCT, MAP, LIST or ARRAY of numbers, got VARCHAR"),
        ("SELECT cox_fit(months, died, {'sex': sex}) FROM patients", "feature 'sex' is not a number"),
        ("SELECT cox_fit(months, died, {'age': age}, {'ties': 'exakt'}) FROM patients", "expected 'efron', 'breslow' or 'exact'"),
        ("SELECT rsf_fit(months, died, {'one': 1}) FROM patients", "constant"),
        ("SELECT rsf_fit(months, died, {'age': age}, {'trees': 0}) FROM patients", "trees"),
        ("SELECT rsf_fit(months, died, {'age': age}, {'trees': 'many'}) FROM patients", "option `trees`"),
        ("SELECT rsf_fit(months, died, {'age': age}) FROM patients WHERE patient_id = 'P001'", "rsf_fit"),
        ("SELECT coxnet_fit(months, died, {'one': 1}) FROM patients", "constant"),
        ("SELECT crossformer_load('missing.pth')", "missing.pth"),
        ("SELECT crossformer_load('scan.nii.gz')", "not a file of weights"),
        ("SELECT crossformer_load('truncated.safetensors')", "truncated.safetensors: the file ends too early"),
        ("SELECT crossformer_load('network.safetensors', {'channels': 5, 'adapt': 'none'})", "for 7 input channels, the model takes 5"),
        ("SELECT crossformer_init({'variant': 'huge'})", "no variant 'huge'"),
        ("SELECT crossformer_init({'channels': 4})", "expected an odd number"),
        ("SELECT crossformer_input('scan.nii.gz', 'gtv.nii.gz', {'size': 200})", "multiple of 32"),
        ("SELECT crossformer_input('scan.nii.gz', 'other_grid.nii.gz')", "grid"),
        ("SELECT crossformer_input('other_grid.nii.gz', 'empty.nii.gz')", "the mask is empty"),
        ("SELECT crossformer_embed(model, 'scan.nii.gz', 'gtv.nii.gz') FROM models", "kind 'crossformer', got one of kind 'cox'"),
        (
            "SELECT crossformer_risk(crossformer_load('network.safetensors'), 'scan.nii.gz', 'gtv.nii.gz')",
            "has 1000 outputs, a risk needs 1",
        ),
        ("SELECT crossformer_forward(crossformer_init({'variant': 'micro'}), [1, 2], [7, 32, 32])", "the tensor has 2 numbers"),
        (
            "SELECT crossformer_forward(crossformer_init({'variant': 'micro'}), [i FOR i IN range(1024)], [1, 32, 32])",
            "images must be [batch, 7",
        ),
        ("SELECT logrank(months, died, 'all') FROM patients", "only one group"),
        ("SELECT c_index(months, false, risk) FROM patients", "c_index"),
        ("SELECT icc(scan_id, 1, value) FROM readings", "more than one value"),
        ("SELECT t_test(age, stage) FROM patients", "three distinct values"),
        ("SELECT pca_fit({'age': age}, 5) FROM patients", "5"),
        ("SELECT km_survival(months, died, [months]) FROM patients", "the same list in every row"),
        ("SELECT rsf_predict(model, {'age': 61}) FROM models", "kind 'rsf', got one of kind 'cox'"),
        ("SELECT cox_predict(model, {'stage': 3}) FROM models", "feature 'age' is missing"),
        ("SELECT cox_predict('x'::BLOB, {'age': 3})", "not a model"),
        ("SELECT cox_predict(('ESCCSQL\\x00\\xFF\\x00'::BLOB || repeat('a', 20)::BLOB), {'age': 3})", "newer version"),
    ] {
        let said = said.replace("three distinct", "3 distinct");
        match rows(&session, sql) {
            Ok(rows) => panic!("{sql} gave {rows:?}"),
            Err(error) => assert!(error.contains(&said), "{sql}\nexpected: {said}\ngot: {error}"),
        }
        assert_eq!(rows(&session, "SELECT 1").map(|rows| rows.len()), Ok(1), "the connection after {sql}");
    }
}

#[test]
fn a_failed_row_can_be_null_and_is_listed() {
    let session = session();
    let sql = "SELECT count(mask_volume(path, {'on_error': 'null'})) FROM (VALUES ('gtv.nii.gz'), ('lost.nii.gz')) t(path)";
    assert_eq!(rows(&session, sql).unwrap(), ["[BigInt(1)]"]);
    let listed = rows(&session, "SELECT function, arguments, message FROM esccsql_errors() WHERE arguments LIKE '%lost%'").unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].contains("mask_volume") && listed[0].contains("no such file"), "{listed:?}");
}

#[test]
fn files_stay_closed_where_the_settings_close_them() {
    let session = session();
    std::fs::create_dir_all("open").unwrap();
    std::fs::copy("gtv.nii.gz", "open/gtv.nii.gz").unwrap();
    let folder = std::env::current_dir().unwrap().join("open");
    session.execute_batch(&format!("SET allowed_directories = ['{}']; SET enable_external_access = false", folder.display())).unwrap();
    let error = rows(&session, "SELECT mask_volume('gtv.nii.gz')").unwrap_err();
    assert!(error.contains("enable_external_access = false") && error.contains("allowed_directories"), "{error}");
    let error = rows(&session, "SELECT image_write(image('open/gtv.nii.gz'), 'copy.nii.gz')").unwrap_err();
    assert!(error.contains("copy.nii.gz: file access is off"), "{error}");
    let error = rows(&session, "SELECT mask_volume('open/../gtv.nii.gz')").unwrap_err();
    assert!(error.contains("file access is off"), "{error}");
    assert_eq!(rows(&session, "SELECT mask_volume('open/gtv.nii.gz') > 0").unwrap(), ["[Boolean(true)]"]);
}

#[test]
fn nulls_and_empty_groups_follow_sql() {
    let session = session();
    assert_eq!(rows(&session, "SELECT c_index(months, died, risk) FROM patients WHERE false").unwrap(), ["[Null]"]);
    assert_eq!(rows(&session, "SELECT cox_predict(NULL, {'age': 1})").unwrap(), ["[Null]"]);
    let sql = "SELECT model_info(cox_fit(months, died, {'age': CASE WHEN age > 45 THEN age END})).n_dropped > 0 FROM patients";
    assert_eq!(rows(&session, sql).unwrap(), ["[Boolean(true)]"]);
    assert_eq!(rows(&session, "SELECT count(*) FROM '*.nii.gz' WHERE path = 'scan.nii.gz'").unwrap(), ["[BigInt(1)]"]);
}
