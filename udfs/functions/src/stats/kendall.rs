//! Kendall's rank correlation tau-b.

use super::correlation::Correlation;
use crate::shape::{Function, Kind, Problem, collect, options};

options! {
    struct Options {
        /// Exact P value where there are no ties; else by the normal approximation.
        exact: bool = false,
    }
}

pub fn kendall() -> Function {
    collect("kendall", "Kendall's rank correlation tau-b with its test: normal with correction for ties, or exact without ties.")
        .arg("x", Kind::Number, "a number")
        .arg("y", Kind::Number, "another, of the same row")
        .options::<Options>()
        .source("R cor.test(method = 'kendall')")
        .example("SELECT kendall(age, volume) FROM patients")
        .returns(|rows, options| {
            esccsql_stats::correlation::kendall(rows.numbers(0), rows.numbers(1), options.exact)
                .map(Correlation::from)
                .map_err(Problem::user)
        })
}
