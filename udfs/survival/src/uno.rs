//! Uno's concordance index: pairs weigh the inverse probability that both rows are still followed, so that C does not depend on
//! how long that was. Uno et al., Stat Med 2011;30:1105. Agrees with scikit-survival's `concordance_index_ipcw`.

use crate::bootstrap::{BootstrapComparison, BootstrapInterval, BootstrapOptions, comparison, interval};
use crate::brier::CensoringFrom;
use crate::censoring::{Censoring, Side};
use crate::concordance::{Ranked, TiedTimes, Ties};
use crate::error::SurvivalError;
use crate::outcome::Outcome;

/// How Uno's C counts.
#[derive(Debug, Clone, Copy)]
pub struct UnoOptions<'a> {
    /// Whose censoring curve G gives the weights `1 / G(t)^2`.
    pub censoring: CensoringFrom<'a>,
    /// Events at or after it do not count.
    pub tau: Option<f64>,
    /// Where G is read: scikit-survival at t, R just before it.
    pub side: Side,
    /// Risks at most this far apart are tied; 1e-8 in scikit-survival.
    pub tied_tolerance: f64,
}

/// Uno's C of a risk score (higher: shorter survival).
///
/// # Errors
/// Those of [`crate::concordance::harrell`], and an event where the censoring curve is 0.
pub fn c_index_uno(time: &[f64], event: &[bool], risk: &[f64], options: &UnoOptions) -> Result<f64, SurvivalError> {
    let scored = Scored::new(time, event, options)?;
    scored.c(&scored.rank(risk)?, None)?.ok_or(SurvivalError::NoComparablePairs)
}

/// [`c_index_uno`] with a bootstrap percentile interval. The censoring curve of the same rows is estimated again in each resample,
/// that of training rows stays.
///
/// # Errors
/// Those of [`c_index_uno`] and of the bootstrap's options.
pub fn c_index_uno_ci(
    time: &[f64],
    event: &[bool],
    risk: &[f64],
    options: &UnoOptions,
    bootstrap: &BootstrapOptions,
) -> Result<BootstrapInterval, SurvivalError> {
    let scored = Scored::new(time, event, options)?;
    let ranked = scored.rank(risk)?;
    scored.c(&ranked, None)?;
    interval(time.len(), bootstrap, |w| scored.c(&ranked, Some(w)).ok()?, SurvivalError::NoComparablePairs)
}

/// Difference of Uno's C of two scores by a paired bootstrap.
///
/// # Errors
/// Those of [`c_index_uno_ci`].
pub fn c_index_uno_compare(
    time: &[f64],
    event: &[bool],
    (risk_a, risk_b): (&[f64], &[f64]),
    options: &UnoOptions,
    bootstrap: &BootstrapOptions,
) -> Result<BootstrapComparison, SurvivalError> {
    let scored = Scored::new(time, event, options)?;
    let (a, b) = (scored.rank(risk_a)?, scored.rank(risk_b)?);
    scored.c(&a, None)?;
    let both = |w: &[f64]| Some((scored.c(&a, Some(w)).ok()??, scored.c(&b, Some(w)).ok()??));
    comparison(time.len(), bootstrap, both, SurvivalError::NoComparablePairs)
}

/// The rows that are scored.
struct Scored<'a> {
    outcome: Outcome,
    options: UnoOptions<'a>,
}

impl<'a> Scored<'a> {
    fn new(time: &[f64], event: &[bool], options: &UnoOptions<'a>) -> Result<Self, SurvivalError> {
        Ok(Self { outcome: Outcome::new(time, event)?, options: *options })
    }

    fn rank(&self, risk: &[f64]) -> Result<Ranked, SurvivalError> {
        Ranked::new(&self.outcome, risk, self.options.tied_tolerance)
    }

    /// C with a weight per row (by ascending time); `None` without a comparable pair.
    fn c(&self, ranked: &Ranked, weights: Option<&[f64]>) -> Result<Option<f64>, SurvivalError> {
        let time_weights = self.time_weights(weights)?;
        Ok(ranked.count(&self.outcome, weights, &time_weights, TiedTimes::CensoredOutlives, false).c_index(Ties::Half))
    }

