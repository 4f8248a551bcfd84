//! The Brier score under censoring and its integral, weighted by the inverse probability of censoring.
//!
//! `BS(t) = mean_i [ S_i(t)^2 1(t_i <= t, event) / G(t_i) + (1 - S_i(t))^2 1(t_i > t) / G(t) ]`;
//! `IBS` is its trapezoid over the grid of times, divided by the length of the grid: state the grid with the value.
//! Agrees with scikit-survival's `brier_score` and `integrated_brier_score`; [`Side::Before`] reads the first G just before
//! t_i, as pec and riskRegression do. Graf et al., Stat Med 1999;18:2529.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use crate::bootstrap::{BootstrapComparison, BootstrapInterval, BootstrapOptions, comparison, interval};
use crate::censoring::{Censoring, Side};
use crate::error::SurvivalError;
use crate::outcome::Outcome;

/// Rows whose censoring gives the weights.
#[derive(Debug, Clone, Copy)]
pub enum CensoringFrom<'a> {
    /// The rows that are scored. A bootstrap estimates the curve again in each resample.
    SameRows,
    /// A curve of other rows, usually the training rows. Beyond its last time it keeps its last value.
    Training(&'a Censoring),
}

/// Brier scores over a grid of times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BrierScore {
    pub times: Vec<f64>,
    pub scores: Vec<f64>,
    /// Integral over the grid divided by its length; `None` for a single time.
    pub integrated: Option<f64>,
    /// Times of the grid beyond the last follow-up behind the censoring curve, which rest on a carried value.
    pub times_beyond_follow_up: usize,
}

/// Brier scores of predicted `survival` (rows x times) at ascending `times`.
///
/// # Errors
/// Those of [`Outcome::new`], a shape that does not fit, times that do not ascend, predictions outside 0..=1, and a
/// censoring curve that is 0 where a weight is needed.
pub fn brier_score(
    time: &[f64],
    event: &[bool],
    survival: ArrayView2<f64>,
    times: &[f64],
    censoring: CensoringFrom,
    side: Side,
) -> Result<BrierScore, SurvivalError> {
    let problem = Problem::new(time, event, times, censoring, side)?;
    let survival = problem.arrange(survival)?;
    let scores = problem.scores(&survival, None)?;
    let integrated = (times.len() > 1).then(|| integrate(times, &scores));
    let last = match censoring {
        CensoringFrom::SameRows => problem.outcome.distinct_times().last().copied(),
        CensoringFrom::Training(curve) => curve.time.last().copied(),
    };
    let times_beyond_follow_up = times.iter().filter(|&&t| last.is_some_and(|last| t > last)).count();
    Ok(BrierScore { times: times.to_vec(), scores, integrated, times_beyond_follow_up })
}

/// The integrated Brier score with a bootstrap percentile interval.
///
/// # Errors
/// Those of [`brier_score`] and of the options, and fewer than two times.
pub fn integrated_brier_score_ci(
    time: &[f64],
    event: &[bool],
    survival: ArrayView2<f64>,
    times: &[f64],
    censoring: CensoringFrom,
    side: Side,
    options: &BootstrapOptions,
) -> Result<BootstrapInterval, SurvivalError> {
    let problem = Problem::new(time, event, times, censoring, side)?;
    let survival = problem.arrange(survival)?;
    problem.check_integrable(&[&survival])?;
    let ibs = |weights: &[f64]| Some(integrate(times, &problem.scores(&survival, Some(weights)).ok()?));
    interval(time.len(), options, ibs, SurvivalError::NoComparablePairs)
}

/// Difference of the integrated Brier scores of two sets of predictions by a paired bootstrap.
///
/// # Errors
/// Those of [`integrated_brier_score_ci`].
#[allow(clippy::too_many_arguments)] // The two sets of predictions share everything else.
pub fn integrated_brier_score_compare(
    time: &[f64],
    event: &[bool],
    survival_a: ArrayView2<f64>,
    survival_b: ArrayView2<f64>,
    times: &[f64],
    censoring: CensoringFrom,
    side: Side,
    options: &BootstrapOptions,
) -> Result<BootstrapComparison, SurvivalError> {
    let problem = Problem::new(time, event, times, censoring, side)?;
    let (a, b) = (problem.arrange(survival_a)?, problem.arrange(survival_b)?);
    problem.check_integrable(&[&a, &b])?;
    let both = |weights: &[f64]| {
        let ibs = |survival| Some(integrate(times, &problem.scores(survival, Some(weights)).ok()?));
        Some((ibs(&a)?, ibs(&b)?))
    };
    comparison(time.len(), options, both, SurvivalError::NoComparablePairs)
}

