//! Harrell's C with a bootstrap interval.

use esccsql_survival::concordance::Ties;

use super::interval::{Interval, Options};
use crate::shape::{Function, Kind, Problem, collect};

pub fn c_index_ci() -> Function {
    collect("c_index_ci", "Harrell's concordance index with its bootstrap percentile interval.")
        .outcome()
        .arg("risk", Kind::Number, "risk score (higher risk, shorter survival)")
        .options::<Options>()
        .source("Efron & Tibshirani, An Introduction to the Bootstrap, 1993")
        .example("SELECT c_index_ci(months, died, risk, {'resamples': 200, 'seed': 1}) FROM patients")
        .returns(|rows, options| {
            esccsql_survival::concordance_inference::c_index_ci(
                rows.numbers(0),
                rows.events(1),
                rows.numbers(2),
                Ties::Half,
                &options.kernel(),
            )
            .map(Interval::from)
            .map_err(Problem::user)
        })
}
