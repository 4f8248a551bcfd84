//! The result that correlations share.

use esccsql_stats::correlation::Correlation as Kernel;

use crate::shape::record;

record! {
    /// A correlation; without an interval where rows are too few.
    pub(super) struct Correlation {
        estimate: f64,
        statistic: Option<f64>,
        p: f64,
        lower: Option<f64>,
        upper: Option<f64>,
        n: u64,
    }
}

impl From<Kernel> for Correlation {
    fn from(found: Kernel) -> Self {
        Correlation {
            estimate: found.estimate,
            statistic: found.statistic,
            p: found.p,
            lower: found.lower,
            upper: found.upper,
            n: found.n as u64,
        }
    }
}
