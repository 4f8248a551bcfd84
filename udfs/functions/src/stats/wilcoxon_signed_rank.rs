//! Wilcoxon's signed rank test of paired values.

use esccsql_stats::mann_whitney::RankTestOptions;
use esccsql_stats::wilcoxon_signed_rank::wilcoxon_signed_rank as test;

use super::mann_whitney_u::Options;
use crate::shape::{Function, Kind, Problem, collect, record};

record! {
    /// The test; `statistic` is the sum of the ranks of the positive differences.
    struct Test {
        statistic: f64,
        z: Option<f64>,
        p: f64,
        n: u64,
        zeros: u64,
    }
}

pub fn wilcoxon_signed_rank() -> Function {
    collect("wilcoxon_signed_rank", "Wilcoxon's signed rank test: are the differences x - y of a row symmetric about 0? Pairs without a difference are left out and counted.")
        .arg("x", Kind::Number, "a number")
        .arg("y", Kind::Number, "its pair, in the same row")
        .options::<Options>()
        .source("R wilcox.test(paired = TRUE)")
        .example("SELECT wilcoxon_signed_rank(volume, volume * 0.8 + marker).p FROM patients")
        .returns(|rows, options| {
            let chosen = RankTestOptions { alternative: options.alternative, exact: options.exact, continuity: options.continuity };
            let found = test(rows.numbers(0), rows.numbers(1), chosen).map_err(Problem::user)?;
            Ok(Test { statistic: found.v, z: found.z, p: found.p, n: found.n as u64, zeros: found.zeros as u64 })
        })
}
