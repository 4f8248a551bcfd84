//! Time-dependent concordance of predicted survival curves.

use ndarray::ArrayView2;

use crate::bootstrap::{BootstrapComparison, BootstrapInterval, BootstrapOptions, comparison, interval};
use crate::brier::check_times;
use crate::error::SurvivalError;
use crate::outcome::{Outcome, check_rows};

/// Time-dependent concordance of predicted survival curves: among the pairs with an event at t_i that j outlives, the share
/// with `S_i(t_i) < S_j(t_i)`, ties one half. `survival` is rows x times, a step function of the ascending `times`, 1 before
/// the first. Curves may cross, which a single risk score cannot express. Antolini et al., Stat Med 2005;24:3927.
///
/// O(events x rows).
///
/// # Errors
/// Those of [`Outcome::new`], a shape that does not fit, times that do not ascend, and data without a comparable pair.
pub fn c_index_td(time: &[f64], event: &[bool], survival: ArrayView2<f64>, times: &[f64]) -> Result<f64, SurvivalError> {
    let curves = Curves::new(time, event, survival, times)?;
    curves.concordance(None).ok_or(SurvivalError::NoComparablePairs)
}

/// [`c_index_td`] with a bootstrap percentile interval.
///
/// # Errors
/// Those of [`c_index_td`] and of the options.
pub fn c_index_td_ci(
    time: &[f64],
    event: &[bool],
    survival: ArrayView2<f64>,
    times: &[f64],
    options: &BootstrapOptions,
) -> Result<BootstrapInterval, SurvivalError> {
    let curves = Curves::new(time, event, survival, times)?;
    interval(time.len(), options, |w| curves.concordance(Some(w)), SurvivalError::NoComparablePairs)
}

/// Difference of [`c_index_td`] of two models by a paired bootstrap.
///
/// # Errors
/// Those of [`c_index_td_ci`].
pub fn c_index_td_compare(
    time: &[f64],
    event: &[bool],
    survival_a: ArrayView2<f64>,
    survival_b: ArrayView2<f64>,
    times: &[f64],
    options: &BootstrapOptions,
) -> Result<BootstrapComparison, SurvivalError> {
    let (a, b) = (Curves::new(time, event, survival_a, times)?, Curves::new(time, event, survival_b, times)?);
    let both = |w: &[f64]| Some((a.concordance(Some(w))?, b.concordance(Some(w))?));
    comparison(time.len(), options, both, SurvivalError::NoComparablePairs)
}

struct Curves {
    outcome: Outcome,
    /// For each distinct time, the grid step that holds then: 0 before the first time.
    step: Vec<usize>,
    /// Predictions by grid step, rows by time: `column[k][i]`.
    column: Vec<Vec<f64>>,
}

impl Curves {
    fn new(time: &[f64], event: &[bool], survival: ArrayView2<f64>, times: &[f64]) -> Result<Self, SurvivalError> {
        let outcome = Outcome::new(time, event)?;
        check_times(times)?;
        check_rows("survival", time.len(), survival.nrows())?;
        check_rows("survival (times per row)", times.len(), survival.ncols())?;
        if let Some(((row, _), &value)) = survival.indexed_iter().find(|(_, v)| !v.is_finite()) {
            return Err(SurvivalError::NotFinite { what: "survival".into(), row, value });
        }
        let step = outcome.distinct_times().iter().map(|&t| times.partition_point(|&u| u <= t)).collect();
        let column =
            survival.columns().into_iter().map(|column| outcome.order().iter().map(|&row| column[row as usize]).collect()).collect();
        Ok(Self { outcome, step, column })
    }

    fn concordance(&self, weights: Option<&[f64]>) -> Option<f64> {
        let weight = |i: usize| weights.map_or(1.0, |w| w[i]);
        let event = self.outcome.event();
        let (mut won, mut comparable) = (0.0, 0.0);
        for block in 0..self.outcome.distinct_times().len() {
            let rows = self.outcome.block(block);
            for i in rows.clone().filter(|&i| event[i] && weight(i) > 0.0) {
                let later = rows.clone().filter(|&j| !event[j]).chain(rows.end..self.outcome.len());
                let (mut own_won, mut own_comparable) = (0.0, 0.0);
                for j in later {
                    let score = match self.step[block].checked_sub(1) {
                        None => 0.5,
                        Some(k) => match self.column[k][i].total_cmp(&self.column[k][j]) {
                            std::cmp::Ordering::Less => 1.0,
                            std::cmp::Ordering::Equal => 0.5,
                            std::cmp::Ordering::Greater => 0.0,
                        },
                    };
                    own_won += weight(j) * score;
                    own_comparable += weight(j);
                }
                won += weight(i) * own_won;
                comparable += weight(i) * own_comparable;
            }
        }
        (comparable > 0.0).then(|| won / comparable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::concordance::harrell;
    use ndarray::Array2;

    #[test]
    fn curves_of_one_order_give_harrells_c() {
        let time = [1.0, 2.0, 2.0, 3.0, 5.0, 6.0];
        let event = [true, true, false, true, false, true];
        let risk = [3.0, 1.0, 2.0, 2.0, 0.5, 1.0];
        let times = [0.5, 2.5];
        let survival = Array2::from_shape_fn((6, 2), |(i, k)| f64::exp(-0.1 * risk[i] * times[k]));
        let c = c_index_td(&time, &event, survival.view(), &times).unwrap();
        assert_eq!(c, harrell(&time, &event, &risk).unwrap().c_index);
    }

    #[test]
    fn a_comparison_holds_both_and_is_void_for_one_model() {
        let time: Vec<f64> = (0..40).map(|i| f64::from(i * 7 % 23)).collect();
        let event: Vec<bool> = (0..40).map(|i| i % 3 > 0).collect();
        let curve = |shift: usize| Array2::from_shape_fn((40, 2), |(i, k)| 1.0 / (1.0 + ((i * 5 + shift) % 17 + k) as f64));
        let (a, b, times) = (curve(0), curve(3), [4.0, 12.0]);
        let options = BootstrapOptions { resamples: 50, ..Default::default() };
        let found = c_index_td_compare(&time, &event, a.view(), b.view(), &times, &options).unwrap();
        assert_eq!(found.a, c_index_td(&time, &event, a.view(), &times).unwrap());
        assert_eq!(found.b, c_index_td(&time, &event, b.view(), &times).unwrap());
        assert!(found.difference.lower < found.difference.estimate && found.difference.estimate < found.difference.upper);
        let same = c_index_td_compare(&time, &event, a.view(), a.view(), &times, &options).unwrap();
        assert_eq!((same.difference.lower, same.difference.upper, same.p), (0.0, 0.0, 1.0));
    }
}
