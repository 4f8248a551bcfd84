//! Spearman's rank correlation.

use crate::shape::{Function, Kind, Problem, collect, options, record};

options! {
    struct Options {
        /// Exact P value where there are no ties, as R; false: the t approximation.
        exact: bool = true,
    }
}

record! {
    /// A correlation.
    struct Correlation {
        estimate: f64,
        statistic: Option<f64>,
        p: f64,
        lower: Option<f64>,
        upper: Option<f64>,
        n: u64,
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
            let found = esccsql_stats::correlation::spearman(rows.numbers(0), rows.numbers(1), options.exact).map_err(Problem::user)?;
            Ok(Correlation {
                estimate: found.estimate,
                statistic: found.statistic,
                p: found.p,
                lower: found.lower,
                upper: found.upper,
                n: found.n as u64,
            })
        })
}
