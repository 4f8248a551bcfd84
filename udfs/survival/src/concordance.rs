//! Concordance of a risk score with a right-censored outcome: Harrell's C, its weighted relatives and Uno's C.
//!
//! A pair is comparable when the shorter time is an event; at equal times an event comes before a censoring, and two
//! events are not comparable. A comparable pair is concordant when the shorter time has the higher risk.
//! `C = (concordant + tied in risk / 2) / comparable`. O(n log n) by running sums over the order of the risk.
//!
//! Agrees with R `survival::concordance(reverse = TRUE)` (counts, weights, time weights, infinitesimal jackknife
//! standard error) and with scikit-survival's `concordance_index_censored` and `concordance_index_ipcw`.
//! Harrell et al., JAMA 1982;247:2543. Uno et al., Stat Med 2011;30:1105. Therneau & Watson, Mayo Clinic report 85, 2017.

use serde::{Deserialize, Serialize};

use crate::ascending::ascending;
use crate::error::SurvivalError;
use crate::outcome::{Outcome, check_finite, check_rows};
use crate::running_sums::{Bits, Fenwick, Flat, RunningSums};
use crate::simd::vectorized;

/// How pairs tied in risk count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// A tied pair counts one half (R, scikit-survival).
    #[default]
    Half,
    /// A tied pair is left out (survcomp's `outx = TRUE`).
    Drop,
}

/// Whether an event and a censoring at the same time are comparable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TiedTimes {
    /// The censored row is taken to live longer (R, scikit-survival).
    #[default]
    CensoredOutlives,
    /// No pair of equal times is comparable (survcomp).
    Drop,
}

/// Weight of the pairs whose shorter time is t. S and G are the Kaplan-Meier curves of the event and of the
/// censoring, both just before t; n(t) is the number at risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum TimeWeight {
    /// 1: Harrell's C.
    #[default]
    #[serde(rename = "n")]
    Count,
    /// n S(t) / n(t): as if nobody were censored (Peto-Wilcoxon).
    #[serde(rename = "S")]
    Survival,
    /// n S(t) / (G(t) n(t)) (Schemper).
    #[serde(rename = "S/G")]
    SurvivalOverCensoring,
    /// 1 / G(t)^2: Uno's C with the censoring curve of the same rows.
    #[serde(rename = "n/G2")]
    InverseCensoringSquared,
    /// 1 / n(t): each event time counts alike, as in the Cox score test.
    #[serde(rename = "I")]
    Equal,
}

/// How to count. The default is Harrell's C as in R and scikit-survival, with a standard error.
#[derive(Debug, Clone)]
pub struct ConcordanceOptions {
    pub ties: Ties,
    pub tied_times: TiedTimes,
    pub time_weight: TimeWeight,
    /// Risks at most this far apart are tied. 0 is exact equality (R); scikit-survival uses 1e-8.
    pub tied_tolerance: f64,
    /// Pairs whose shorter time is beyond `tau` are left out (R's `ymax`).
    pub tau: Option<f64>,
    /// Whether to compute the standard error, which costs a second pass.
    pub std_err: bool,
}

impl Default for ConcordanceOptions {
    fn default() -> Self {
        Self {
            ties: Ties::Half,
            tied_times: TiedTimes::CensoredOutlives,
            time_weight: TimeWeight::Count,
            tied_tolerance: 0.0,
            tau: None,
            std_err: true,
        }
    }
}

/// Concordance and the pairs behind it. Counts are sums of pair weights; without weights they are whole numbers, exact
/// up to 2^53 pairs (134 million rows).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Concordance {
    pub c_index: f64,
    /// Infinitesimal jackknife, as in R `survival::concordance`.
    pub std_err: Option<f64>,
    pub concordant: f64,
    pub discordant: f64,
    /// Comparable pairs tied in risk.
    pub tied_risk: f64,
    /// Pairs of two events at one time with different risks.
    pub tied_time: f64,
    /// Pairs of two events at one time with the same risk.
    pub tied_both: f64,
    /// Rows.
    pub n: usize,
    /// Rows with an event.
    pub events: usize,
}

/// Harrell's C with R's conventions.
///
/// # Errors
/// Those of [`Outcome::new`], a risk that is not finite, and data without a comparable pair.
pub fn harrell(time: &[f64], event: &[bool], risk: &[f64]) -> Result<Concordance, SurvivalError> {
    concordance(time, event, risk, None, &ConcordanceOptions::default())
}

