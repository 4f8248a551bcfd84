//! ComBat against neuroCombat (`tests/golden/make_combat.py`).

use esccsql_stats::combat::{Combat, CombatOptions, harmonise};
use ndarray::Array2;
use serde_json::Value;

fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = serde_json::from_value(value.clone()).unwrap();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

#[test]
fn agrees_with_neurocombat() {
    let golden: Value = serde_json::from_str(include_str!("golden/combat.json")).unwrap();
    let (x, batch) = (matrix(&golden["x"]), serde_json::from_value::<Vec<usize>>(golden["batch"].clone()).unwrap());
    let covariate: Vec<f64> = serde_json::from_value(golden["covariate"].clone()).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let with_covariate = case["covariates"].as_bool().unwrap();
        let covariates = Array2::from_shape_fn((x.nrows(), usize::from(with_covariate)), |(i, _)| covariate[i]);
        let settings = &case["settings"];
        let options = CombatOptions {
            empirical_bayes: settings["eb"].as_bool().unwrap_or(true),
            parametric: settings["parametric"].as_bool().unwrap_or(true),
            mean_only: settings["mean_only"].as_bool().unwrap_or(false),
            reference: settings["ref_batch"].as_u64().map(|batch| batch as usize),
        };
        let model = Combat::fit(x.view(), &batch, covariates.view(), options).unwrap();
        let found = harmonise(&model, x.view(), &batch, covariates.view()).unwrap();
        for (place, expected) in matrix(&case["harmonised"]).indexed_iter() {
            let found = found[place];
            assert!((found - expected).abs() <= 1e-10 * expected.abs(), "{} {place:?}: {found} for {expected}", case["name"]);
        }
    }
}
