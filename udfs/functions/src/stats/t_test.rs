//! Student's and Welch's t test of two groups' means.

use esccsql_stats::Alternative;
use esccsql_stats::t_test::{TTest, TTestKind, TTestOptions, t_test as test};

use super::groups::two_groups;
use crate::shape::{Function, Kind, Problem, collect, options, record};

options! {
    pub(super) struct Options {
        /// Equal variances, pooled (Student) instead of Welch.
        pooled: bool = false,
        /// 'two_sided', 'less' or 'greater', about the first group (in alphabetical order) against the second.
        alternative: Alternative = Alternative::TwoSided,
        /// Level of the interval.
        conf_level: f64 = 0.95,
    }
}

record! {
    /// A comparison of two means.
    pub(super) struct Comparison {
        statistic: f64,
        df: f64,
        p: f64,
        difference: f64,
        lower: f64,
        upper: f64,
        mean_a: f64,
        mean_b: f64,
        n_a: u64,
        n_b: u64,
    }
}

impl From<TTest> for Comparison {
    fn from(found: TTest) -> Self {
        Comparison {
            statistic: found.t,
            df: found.df,
            p: found.p,
            difference: found.difference,
            lower: found.lower,
            upper: found.upper,
            mean_a: found.mean_x,
            mean_b: found.mean_y,
            n_a: found.n_x as u64,
            n_b: found.n_y as u64,
        }
    }
}

pub fn t_test() -> Function {
    collect("t_test", "t test of the means of two groups a and b (alphabetical order): Welch's, or Student's with 'pooled'.")
        .arg("value", Kind::Number, "what is compared")
        .arg("group", Kind::Label, "the group; two distinct values")
        .options::<Options>()
        .source("R t.test")
        .example("SELECT t_test(age, cohort) FROM patients")
        .returns(|rows, options| {
            let [(_, a), (_, b)] = two_groups(rows)?;
            let kind = if options.pooled { TTestKind::Student } else { TTestKind::Welch };
            let chosen = TTestOptions { kind, alternative: options.alternative, confidence: options.conf_level };
            test(&a, &b, chosen).map(Comparison::from).map_err(Problem::user)
        })
}