/// Concordance with `weights` (one per row, none negative; 1 when absent) and options.
///
/// # Errors
/// Those of [`harrell`], and weights that are negative, not finite or of another length.
pub fn concordance(
    time: &[f64],
    event: &[bool],
    risk: &[f64],
    weights: Option<&[f64]>,
    options: &ConcordanceOptions,
) -> Result<Concordance, SurvivalError> {
    let outcome = Outcome::new(time, event)?;
    let weights = arranged_weights(&outcome, weights)?;
    let time_weights = time_weights(&outcome, weights.as_deref(), options);
    let ranked = Ranked::new(&outcome, risk, options.tied_tolerance)?;
    let pairs = ranked.count(&outcome, weights.as_deref(), &time_weights, options.tied_times, options.std_err);
    let c_index = pairs.c_index(options.ties).ok_or(SurvivalError::NoComparablePairs)?;
    let std_err = pairs.influence.as_ref().map(|influence| {
        let residuals = influence.residuals(&pairs, options.ties, weights.as_deref());
        residuals.iter().map(|d| d * d).sum::<f64>().sqrt()
    });
    Ok(Concordance {
        c_index,
        std_err,
        concordant: pairs.concordant,
        discordant: pairs.discordant,
        tied_risk: pairs.tied_risk,
        tied_time: pairs.tied_time,
        tied_both: pairs.tied_both,
        n: outcome.len(),
        events: outcome.events(),
    })
}

/// `weights` checked and arranged by ascending time.
pub(crate) fn arranged_weights(outcome: &Outcome, weights: Option<&[f64]>) -> Result<Option<Vec<f64>>, SurvivalError> {
    let Some(weights) = weights else { return Ok(None) };
    check_rows("weights", outcome.len(), weights.len())?;
    check_finite("weights", weights)?;
    if let Some(row) = weights.iter().position(|&w| w < 0.0) {
        return Err(SurvivalError::NegativeWeight { row, weight: weights[row] });
    }
    Ok(Some(outcome.arrange(weights)))
}

pub(crate) fn time_weights(outcome: &Outcome, weights: Option<&[f64]>, options: &ConcordanceOptions) -> Vec<f64> {
    let table = outcome.table(weights);
    let n = table[0].at_risk;
    let tau = options.tau.unwrap_or(f64::INFINITY);
    // Time weights only rank pairs of different times; with one event there is nothing to weigh.
    let kind = if outcome.events() < 2 { TimeWeight::Count } else { options.time_weight };
    let (mut survival, mut censoring) = (1.0, 1.0);
    table
        .iter()
        .map(|row| {
            let weight = match kind {
                TimeWeight::Count => 1.0,
                TimeWeight::Survival => n * survival / row.at_risk,
                TimeWeight::SurvivalOverCensoring => n * survival / (censoring * row.at_risk),
                TimeWeight::InverseCensoringSquared => 1.0 / (censoring * censoring),
                TimeWeight::Equal => 1.0 / row.at_risk,
            };
            if row.at_risk > 0.0 {
                survival *= (row.at_risk - row.events) / row.at_risk;
            }
            if row.at_risk > row.events {
                // Events at this time leave first: only those still at risk can be censored.
                censoring *= (row.at_risk - row.events - row.censored) / (row.at_risk - row.events);
            }
            // A curve is 0 only where nobody is left to form a pair.
            if row.time <= tau && weight.is_finite() { weight } else { 0.0 }
        })
        .collect()
}

/// Where each row stands in the order of the risk: what stays fixed over resamples. Rows by ascending time.
#[derive(Debug, Clone)]
pub(crate) struct Ranked {
    rows: Vec<Place>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// Position by ascending risk.
    at: u32,
    /// The first position tied with it, and the first above those tied.
    low: u32,
    high: u32,
    /// Rank among the distinct risks.
    rank: u32,
}

/// Rows up to which every running sum is kept.
const FEW_ROWS: usize = 512;

/// Sums of pair weights.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pairs {
    pub concordant: f64,
    pub discordant: f64,
    pub tied_risk: f64,
    pub tied_time: f64,
    pub tied_both: f64,
    pub influence: Option<Influence>,
}

/// Per row (by ascending time): the weight of its partners in concordant, discordant and tied pairs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Influence {
    pub concordant: Vec<f64>,
    pub discordant: Vec<f64>,
    pub tied_risk: Vec<f64>,
}