    /// Weight of the pairs whose shorter time is each distinct time.
    fn time_weights(&self, weights: Option<&[f64]>) -> Result<Vec<f64>, SurvivalError> {
        let own;
        let censoring = match self.options.censoring {
            CensoringFrom::Training(curve) => curve,
            CensoringFrom::SameRows => {
                own = Censoring::of(&self.outcome, weights);
                &own
            }
        };
        let tau = self.options.tau.unwrap_or(f64::INFINITY);
        let counts = |position: usize| self.outcome.event()[position] && weights.is_none_or(|w| w[position] > 0.0);
        let of_time = |(block, &time): (usize, &f64)| {
            if time >= tau || !self.outcome.block(block).any(counts) {
                return Ok(0.0);
            }
            let g = censoring.probability(time, self.options.side);
            if g > 0.0 { Ok(1.0 / (g * g)) } else { Err(SurvivalError::CensoringIsZero { time }) }
        };
        self.outcome.distinct_times().iter().enumerate().map(of_time).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: u32) -> (Vec<f64>, Vec<bool>, Vec<f64>) {
        let time = (0..n).map(|i| f64::from(1 + i * 37 % 29)).collect();
        let event = (0..n).map(|i| i * 7 % 5 > 1).collect();
        (time, event, (0..n).map(|i| f64::from(i * 11 % 13) - f64::from(i * 37 % 29)).collect())
    }

    /// All pairs, from the definition.
    fn simply(time: &[f64], event: &[bool], risk: &[f64], tau: f64) -> f64 {
        let g = Censoring::fit(time, event).unwrap();
        let (mut won, mut all) = (0.0, 0.0);
        for i in (0..time.len()).filter(|&i| event[i] && time[i] < tau) {
            let weight = g.probability(time[i], Side::Before).powi(-2);
            for j in (0..time.len()).filter(|&j| time[j] > time[i] || (time[j] == time[i] && !event[j])) {
                all += weight;
                won += weight
                    * if risk[i] > risk[j] {
                        1.0
                    } else if risk[i] == risk[j] {
                        0.5
                    } else {
                        0.0
                    };
            }
        }
        won / all
    }

    const OPTIONS: UnoOptions = UnoOptions { censoring: CensoringFrom::SameRows, tau: Some(25.0), side: Side::Before, tied_tolerance: 0.0 };

    #[test]
    fn agrees_with_all_pairs_and_weights_are_repeated_rows() {
        let (time, event, risk) = rows(60);
        let c = c_index_uno(&time, &event, &risk, &OPTIONS).unwrap();
        assert!((c - simply(&time, &event, &risk, 25.0)).abs() < 1e-13);
        // A resample: some rows twice, some not at all. A pair of a row and its copy is none or tied, as with R's weights.
        let count = |i: usize| [0, 1, 2][i % 3];
        let twice: Vec<usize> = (0..60).flat_map(|i| std::iter::repeat_n(i, count(i))).collect();
        let pick = |v: &[f64]| -> Vec<f64> { twice.iter().map(|&i| v[i]).collect() };
        let events: Vec<bool> = twice.iter().map(|&i| event[i]).collect();
        let repeated = c_index_uno(&pick(&time), &events, &pick(&risk), &OPTIONS).unwrap();
        let scored = Scored::new(&time, &event, &OPTIONS).unwrap();
        let weights: Vec<f64> = scored.outcome.order().iter().map(|&row| count(row as usize) as f64).collect();
        let weighted = scored.c(&scored.rank(&risk).unwrap(), Some(&weights)).unwrap().unwrap();
        assert!((repeated - weighted).abs() < 1e-13, "{repeated} {weighted}");
    }

    #[test]
    fn intervals_hold_the_estimate_and_one_score_does_not_differ_from_itself() {
        let (time, event, risk) = rows(60);
        let bootstrap = BootstrapOptions { resamples: 200, ..Default::default() };
        let found = c_index_uno_ci(&time, &event, &risk, &OPTIONS, &bootstrap).unwrap();
        assert_eq!(found.estimate, c_index_uno(&time, &event, &risk, &OPTIONS).unwrap());
        assert!(found.lower < found.estimate && found.estimate < found.upper && found.std_err > 0.0);
        let same = c_index_uno_compare(&time, &event, (&risk, &risk), &OPTIONS, &bootstrap).unwrap();
        assert_eq!((same.difference.estimate, same.difference.lower, same.p), (0.0, 0.0, 1.0));
        let turned: Vec<f64> = risk.iter().map(|r| -r).collect();
        let found = c_index_uno_compare(&time, &event, (&risk, &turned), &OPTIONS, &bootstrap).unwrap();
        assert!(found.p < 0.02 && (found.a + found.b - 1.0).abs() < 1e-12, "{found:?}");
    }
}
