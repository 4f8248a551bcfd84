//! Spearman's rank correlation.

use super::correlation::Correlation;
use crate::shape::{Function, Kind, Problem, collect, options};

options! {
    struct Options {
        /// Exact P value where there are no ties, as R; false: the t approximation.
        exact: bool = true,
    }
}

pub fn spearman() -> Function {
    collect("spearman", "Spearman's rank correlation, mid-ranks for ties, with its test.")
        .arg("x", Kind::Number, "a number")
        .arg("y", Kind::Number, "another, of the same row")
        .options::<Options>()
        .source("R cor.test(method = 'spearman')")
        .example("SELECT spearman(age, volume) FROM patients")
        .returns(|rows, options| {
            esccsql_stats::correlation::spearman(rows.numbers(0), rows.numbers(1), options.exact)
                .map(Correlation::from)
                .map_err(Problem::user)
        })
}
