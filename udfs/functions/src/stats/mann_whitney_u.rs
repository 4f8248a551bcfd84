//! The Mann-Whitney U test (Wilcoxon's rank sum test).

use esccsql_stats::Alternative;
use esccsql_stats::mann_whitney::{RankTestOptions, mann_whitney_u as test};

use super::groups::two_groups;
use crate::shape::{Function, Kind, Problem, collect, options, record};

options! {
    pub(super) struct Options {
        /// 'two_sided', 'less' or 'greater', about the first group (in alphabetical order) against the second.
        alternative: Alternative = Alternative::TwoSided,
        /// Exact P value; by default R's rule: groups below 50 rows without ties. With ties (in wilcoxon_signed_rank also with
        /// differences of 0) even true gives the normal approximation, as in R; z is NULL where P is exact.
        exact: Option<bool> = None,
        /// Continuity correction of the normal approximation.
        continuity: bool = true,
    }
}

record! {
    /// A comparison of two locations.
    struct Test {
        statistic: f64,
        z: Option<f64>,
        p: f64,
        superiority: f64,
        n_a: u64,
        n_b: u64,
    }
}

pub fn mann_whitney_u() -> Function {
    collect("mann_whitney_u", "Mann-Whitney U test of two groups a and b (alphabetical order); superiority is the probability that a value of a exceeds one of b.")
        .arg("value", Kind::Number, "what is compared")
        .arg("group", Kind::Label, "the group; two distinct values")
        .options::<Options>()
        .source("R wilcox.test")
        .example("SELECT mann_whitney_u(volume, cohort).p FROM patients")
        .returns(|rows, options| {
            let [(_, a), (_, b)] = two_groups(rows)?;
            let chosen = RankTestOptions { alternative: options.alternative, exact: options.exact, continuity: options.continuity };
            let found = test(&a, &b, chosen).map_err(Problem::user)?;
            Ok(Test { statistic: found.u, z: found.z, p: found.p, superiority: found.superiority, n_a: found.n_x as u64, n_b: found.n_y as u64 })
        })
}
