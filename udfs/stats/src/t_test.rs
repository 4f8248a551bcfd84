//! Student's, Welch's and the paired t test, as R `t.test`.
//!
//! Welch's degrees of freedom (Satterthwaite) are not whole. A one-sided alternative has a one-sided interval.

use serde::{Deserialize, Serialize};

use crate::Alternative;
use crate::distribution::{t_sf, t_two_sided, t_two_sided_quantile};
use crate::error::{Result, StatsError, check_count, check_finite, check_level};
use crate::summary;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TTestKind {
    /// Unequal variances.
    #[default]
    Welch,
    /// Equal variances, pooled.
    Student,
    /// The values of a row belong together.
    Paired,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TTestOptions {
    pub kind: TTestKind,
    pub alternative: Alternative,
    pub confidence: f64,
}

impl Default for TTestOptions {
    fn default() -> Self {
        Self { kind: TTestKind::Welch, alternative: Alternative::TwoSided, confidence: 0.95 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TTest {
    pub t: f64,
    pub df: f64,
    pub p: f64,
    /// mean(x) - mean(y), or the mean of the differences of the pairs.
    pub difference: f64,
    pub lower: f64,
    pub upper: f64,
    pub mean_x: f64,
    pub mean_y: f64,
    pub n_x: usize,
    pub n_y: usize,
}

/// Compares the means of `x` and `y`.
///
/// # Errors
/// A sample with fewer than 2 values, a value that is not finite, no variance in either, pairs of unequal length.
pub fn t_test(x: &[f64], y: &[f64], options: TTestOptions) -> Result<TTest> {
    const WHAT: &str = "t_test";
    check_level(WHAT, options.confidence)?;
    if options.kind == TTestKind::Paired && x.len() != y.len() {
        return Err(StatsError::LengthMismatch { what: WHAT, first_name: "x", first: x.len(), second_name: "y", second: y.len() });
    }
    for (name, values) in [("x", x), ("y", y)] {
        check_count(WHAT, "values in each sample", values.len(), 2)?;
        check_finite(WHAT, name, values)?;
    }
    let (mean_x, mean_y) = (summary::mean(x), summary::mean(y));
    let (n_x, n_y) = (x.len() as f64, y.len() as f64);
    let (difference, standard_error, df, constant) = match options.kind {
        TTestKind::Paired => {
            let differences: Vec<f64> = x.iter().zip(y).map(|(a, b)| a - b).collect();
            let error = (summary::variance(&differences) / n_x).sqrt();
            (summary::mean(&differences), error, n_x - 1.0, summary::is_constant(&differences))
        }
        TTestKind::Student => {
            let df = n_x + n_y - 2.0;
            let pooled = (summary::sum_of_squares(x) + summary::sum_of_squares(y)) / df;
            (mean_x - mean_y, (pooled * (1.0 / n_x + 1.0 / n_y)).sqrt(), df, summary::is_constant(x) && summary::is_constant(y))
        }
        TTestKind::Welch => {
            let (a, b) = (summary::variance(x) / n_x, summary::variance(y) / n_y);
            let df = (a + b).powi(2) / (a * a / (n_x - 1.0) + b * b / (n_y - 1.0));
            (mean_x - mean_y, (a + b).sqrt(), df, summary::is_constant(x) && summary::is_constant(y))
        }
    };
    // R's bound for "essentially constant": the spread is rounding.
    if constant || standard_error < 10.0 * f64::EPSILON * mean_x.abs().max(mean_y.abs()) {
        let (which, value) = if options.kind == TTestKind::Paired { ("the differences", x[0] - y[0]) } else { ("each sample", x[0]) };
        return Err(StatsError::Constant { what: WHAT, which: which.into(), value });
    }
    let t = difference / standard_error;
    let tail = 1.0 - options.confidence;
    let (p, lower, upper) = match options.alternative {
        Alternative::TwoSided => {
            let half = t_two_sided_quantile(tail, df) * standard_error;
            (t_two_sided(t, df), difference - half, difference + half)
        }
        Alternative::Less => (t_sf(-t, df), f64::NEG_INFINITY, difference + upper_quantile(tail, df) * standard_error),
        Alternative::Greater => (t_sf(t, df), difference - upper_quantile(tail, df) * standard_error, f64::INFINITY),
    };
    Ok(TTest { t, df, p, difference, lower, upper, mean_x, mean_y, n_x: x.len(), n_y: y.len() })
}

/// The t with P(T > t) = p.
fn upper_quantile(p: f64, df: f64) -> f64 {
    if p <= 0.5 { t_two_sided_quantile(2.0 * p, df) } else { -t_two_sided_quantile(2.0 * (1.0 - p), df) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sided_halves_and_errors() {
        let (x, y) = ([1.0, 2.0, 4.0, 4.5], [2.0, 5.0, 6.0, 5.5]);
        let with = |kind, alternative| t_test(&x, &y, TTestOptions { kind, alternative, ..TTestOptions::default() }).unwrap();
        for kind in [TTestKind::Welch, TTestKind::Student, TTestKind::Paired] {
            let both = with(kind, Alternative::TwoSided);
            let less = with(kind, Alternative::Less);
            assert!((less.p - both.p / 2.0).abs() < 1e-15 && less.lower == f64::NEG_INFINITY && less.upper < both.upper);
            assert!((with(kind, Alternative::Greater).p + less.p - 1.0).abs() < 1e-15);
        }
        let constant = t_test(&[1.0, 1.0], &[2.0, 2.0], TTestOptions::default());
        assert!(matches!(constant, Err(StatsError::Constant { .. })));
        let paired = TTestOptions { kind: TTestKind::Paired, ..TTestOptions::default() };
        let shifted = t_test(&[0.0, 1.0, 2.0], &[1.0, 2.0, 3.0], paired).unwrap_err();
        assert!(matches!(shifted, StatsError::Constant { which, value: -1.0, .. } if which == "the differences"));
        assert!(matches!(t_test(&[1.0, 3.0], &[2.0], paired), Err(StatsError::LengthMismatch { .. })));
    }
}