/// The Brier score at each time with a bootstrap percentile interval.
///
/// # Errors
/// Those of [`brier_score`] and of the options.
pub fn brier_score_ci(
    time: &[f64],
    event: &[bool],
    survival: ArrayView2<f64>,
    times: &[f64],
    censoring: CensoringFrom,
    side: Side,
    options: &BootstrapOptions,
) -> Result<Vec<BootstrapInterval>, SurvivalError> {
    brier_score(time, event, survival, times, censoring, side)?;
    (0..times.len())
        .map(|k| {
            let problem = Problem::new(time, event, &times[k..=k], censoring, side)?;
            let column = problem.arrange(survival.slice(ndarray::s![.., k..=k]))?;
            let score = |weights: &[f64]| Some(problem.scores(&column, Some(weights)).ok()?[0]);
            interval(time.len(), options, score, SurvivalError::CensoringIsZero { time: times[k] })
        })
        .collect()
}

/// Difference of two models' Brier scores at each time by a paired bootstrap.
///
/// # Errors
/// Those of [`brier_score`] and of the options.
#[allow(clippy::too_many_arguments)] // The two models share everything else.
pub fn brier_score_compare(
    time: &[f64],
    event: &[bool],
    survival_a: ArrayView2<f64>,
    survival_b: ArrayView2<f64>,
    times: &[f64],
    censoring: CensoringFrom,
    side: Side,
    options: &BootstrapOptions,
) -> Result<Vec<BootstrapComparison>, SurvivalError> {
    brier_score(time, event, survival_a, times, censoring, side)?;
    brier_score(time, event, survival_b, times, censoring, side)?;
    (0..times.len())
        .map(|k| {
            let problem = Problem::new(time, event, &times[k..=k], censoring, side)?;
            let column = |survival: ArrayView2<f64>| problem.arrange(survival.slice(ndarray::s![.., k..=k]));
            let (a, b) = (column(survival_a)?, column(survival_b)?);
            let score = |column: &[f64], weights: &[f64]| Some(problem.scores(column, Some(weights)).ok()?[0]);
            let both = |weights: &[f64]| Some((score(&a, weights)?, score(&b, weights)?));
            comparison(time.len(), options, both, SurvivalError::CensoringIsZero { time: times[k] })
        })
        .collect()
}

struct Problem<'a> {
    outcome: Outcome,
    /// Time of each row, ascending.
    time: Vec<f64>,
    times: &'a [f64],
    censoring: CensoringFrom<'a>,
    side: Side,
}

impl<'a> Problem<'a> {
    fn new(time: &[f64], event: &[bool], times: &'a [f64], censoring: CensoringFrom<'a>, side: Side) -> Result<Self, SurvivalError> {
        let outcome = Outcome::new(time, event)?;
        check_times(times)?;
        let mut sorted = vec![0.0; time.len()];
        for (block, &t) in outcome.distinct_times().iter().enumerate() {
            sorted[outcome.block(block)].fill(t);
        }
        Ok(Self { outcome, time: sorted, times, censoring, side })
    }

    /// Predictions checked and copied in the order of time, one row after the other.
    fn arrange(&self, survival: ArrayView2<f64>) -> Result<Vec<f64>, SurvivalError> {
        crate::outcome::check_rows("survival", self.outcome.len(), survival.nrows())?;
        if survival.ncols() != self.times.len() {
            return Err(SurvivalError::LengthMismatch {
                what: "survival (times per row)".into(),
                expected: self.times.len(),
                found: survival.ncols(),
            });
        }
        let slack = 1e-9;
        for ((row, _), &value) in survival.indexed_iter() {
            if !(-slack..=1.0 + slack).contains(&value) {
                return Err(SurvivalError::NotAProbability { what: "survival".into(), row, value });
            }
        }
        Ok(self.outcome.order().iter().flat_map(|&row| survival.row(row as usize).to_vec()).collect())
    }

