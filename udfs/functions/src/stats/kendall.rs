//! Kendall's rank correlation tau-b.

use esccsql_stats::correlation::{CorrelationMethod, kendall as kernel, with_interval};

use super::correlation::Correlation;
use crate::shape::{Function, Kind, Problem, collect, options};

options! {
    struct Options {
        /// Exact P value where there are no ties; else by the normal approximation.
        exact: bool = false,
        /// Level of the interval.
        conf_level: f64 = 0.95,
    }
}

pub fn kendall() -> Function {
    collect(
        "kendall",
        "Kendall's rank correlation tau-b with its interval and test: normal with correction for ties, or exact without ties.",
    )
    .arg("x", Kind::Number, "a number")
    .arg("y", Kind::Number, "another, of the same row")
    .options::<Options>()
    .source("R cor.test(method = 'kendall'); Bonett & Wright, Psychometrika 2000;65:23 (the interval)")
    .example("SELECT kendall(age, volume) FROM patients")
    .returns(|rows, options| {
        kernel(rows.numbers(0), rows.numbers(1), options.exact)
            .and_then(|found| with_interval(found, CorrelationMethod::Kendall, options.conf_level))
            .map(Correlation::from)
            .map_err(Problem::user)
    })
}
