//! Uno's concordance index with a bootstrap interval.
//!
//! The censoring curve of the scored rows is estimated again in each resample; that of training rows stays as it is.

use esccsql_survival::uno::c_index_uno_ci as kernel;

use super::interval::Interval;
use super::uno::Options;
use crate::shape::{Function, Kind, Problem, collect};

pub fn c_index_uno_ci() -> Function {
    collect("c_index_uno_ci", "Uno's concordance index of a risk score with its bootstrap percentile interval.")
        .outcome()
        .arg("risk", Kind::Number, "risk score (higher risk, shorter survival)")
        .options::<Options>()
        .source("Uno et al., Stat Med 2011;30:1105; Efron & Tibshirani, An Introduction to the Bootstrap, 1993")
        .example("SELECT c_index_uno_ci(months, died, risk, {'tau': 36, 'resamples': 100}) FROM patients")
        .returns(|rows, options| {
            let training = options.training()?;
            kernel(rows.numbers(0), rows.events(1), rows.numbers(2), &options.kernel(&training), &options.bootstrap())
                .map(Interval::from)
                .map_err(Problem::user)
        })
}
