//! Discrimination at a time: cumulative/dynamic AUC.

use serde::{Deserialize, Serialize};

use crate::bootstrap::{BootstrapComparison, BootstrapInterval, BootstrapOptions, comparison, interval};
use crate::brier::{CensoringFrom, check_times};
use crate::censoring::{Censoring, Side};
use crate::error::SurvivalError;
use crate::outcome::{Outcome, check_finite, check_rows};

/// Cumulative/dynamic AUC over a grid of times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DynamicAuc {
    pub times: Vec<f64>,
    /// `None` at a time without cases or without controls.
    pub auc: Vec<Option<f64>>,
    /// Mean over the times, weighted by the fall of the Kaplan-Meier curve since the time before.
    pub mean: Option<f64>,
}

/// Area under the ROC curve of `risk` at each of the ascending `times`: cases had the event by t and weigh `1 / G(t_i)`,
/// controls are still free of it. Ties in risk count one half.
///
/// Agrees with scikit-survival's `cumulative_dynamic_auc`. Uno et al., JASA 2007;102:527. Lambert & Chevret, Stat Methods Med
/// Res 2016;25:2088 (the mean).
///
/// # Errors
/// Those of [`Outcome::new`], a risk or times that are not finite, times that do not ascend, and a censoring curve that is
/// 0 at a case.
pub fn auc_td(
    time: &[f64],
    event: &[bool],
    risk: &[f64],
    times: &[f64],
    censoring: CensoringFrom,
    side: Side,
) -> Result<DynamicAuc, SurvivalError> {
    let problem = Problem::new(time, event, risk, times, censoring, side)?;
    let (auc, mean) = problem.auc(None)?;
    Ok(DynamicAuc { times: times.to_vec(), auc, mean })
}

/// The mean cumulative/dynamic AUC (that at the time itself for a single time) with a bootstrap percentile interval.
///
/// # Errors
/// Those of [`auc_td`] and of the options, and times without cases or controls.
pub fn auc_td_ci(
    time: &[f64],
    event: &[bool],
    risk: &[f64],
    times: &[f64],
    censoring: CensoringFrom,
    side: Side,
    options: &BootstrapOptions,
) -> Result<BootstrapInterval, SurvivalError> {
    let problem = Problem::new(time, event, risk, times, censoring, side)?;
    problem.observed()?;
    interval(time.len(), options, |w| problem.auc(Some(w)).ok()?.1, SurvivalError::NoComparablePairs)
}

/// Difference of the mean AUC of two scores by a paired bootstrap.
///
/// # Errors
/// Those of [`auc_td_ci`].
#[allow(clippy::too_many_arguments)] // The two scores share everything else.
pub fn auc_td_compare(
    time: &[f64],
    event: &[bool],
    risk_a: &[f64],
    risk_b: &[f64],
    times: &[f64],
    censoring: CensoringFrom,
    side: Side,
    options: &BootstrapOptions,
) -> Result<BootstrapComparison, SurvivalError> {
    let a = Problem::new(time, event, risk_a, times, censoring, side)?;
    let b = Problem::new(time, event, risk_b, times, censoring, side)?;
    a.observed()?;
    let both = |w: &[f64]| Some((a.auc(Some(w)).ok()?.1?, b.auc(Some(w)).ok()?.1?));
    comparison(time.len(), options, both, SurvivalError::NoComparablePairs)
}

struct Problem<'a> {
    outcome: Outcome,
    /// Time of each row, ascending.
    time: Vec<f64>,
    /// Rows (by time) from the highest risk down, in groups of equal risk.
    by_risk: Vec<Vec<u32>>,
    times: &'a [f64],
    censoring: CensoringFrom<'a>,
    side: Side,
}

