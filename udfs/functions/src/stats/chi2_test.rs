//! The chi-squared test of independence.

use super::groups::contingency;
use crate::shape::{Function, Kind, Problem, collect, options, record};

options! {
    struct Options {
        /// Yates' continuity correction of a 2 x 2 table, as R.
        yates: bool = true,
    }
}

record! {
    /// A test of independence.
    struct Test {
        statistic: f64,
        df: f64,
        p: f64,
        min_expected: f64,
        cramers_v: f64,
        n: u64,
    }
}

pub fn chi2_test() -> Function {
    collect(
        "chi2_test",
        "Pearson's chi-squared test of the independence of two categories. Where min_expected is below 5, prefer fisher_exact.",
    )
    .arg("a", Kind::Label, "a category")
    .arg("b", Kind::Label, "another")
    .options::<Options>()
    .source("R chisq.test")
    .example("SELECT chi2_test(sex, cohort) FROM patients")
    .returns(|rows, options| {
        let found = esccsql_stats::chi2_test::chi2_test(contingency(rows)?.view(), options.yates).map_err(Problem::user)?;
        Ok(Test {
            statistic: found.statistic,
            df: found.df,
            p: found.p,
            min_expected: found.min_expected,
            cramers_v: found.cramers_v,
            n: found.n,
        })
    })
}
