//! What bootstrap functions share: their options and results.

use esccsql_survival::bootstrap::{BootstrapComparison, BootstrapInterval, BootstrapOptions};

use crate::shape::{options, record};

options! {
    pub struct Options {
        /// Bootstrap resamples.
        resamples: usize = 1000,
        /// Seed of the resamples.
        seed: u64 = 1,
        /// Level of the interval.
        conf_level: f64 = 0.95,
    }
}

impl Options {
    pub fn kernel(&self) -> BootstrapOptions {
        BootstrapOptions { resamples: self.resamples, seed: self.seed, level: self.conf_level }
    }
}

record! {
    /// An estimate with its bootstrap percentile interval.
    pub struct Interval {
        estimate: f64,
        lower: f64,
        upper: f64,
        std_err: f64,
        resamples: u64,
    }
}

record! {
    /// A difference a - b on the same resampled rows.
    pub struct Comparison {
        a: f64,
        b: f64,
        difference: f64,
        lower: f64,
        upper: f64,
        p: f64,
    }
}

impl From<BootstrapInterval> for Interval {
    fn from(found: BootstrapInterval) -> Self {
        Interval {
            estimate: found.estimate,
            lower: found.lower,
            upper: found.upper,
            std_err: found.std_err,
            resamples: found.resamples_used as u64,
        }
    }
}

impl From<BootstrapComparison> for Comparison {
    fn from(found: BootstrapComparison) -> Self {
        Comparison {
            a: found.a,
            b: found.b,
            difference: found.difference.estimate,
            lower: found.difference.lower,
            upper: found.difference.upper,
            p: found.p,
        }
    }
}
