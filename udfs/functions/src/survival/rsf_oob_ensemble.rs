//! A forest's out-of-bag ensemble of its training rows.
//!
//! For each training row the mean over the trees that did not see it: an honest prediction without a test cohort, to be scored by
//! c_index, brier_score or calibration_curve. The rows and features are those of the fit, which is checked.

use esccsql_survival::rsf::Forest;

use super::survival_model::{arranged, shared_model};
use crate::shape::{Function, Kind, Model, Problem, collect, options, record};

options! {
    struct Options {
        /// Ascending times of the curves, in the unit of the fit; none by default.
        times: Vec<f64> = Vec::new(),
    }
}

record! {
    /// One training row.
    struct OutOfBag {
        id: String,
        time: f64,
        event: bool,
        /// Trees that did not see the row.
        trees: u64,
        /// NULL for a row that all trees saw, as its curves are.
        mortality: Option<f64>,
        survival: Option<Vec<f64>>,
        cumulative_hazard: Option<Vec<f64>>,
    }
}

pub fn rsf_oob_ensemble() -> Function {
    collect("rsf_oob_ensemble", "Out-of-bag ensemble of a forest's training rows by id: mortality, and survival and cumulative hazard at times, over the trees that did not see the row.")
        .outcome()
        .arg("x", Kind::Features, "the features that the model was fitted on")
        .arg("id", Kind::Label, "names the row in the result")
        .arg("model", Kind::Model, "made by rsf_fit from these rows, the same in every row")
        .options::<Options>()
        .source("Ishwaran et al., Ann Appl Stat 2008;2:841; R randomForestSRC (predicted.oob, survival.oob, chf.oob)")
        .example("SELECT unnest(rsf_oob_ensemble(months, died, {'age': age, 'stage': stage}, patient_id, model, {'times': [12, 24]}), recursive := true) FROM patients, (SELECT rsf_fit(months, died, {'age': age, 'stage': stage}, {'trees': 20}) AS model FROM patients)")
        .returns(|rows, options| {
            let trained = Model::decode::<Forest>(shared_model(rows, 4, "model")?).map_err(|problem| problem.at("model"))?;
            let x = arranged(rows.features(2), &trained.header.features).map_err(|problem| problem.at("x"))?;
            let found = trained.model.oob_ensemble(rows.numbers(0), rows.events(1), x.view(), &options.times).map_err(Problem::user)?;
            let one = |row: usize| {
                let seen = found.mortality[row].is_none();
                OutOfBag {
                    id: rows.texts(3)[row].clone(),
                    time: rows.numbers(0)[row],
                    event: rows.events(1)[row],
                    trees: u64::from(found.trees[row]),
                    mortality: found.mortality[row],
                    survival: (!seen).then(|| found.survival.row(row).to_vec()),
                    cumulative_hazard: (!seen).then(|| found.cumulative_hazard.row(row).to_vec()),
                }
            };
            Ok((0..rows.len()).map(one).collect::<Vec<_>>())
        })
}