impl Pairs {
    pub fn c_index(&self, ties: Ties) -> Option<f64> {
        let (numerator, comparable) = match ties {
            Ties::Half => (self.concordant + self.tied_risk / 2.0, self.concordant + self.discordant + self.tied_risk),
            Ties::Drop => (self.concordant, self.concordant + self.discordant),
        };
        (comparable > 0.0).then(|| numerator / comparable)
    }
}

impl Influence {
    /// Weighted derivative of C with respect to each row's weight, rows by ascending time.
    pub fn residuals(&self, pairs: &Pairs, ties: Ties, weights: Option<&[f64]>) -> Vec<f64> {
        let half = if ties == Ties::Half { 1.0 } else { 0.0 };
        let comparable = pairs.concordant + pairs.discordant + half * pairs.tied_risk;
        let c = (pairs.concordant + half * pairs.tied_risk / 2.0) / comparable;
        (0..self.concordant.len())
            .map(|i| {
                let tied = half * self.tied_risk[i];
                let own = self.concordant[i] + tied / 2.0;
                let all = self.concordant[i] + self.discordant[i] + tied;
                weights.map_or(1.0, |w| w[i]) * (own - c * all) / comparable
            })
            .collect()
    }
}

impl Ranked {
    pub fn new(outcome: &Outcome, risk: &[f64], tied_tolerance: f64) -> Result<Self, SurvivalError> {
        check_rows("risk", outcome.len(), risk.len())?;
        check_finite("risk", risk)?;
        if tied_tolerance.is_nan() || tied_tolerance < 0.0 {
            return Err(SurvivalError::BadOption {
                option: "tied_tolerance",
                expected: "a number that is not negative",
                found: tied_tolerance.to_string(),
            });
        }
        let sorted = ascending(outcome.order().iter().map(|&row| risk[row as usize]));
        let mut rows = vec![Place::default(); sorted.len()];
        let (mut low, mut high, mut rank) = (0, 0, 0);
        for (at, &(r, position)) in sorted.iter().enumerate() {
            // -0 and 0 are one risk.
            if at > 0 && sorted[at - 1].0 != r {
                rank += 1;
            }
            while r - sorted[low].0 > tied_tolerance {
                low += 1;
            }
            while high < sorted.len() && sorted[high].0 - r <= tied_tolerance {
                high += 1;
            }
            rows[position as usize] = Place { at: at as u32, low: low as u32, high: high as u32, rank };
        }
        Ok(Self { rows })
    }

    /// Counts the pairs. `weights` are by ascending time; `time_weights` are per distinct time.
    pub fn count(&self, outcome: &Outcome, weights: Option<&[f64]>, time_weights: &[f64], tied_times: TiedTimes, influence: bool) -> Pairs {
        let n = self.rows.len();
        let unit = weights.is_none() && (!influence || time_weights.iter().all(|&w| w == 1.0));
        vectorized(
            #[inline(always)]
            || match n {
                0..=FEW_ROWS => self.count_in(Flat::new(n), outcome, weights, time_weights, tied_times, influence),
                _ if unit => self.count_in(Bits::new(n), outcome, None, time_weights, tied_times, influence),
                _ => self.count_in(Fenwick::new(n), outcome, weights, time_weights, tied_times, influence),
            },
        )
    }

