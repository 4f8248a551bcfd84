//! Fisher's exact test of a table of any size.
//!
//! The sum of the probabilities of all tables with the same margins that are no more probable than the observed one. For a
//! 2 x 2 table also the conditional maximum likelihood odds ratio with its exact interval.

use esccsql_stats::Alternative;
use esccsql_stats::fisher_exact::{FisherMethod, FisherOptions, fisher_exact as test};

use super::groups::contingency;
use crate::shape::{Function, Kind, Problem, collect, options, record};

options! {
    struct Options {
        /// 2 x 2 only: 'two_sided', 'less' or 'greater'.
        alternative: Alternative = Alternative::TwoSided,
        /// Level of the odds ratio's interval.
        conf_level: f64 = 0.95,
        /// Random tables where the exact sum is too large; 0 makes that an error.
        replicates: u64 = 1_000_000,
        /// Seed of the random tables.
        seed: u64 = 1,
    }
}

record! {
    /// The test. `method` is 'exact' or 'monte_carlo'.
    struct Test {
        p: f64,
        method: String,
        std_err: Option<f64>,
        odds_ratio: Option<f64>,
        lower: Option<f64>,
        upper: Option<f64>,
        n: u64,
    }
}

pub fn fisher_exact() -> Function {
    collect(
        "fisher_exact",
        "Fisher's exact test of the independence of two categories, r x c; for 2 x 2 tables with the odds ratio and its interval.",
    )
    .arg("a", Kind::Label, "a category")
    .arg("b", Kind::Label, "another")
    .options::<Options>()
    .source("Mehta & Patel, JASA 1983;78:427; R fisher.test")
    .example("SELECT fisher_exact(stage, cohort).p FROM patients")
    .returns(|rows, options| {
        let chosen = FisherOptions {
            alternative: options.alternative,
            confidence: options.conf_level,
            replicates: options.replicates,
            seed: options.seed,
        };
        let found = test(contingency(rows)?.view(), chosen).map_err(Problem::user)?;
        Ok(Test {
            p: found.p,
            method: match found.method {
                FisherMethod::Exact => "exact".into(),
                FisherMethod::MonteCarlo => "monte_carlo".into(),
            },
            std_err: found.standard_error,
            odds_ratio: found.odds_ratio,
            lower: found.lower,
            upper: found.upper,
            n: found.n,
        })
    })
}
