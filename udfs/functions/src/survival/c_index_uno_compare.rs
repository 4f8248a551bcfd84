//! Difference of two risk scores' Uno's concordance index, by paired bootstrap.

use esccsql_survival::uno::c_index_uno_compare as kernel;

use super::interval::Comparison;
use super::uno::Options;
use crate::shape::{Function, Kind, Problem, collect};

pub fn c_index_uno_compare() -> Function {
    collect("c_index_uno_compare", "Difference of two risk scores' Uno's concordance index on the same rows, by paired bootstrap.")
        .outcome()
        .arg("risk_a", Kind::Number, "a risk score")
        .arg("risk_b", Kind::Number, "another")
        .options::<Options>()
        .source("Uno et al., Stat Med 2011;30:1105; Efron & Tibshirani, An Introduction to the Bootstrap, 1993")
        .example("SELECT c_index_uno_compare(months, died, risk, age, {'tau': 36, 'resamples': 100}) FROM patients")
        .returns(|rows, options| {
            let training = options.training()?;
            let risks = (rows.numbers(2), rows.numbers(3));
            kernel(rows.numbers(0), rows.events(1), risks, &options.kernel(&training), &options.bootstrap())
                .map(Comparison::from)
                .map_err(Problem::user)
        })
}
