//! The Shapiro-Wilk test of normality.

use crate::shape::{Function, Kind, Problem, collect, record};

record! {
    /// A small p speaks against a normal distribution.
    struct Test {
        statistic: f64,
        p: f64,
        n: u64,
    }
}

pub fn shapiro_wilk() -> Function {
    collect("shapiro_wilk", "Shapiro-Wilk test: a small P value speaks against a normal distribution.")
        .arg("value", Kind::Number, "the sample")
        .source("Royston, Appl Stat 1995;44:547; R shapiro.test")
        .example("SELECT shapiro_wilk(age) FROM patients")
        .returns(|rows, _| {
            let found = esccsql_stats::shapiro_wilk::shapiro_wilk(rows.numbers(0)).map_err(Problem::user)?;
            Ok(Test { statistic: found.w, p: found.p, n: found.n as u64 })
        })
}
