//! Bootstrap intervals and paired comparisons by resampling rows with replacement.
//!
//! A resample is a count per row, so a statistic that takes weights needs no sorting again. Resample `b` draws from its own
//! random stream (seed, b): the result does not depend on the number of threads. Percentile intervals use quantile type 7.
//! Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::SurvivalError;
use crate::rng::{below, stream};

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BootstrapOptions {
    pub resamples: usize,
    pub seed: u64,
    /// Confidence level.
    pub level: f64,
}

impl Default for BootstrapOptions {
    fn default() -> Self {
        Self { resamples: 1000, seed: 1, level: 0.95 }
    }
}

impl BootstrapOptions {
    fn check(&self) -> Result<(), SurvivalError> {
        if self.resamples < 2 {
            return Err(SurvivalError::BadOption {
                option: "resamples",
                expected: "a whole number of at least 2",
                found: self.resamples.to_string(),
            });
        }
        crate::km::confidence_z(self.level).map(|_| ())
    }
}

/// An estimate with its bootstrap percentile interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BootstrapInterval {
    pub estimate: f64,
    pub lower: f64,
    pub upper: f64,
    /// Standard deviation over the resamples.
    pub std_err: f64,
    /// Resamples in which the statistic exists, out of those drawn.
    pub resamples_used: usize,
    pub resamples: usize,
}

/// A paired comparison: the difference a - b on the same resampled rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BootstrapComparison {
    pub a: f64,
    pub b: f64,
    pub difference: BootstrapInterval,
    /// Two-sided: twice the smaller share of differences at or beyond 0, one added to each count.
    pub p: f64,
}

/// Interval of `statistic`, a function of a weight per row (all 1 for the estimate).
pub(crate) fn interval(
    rows: usize,
    options: &BootstrapOptions,
    statistic: impl Fn(&[f64]) -> Option<f64> + Sync,
    undefined: SurvivalError,
) -> Result<BootstrapInterval, SurvivalError> {
    options.check()?;
    let estimate = statistic(&vec![1.0; rows]).ok_or(undefined.clone())?;
    let values = resample(rows, options, |weights| statistic(weights));
    summarise(estimate, values, options, undefined)
}

/// Comparison of two statistics of the same rows.
pub(crate) fn comparison(
    rows: usize,
    options: &BootstrapOptions,
    statistics: impl Fn(&[f64]) -> Option<(f64, f64)> + Sync,
    undefined: SurvivalError,
) -> Result<BootstrapComparison, SurvivalError> {
    options.check()?;
    let (a, b) = statistics(&vec![1.0; rows]).ok_or(undefined.clone())?;
    let values = resample(rows, options, |weights| statistics(weights).map(|(a, b)| a - b));
    let at_most = values.iter().flatten().filter(|&&d| d <= 0.0).count();
    let at_least = values.iter().flatten().filter(|&&d| d >= 0.0).count();
    let used = values.iter().flatten().count();
    let p = (2.0 * (at_most.min(at_least) + 1) as f64 / (used + 1) as f64).min(1.0);
    Ok(BootstrapComparison { a, b, difference: summarise(a - b, values, options, undefined)?, p })
}

/// The statistic in each resample, in the order of the resamples.
fn resample(rows: usize, options: &BootstrapOptions, statistic: impl Fn(&[f64]) -> Option<f64> + Sync) -> Vec<Option<f64>> {
    (0..options.resamples as u64)
        .into_par_iter()
        .map_init(
            || vec![0.0; rows],
            |weights, b| {
                let mut rng = stream(options.seed, b);
                weights.fill(0.0);
                for _ in 0..rows {
                    weights[below(&mut rng, rows as u32) as usize] += 1.0;
                }
                statistic(weights).filter(|value| value.is_finite())
            },
        )
        .collect()
}

fn summarise(
    estimate: f64,
    values: Vec<Option<f64>>,
    options: &BootstrapOptions,
    undefined: SurvivalError,
) -> Result<BootstrapInterval, SurvivalError> {
    let mut used: Vec<f64> = values.into_iter().flatten().collect();
    if used.len() < 2 {
        return Err(undefined);
    }
    let mean = used.iter().sum::<f64>() / used.len() as f64;
    let variance = used.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (used.len() - 1) as f64;
    used.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - options.level) / 2.0;
    Ok(BootstrapInterval {
        estimate,
        lower: quantile_type_7(&used, tail),
        upper: quantile_type_7(&used, 1.0 - tail),
        std_err: variance.sqrt(),
        resamples_used: used.len(),
        resamples: options.resamples,
    })
}

/// Hyndman & Fan's type 7 (R's and NumPy's default) of ascending values.
pub(crate) fn quantile_type_7(sorted: &[f64], p: f64) -> f64 {
    let position = p * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_type_7() {
        let values = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(quantile_type_7(&values, 0.5), 3.0);
        assert_eq!(quantile_type_7(&values, 0.0), 1.0);
        assert_eq!(quantile_type_7(&values, 1.0), 8.0);
        assert!((quantile_type_7(&values, 0.9) - 6.8).abs() < 1e-12);
    }

    #[test]
    fn the_interval_of_a_mean_is_near_the_normal_one() {
        let rows: Vec<f64> = (0..100).map(f64::from).collect();
        let mean = |w: &[f64]| Some(rows.iter().zip(w).map(|(x, w)| x * w).sum::<f64>() / 100.0);
        let options = BootstrapOptions { resamples: 4000, ..Default::default() };
        let fit = interval(100, &options, mean, SurvivalError::Empty).unwrap();
        // sd of 0..99 with 1/n is 28.866; se of the mean 2.887.
        assert!((fit.std_err - 2.887).abs() < 0.15, "{fit:?}");
        assert!((fit.lower - 43.84).abs() < 0.5 && (fit.upper - 55.16).abs() < 0.5, "{fit:?}");
    }

    #[test]
    fn options_are_checked() {
        let run = |options| interval(2, &options, |_| Some(0.0), SurvivalError::Empty).unwrap_err().to_string();
        assert!(run(BootstrapOptions { resamples: 1, ..Default::default() }).contains("resamples"));
        assert!(run(BootstrapOptions { level: 1.0, ..Default::default() }).contains("level"));
    }
}
