//! Pearson's correlation.

use crate::shape::{Function, Kind, Problem, collect, options, record};

options! {
    struct Options {
        /// Level of the interval.
        conf_level: f64 = 0.95,
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

pub fn pearson() -> Function {
    collect("pearson", "Pearson's product-moment correlation with its t test and Fisher's z interval.")
        .arg("x", Kind::Number, "a number")
        .arg("y", Kind::Number, "another, of the same row")
        .options::<Options>()
        .source("R cor.test(method = 'pearson')")
        .example("SELECT pearson(age, volume) FROM patients")
        .returns(|rows, options| {
            let found = esccsql_stats::correlation::pearson(rows.numbers(0), rows.numbers(1), options.conf_level).map_err(Problem::user)?;
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