    fn check_integrable(&self, predictions: &[&Vec<f64>]) -> Result<(), SurvivalError> {
        if self.times.len() < 2 {
            return Err(SurvivalError::BadTimes { reason: "an integral needs at least two times" });
        }
        predictions.iter().try_for_each(|survival| self.scores(survival, None).map(|_| ()))
    }

    /// Brier score at each time, rows counting their weight.
    fn scores(&self, survival: &[f64], weights: Option<&[f64]>) -> Result<Vec<f64>, SurvivalError> {
        let own;
        let censoring = match self.censoring {
            CensoringFrom::Training(curve) => curve,
            CensoringFrom::SameRows => {
                own = Censoring::of(&self.outcome, weights);
                &own
            }
        };
        let grid = self.times.len();
        let at_grid: Vec<f64> = self.times.iter().map(|&t| censoring.probability(t, Side::At)).collect();
        let mut scores = vec![0.0; grid];
        let mut total = 0.0;
        for (i, &t) in self.time.iter().enumerate() {
            let weight = weights.map_or(1.0, |w| w[i]);
            if weight == 0.0 {
                continue;
            }
            total += weight;
            let row = &survival[i * grid..(i + 1) * grid];
            let alive = self.times.partition_point(|&u| u < t);
            for k in 0..alive {
                if at_grid[k] <= 0.0 {
                    return Err(SurvivalError::CensoringIsZero { time: self.times[k] });
                }
                let miss = 1.0 - row[k];
                scores[k] += weight * miss * miss / at_grid[k];
            }
            if self.outcome.event()[i] && alive < grid {
                let g = censoring.probability(t, self.side);
                if g <= 0.0 {
                    return Err(SurvivalError::CensoringIsZero { time: t });
                }
                for k in alive..grid {
                    scores[k] += weight * row[k] * row[k] / g;
                }
            }
        }
        scores.iter_mut().for_each(|score| *score /= total);
        Ok(scores)
    }
}

/// Ascending, finite and at least one.
pub(crate) fn check_times(times: &[f64]) -> Result<(), SurvivalError> {
    if times.is_empty() {
        Err(SurvivalError::BadTimes { reason: "at least one time is needed" })
    } else if times.iter().any(|t| !t.is_finite()) {
        Err(SurvivalError::BadTimes { reason: "every time must be finite" })
    } else if times.windows(2).any(|pair| pair[0] >= pair[1]) {
        Err(SurvivalError::BadTimes { reason: "times must ascend without repetition" })
    } else {
        Ok(())
    }
}

/// Trapezoid over the grid divided by its length.
fn integrate(times: &[f64], values: &[f64]) -> f64 {
    let area: f64 = times.windows(2).zip(values.windows(2)).map(|(t, v)| (t[1] - t[0]) * (v[0] + v[1]) / 2.0).sum();
    area / (times[times.len() - 1] - times[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn without_censoring_it_is_the_mean_squared_error() {
        let survival = array![[0.9, 0.2], [0.8, 0.6], [0.7, 0.7]];
        let fit = brier_score(&[1.0, 3.0, 4.0], &[true; 3], survival.view(), &[0.5, 2.0], CensoringFrom::SameRows, Side::At).unwrap();
        assert!((fit.scores[0] - (0.01 + 0.04 + 0.09) / 3.0).abs() < 1e-15);
        assert!((fit.scores[1] - (0.04 + 0.16 + 0.09) / 3.0).abs() < 1e-15);
        assert_eq!(fit.integrated, Some((fit.scores[0] + fit.scores[1]) / 2.0));
    }

    #[test]
    fn bad_input_is_named() {
        let run = |survival: ndarray::Array2<f64>, times: &[f64]| {
            brier_score(&[1.0, 2.0], &[true, false], survival.view(), times, CensoringFrom::SameRows, Side::At).unwrap_err().to_string()
        };
        assert!(run(array![[0.5], [1.5]], &[1.0]).contains("is 1.5"));
        assert!(run(array![[0.5, 0.5], [0.5, 0.5]], &[1.0, 1.0]).contains("ascend"));
        assert!(run(array![[0.5, 0.5], [0.5, 0.5]], &[1.0]).contains("times per row"));
        assert!(run(array![[0.5, 0.5]], &[1.0, 2.0]).contains("survival"));
    }
}
