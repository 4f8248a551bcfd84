//! Uno's concordance index.
//!
//! Pairs weigh 1 / G(t)^2, G the censoring curve of the training rows at the shorter time, so that the index does not depend on how
//! long the rows were followed. Agrees with scikit-survival's `concordance_index_ipcw`, and with R for `{'side': 'before'}`.

use esccsql_survival::uno::c_index_uno as kernel;

use super::uno::Options;
use crate::shape::{Function, Kind, Problem, collect};

pub fn c_index_uno() -> Function {
    collect("c_index_uno", "Uno's concordance index of a risk score: weighted by the inverse probability of censoring, up to tau.")
        .outcome()
        .arg("risk", Kind::Number, "risk score (higher risk, shorter survival)")
        .options::<Options>()
        .source("Uno et al., Stat Med 2011;30:1105; scikit-survival")
        .example("SELECT c_index_uno(months, died, risk, {'tau': 36}) FROM patients")
        .returns(|rows, options| {
            let training = options.training()?;
            kernel(rows.numbers(0), rows.events(1), rows.numbers(2), &options.kernel(&training)).map_err(Problem::user)
        })
}
