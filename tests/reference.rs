//! Radiomics of real CT and MR through SQL, held to PyRadiomics 3.1. The kernel's own tests hold every other setting and filter.
//!
//! The images are not part of the repository: they lie in a folder `shared` beside the checkout where there is one.

use std::collections::HashMap;
use std::path::PathBuf;

use esccsql::engine::duckdb::{Session, Settings, open};

/// Relative.
const TOLERANCE: f64 = 1e-9;

fn reference() -> Option<PathBuf> {
    let folder = std::path::absolute("../shared/reference/radiomics").expect("a working directory");
    if !folder.is_dir() {
        println!("skipped: ../shared is not here");
        return None;
    }
    Some(folder)
}

fn map(session: &Session, sql: &str) -> HashMap<(String, String), f64> {
    let mut statement = session.prepare(sql).unwrap_or_else(|error| panic!("{sql}\n{error}"));
    let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{sql}\n{error}"))
}

/// Compares the `original` features of `cases` under `options` with those that `values` lists for `setting`.
fn compare(setting: &str, values: &str, cases: &[&str], image: &str, options: &str) {
    let Some(folder) = reference() else { return };
    let session = open(None, &Settings::default()).unwrap();
    let folder = folder.display();
    let list = cases.iter().map(|case| format!("('{case}')")).collect::<Vec<_>>().join(", ");
    let expected = map(
        &session,
        &format!(
            "SELECT \"case\", concat_ws('_', image_type, feature_class, feature), value FROM read_csv('{folder}/{values}')
             WHERE setting = '{setting}' AND image_type = 'original' AND \"case\" IN (SELECT * FROM (VALUES {list}))"
        ),
    );
    assert_eq!(expected.len(), 107 * cases.len());
    let found = map(
        &session,
        &format!(
            "SELECT name, entry.key, entry.value FROM (
               SELECT name, unnest(map_entries(radiomics(image('{folder}/cases/' || name || '_image.nrrd'){image},
                                                         mask('{folder}/cases/' || name || '_label.nrrd'), {options}))) AS entry
               FROM (VALUES {list}) cases(name))"
        ),
    );
    assert_eq!(found.len(), expected.len());
    for (key, &expected) in &expected {
        let found = found[key];
        assert!((found - expected).abs() <= TOLERANCE * expected.abs(), "{key:?} {setting}: {found} for {expected}");
    }
}

#[test]
fn default_settings() {
    let cases = ["lung1", "lung2c", "sts019", "ibsi_ct", "brain1", "brain2", "breast1"];
    compare("default", "values_default.csv", &cases, "", "{'label': 1}");
}

#[test]
fn the_papers_settings() {
    let options = "{'normalize': true, 'normalize_scale': 100, 'resampled_pixel_spacing': [1, 1, 1], 'bin_width': 25}";
    compare("paper", "values_paper.csv.gz", &["lung1", "lung2c", "sts019", "ibsi_ct"], ".image_window(50, 350)", options);
}
