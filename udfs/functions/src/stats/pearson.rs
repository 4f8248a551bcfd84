//! Pearson's correlation.

use super::correlation::Correlation;
use crate::shape::{Function, Kind, Problem, collect, options};

options! {
    struct Options {
        /// Level of the interval.
        conf_level: f64 = 0.95,
    }
}

pub fn pearson() -> Function {
    collect("pearson", "Pearson's product-moment correlation with its t test and Fisher's z interval.")
        .arg("x", Kind::Number, "a number")
        .arg("y", Kind::Number, "another, of the same row")
        .options::<Options>()
        .source("R cor.test(method = 'pearson')")
        .example("SELECT pearson(age, volume) FROM patients")
        .returns(|rows, options| {
            esccsql_stats::correlation::pearson(rows.numbers(0), rows.numbers(1), options.conf_level)
                .map(Correlation::from)
                .map_err(Problem::user)
        })
}