    #[inline(always)]
    fn count_in<T: RunningSums>(
        &self,
        mut tree: T,
        outcome: &Outcome,
        weights: Option<&[f64]>,
        time_weights: &[f64],
        tied_times: TiedTimes,
        influence: bool,
    ) -> Pairs {
        let weight = |position: usize| weights.map_or(1.0, |w| w[position]);
        let event = outcome.event();
        let n = outcome.len();
        let mut pairs = Pairs::default();
        let mut own = influence.then(|| Influence { concordant: vec![0.0; n], discordant: vec![0.0; n], tied_risk: vec![0.0; n] });
        let mut ranks_of_events: Vec<(u32, f64)> = Vec::new();

        // From the latest time on: the tree holds the rows that outlive the event at hand.
        for block in (0..outcome.distinct_times().len()).rev() {
            let time_weight = time_weights[block];
            if tied_times == TiedTimes::CensoredOutlives {
                for i in outcome.block(block).filter(|&i| !event[i]) {
                    tree.add(self.rows[i].at, weight(i));
                }
            }
            ranks_of_events.clear();
            for i in outcome.block(block).filter(|&i| event[i]) {
                let w = weight(i);
                ranks_of_events.push((self.rows[i].rank, w));
                if time_weight == 0.0 || w == 0.0 {
                    continue;
                }
                let Place { low, high, .. } = self.rows[i];
                let lower = tree.below(low);
                // The row itself is not in the tree.
                let up_to_tied = if low + 1 == high { lower } else { tree.below(high) };
                let (concordant, tied, discordant) =
                    (time_weight * lower, time_weight * (up_to_tied - lower), time_weight * (tree.total() - up_to_tied));
                pairs.concordant += w * concordant;
                pairs.tied_risk += w * tied;
                pairs.discordant += w * discordant;
                if let Some(own) = &mut own {
                    own.concordant[i] = concordant;
                    own.tied_risk[i] = tied;
                    own.discordant[i] = discordant;
                }
            }
            if ranks_of_events.len() > 1 && time_weight != 0.0 {
                let (same_risk, other_risk) = pairs_within(&mut ranks_of_events);
                pairs.tied_both += same_risk;
                pairs.tied_time += other_risk;
            }
            let late = tied_times == TiedTimes::Drop;
            for i in outcome.block(block).filter(|&i| late || event[i]) {
                tree.add(self.rows[i].at, weight(i));
            }
        }

        // From the earliest time on: the tree holds the events that each row outlives, with their time weight.
        if let Some(own) = &mut own {
            tree.clear();
            for (block, &time_weight) in time_weights.iter().enumerate() {
                let mut outlived = |i: usize, tree: &T| {
                    let Place { low, high, .. } = self.rows[i];
                    let lower = tree.below(low);
                    let up_to_tied = if low + 1 == high { lower } else { tree.below(high) };
                    own.discordant[i] += lower;
                    own.tied_risk[i] += up_to_tied - lower;
                    own.concordant[i] += tree.total() - up_to_tied;
                };
                let late = tied_times == TiedTimes::CensoredOutlives;
                for i in outcome.block(block).filter(|&i| event[i] || !late) {
                    outlived(i, &tree);
                }
                for i in outcome.block(block).filter(|&i| event[i]) {
                    tree.add(self.rows[i].at, weight(i) * time_weight);
                }
                if late {
                    for i in outcome.block(block).filter(|&i| !event[i]) {
                        outlived(i, &tree);
                    }
                }
            }
        }
        pairs.influence = own;
        pairs
    }
}

/// Weighted pairs of equal and of different rank among the events of one time.
fn pairs_within(events: &mut [(u32, f64)]) -> (f64, f64) {
    events.sort_unstable_by_key(|&(rank, _)| rank);
    let (mut total, mut same, mut before) = (0.0, 0.0, 0.0);
    let (mut last, mut group) = (u32::MAX, 0.0);
    for &(rank, weight) in events.iter() {
        if rank != last {
            (last, group) = (rank, 0.0);
        }
        same += weight * group;
        total += weight * before;
        group += weight;
        before += weight;
    }
    (same, total - same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undefined_cases_are_errors() {
        let message = |t: &[f64], e: &[bool], r: &[f64]| harrell(t, e, r).unwrap_err().to_string();
        assert!(message(&[1.0, 2.0], &[false, false], &[1.0, 2.0]).contains("comparable"));
        assert!(message(&[1.0], &[true], &[1.0]).contains("comparable"));
        assert!(message(&[2.0, 2.0], &[true, true], &[1.0, 2.0]).contains("comparable"));
        assert!(message(&[1.0, 2.0], &[true, false], &[1.0, f64::NAN]).contains("risk"));
    }

    #[test]
    fn a_constant_risk_is_one_half() {
        let c = harrell(&[1.0, 2.0, 3.0], &[true, true, false], &[5.0; 3]).unwrap();
        assert_eq!((c.c_index, c.tied_risk, c.std_err), (0.5, 3.0, Some(0.0)));
    }

    #[test]
    fn a_million_rows_overflow_nothing() {
        let n = 1_000_000;
        let time: Vec<f64> = (0..n).map(f64::from).collect();
        let risk: Vec<f64> = (0..n).map(|i| -f64::from(i)).collect();
        let options = ConcordanceOptions { std_err: false, ..Default::default() };
        let c = concordance(&time, &vec![true; n as usize], &risk, None, &options).unwrap();
        assert_eq!((c.c_index, c.concordant), (1.0, 499_999_500_000.0));
    }
}
