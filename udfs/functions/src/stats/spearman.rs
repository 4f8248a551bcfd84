//! Spearman's rank correlation.

use esccsql_stats::correlation::{CorrelationMethod, spearman as kernel, with_interval};

use super::correlation::Correlation;
use crate::shape::{Function, Kind, Problem, collect, options};

options! {
    struct Options {
        /// Exact P value where there are no ties, as R; false: the t approximation.
        exact: bool = true,
        /// Level of the interval.
        conf_level: f64 = 0.95,
    }
}

pub fn spearman() -> Function {
    collect("spearman", "Spearman's rank correlation, mid-ranks for ties, with its test and interval.")
        .arg("x", Kind::Number, "a number")
        .arg("y", Kind::Number, "another, of the same row")
        .options::<Options>()
        .source("R cor.test(method = 'spearman'); Bonett & Wright, Psychometrika 2000;65:23 (the interval)")
        .example("SELECT spearman(age, volume) FROM patients")
        .returns(|rows, options| {
            kernel(rows.numbers(0), rows.numbers(1), options.exact)
                .and_then(|found| with_interval(found, CorrelationMethod::Spearman, options.conf_level))
                .map(Correlation::from)
                .map_err(Problem::user)
        })
}