impl<'a> Problem<'a> {
    fn new(
        time: &[f64],
        event: &[bool],
        risk: &[f64],
        times: &'a [f64],
        censoring: CensoringFrom<'a>,
        side: Side,
    ) -> Result<Self, SurvivalError> {
        let outcome = Outcome::new(time, event)?;
        check_rows("risk", time.len(), risk.len())?;
        check_finite("risk", risk)?;
        check_times(times)?;
        let risk = outcome.arrange(risk);
        let mut order: Vec<u32> = (0..risk.len() as u32).collect();
        order.sort_by(|&a, &b| risk[b as usize].total_cmp(&risk[a as usize]));
        let by_risk = order.chunk_by(|&a, &b| risk[a as usize] == risk[b as usize]).map(<[u32]>::to_vec).collect();
        let mut sorted = vec![0.0; time.len()];
        for (block, &t) in outcome.distinct_times().iter().enumerate() {
            sorted[outcome.block(block)].fill(t);
        }
        Ok(Self { outcome, time: sorted, by_risk, times, censoring, side })
    }

    /// The mean of all rows as they are.
    fn observed(&self) -> Result<f64, SurvivalError> {
        self.auc(None)?.1.ok_or(SurvivalError::NoCasesOrControls)
    }

    /// AUC at each time and their weighted mean.
    fn auc(&self, weights: Option<&[f64]>) -> Result<(Vec<Option<f64>>, Option<f64>), SurvivalError> {
        let own;
        let censoring = match self.censoring {
            CensoringFrom::Training(curve) => curve,
            CensoringFrom::SameRows => {
                own = Censoring::of(&self.outcome, weights);
                &own
            }
        };
        let weight = |i: usize| weights.map_or(1.0, |w| w[i]);
        let latest = self.times[self.times.len() - 1];
        let mut case_weight = vec![0.0; self.time.len()];
        for (i, &t) in self.time.iter().enumerate() {
            if t <= latest && self.outcome.event()[i] && weight(i) > 0.0 {
                let g = censoring.probability(t, self.side);
                if g <= 0.0 {
                    return Err(SurvivalError::CensoringIsZero { time: t });
                }
                case_weight[i] = weight(i) / g;
            }
        }
        let auc: Vec<Option<f64>> = self
            .times
            .iter()
            .map(|&t| {
                let (mut cases, mut controls, mut area) = (0.0, 0.0, 0.0);
                for tied in &self.by_risk {
                    let (mut new_cases, mut new_controls) = (0.0, 0.0);
                    for &i in tied {
                        let i = i as usize;
                        if self.time[i] > t { new_controls += weight(i) } else { new_cases += case_weight[i] }
                    }
                    area += new_controls * (cases + new_cases / 2.0);
                    cases += new_cases;
                    controls += new_controls;
                }
                (cases > 0.0 && controls > 0.0).then(|| area / (cases * controls))
            })
            .collect();
        Ok((auc.clone(), self.mean(&auc, weights)))
    }

    fn mean(&self, auc: &[Option<f64>], weights: Option<&[f64]>) -> Option<f64> {
        if auc.len() == 1 {
            return auc[0];
        }
        let table = self.outcome.table(weights);
        let (mut next, mut survival, mut before, mut sum) = (0, 1.0, 1.0, 0.0);
        for (&t, auc) in self.times.iter().zip(auc) {
            while next < table.len() && table[next].time <= t {
                if table[next].events > 0.0 {
                    survival *= 1.0 - table[next].events / table[next].at_risk;
                }
                next += 1;
            }
            if before > survival {
                sum += (*auc)? * (before - survival);
            }
            before = survival;
        }
        (survival < 1.0).then(|| sum / (1.0 - survival))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_cases_has_no_auc() {
        let fit = auc_td(&[1.0, 2.0], &[true, false], &[2.0, 1.0], &[0.5, 1.5], CensoringFrom::SameRows, Side::At).unwrap();
        assert_eq!(fit.auc, [None, Some(1.0)]);
        assert_eq!(fit.mean, Some(1.0));
    }
}
