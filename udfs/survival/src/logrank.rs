//! The log-rank test and its weighted relatives, for any number of groups, stratified or not.
//!
//! At each event time u with n at risk, d events and n_g, d_g in group g, weighted by w(u):
//! `U_g = sum w (d_g - d n_g / n)`, `V_gh = sum w^2 d (n - d) / (n - 1) (n_g / n) (1{g = h} - n_h / n)`.
//! The statistic is `U' V^- U` over the groups with an expectation; strata add up. Agrees with R `survival::survdiff`.
//! Peto & Peto, JRSS A 1972;135:185. Harrington & Fleming, Biometrika 1982;69:553.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use crate::error::SurvivalError;
use crate::outcome::{Outcome, check_finite, check_rows};
use crate::special::chi_square_tail;

/// Weight of an event time.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogRankWeight {
    /// 1.
    #[default]
    LogRank,
    /// The number at risk (Gehan's generalised Wilcoxon, Breslow).
    Gehan,
    /// The square root of the number at risk.
    TaroneWare,
    /// `S(t-)^rho (1 - S(t-))^gamma`, S the pooled Kaplan-Meier curve of the stratum. R's `survdiff` has rho.
    FlemingHarrington { rho: f64, gamma: f64 },
}

/// One group of a log-rank test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogRankGroup {
    /// The label given in `group`.
    pub group: usize,
    pub n: usize,
    /// Events.
    pub events: usize,
    /// Weighted events: equal to `events` for the plain log-rank test.
    pub observed: f64,
    pub expected: f64,
}

/// A log-rank test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogRank {
    pub statistic: f64,
    /// Groups with an expected event, less one.
    pub df: usize,
    pub p: f64,
    pub groups: Vec<LogRankGroup>,
    /// Covariance of observed - expected, groups x groups by row.
    pub variance: Vec<Vec<f64>>,
}

/// Compares the survival of the `group`s; labels are any numbers, groups are reported in ascending order.
///
/// # Errors
/// Those of [`Outcome::new`], columns of another length, one group only, no events, and weights that are not finite.
pub fn logrank(
    time: &[f64],
    event: &[bool],
    group: &[usize],
    strata: Option<&[usize]>,
    weight: LogRankWeight,
) -> Result<LogRank, SurvivalError> {
    let outcome = Outcome::new(time, event)?;
    check_rows("group", time.len(), group.len())?;
    if let Some(strata) = strata {
        check_rows("strata", time.len(), strata.len())?;
    }
    if let LogRankWeight::FlemingHarrington { rho, gamma } = weight {
        for (option, value) in [("rho", rho), ("gamma", gamma)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(SurvivalError::BadOption { option, expected: "a number that is not negative", found: value.to_string() });
            }
        }
    }
    let mut labels = group.to_vec();
    labels.sort_unstable();
    labels.dedup();
    if labels.len() < 2 {
        return Err(SurvivalError::OneGroup { what: "group".into() });
    }
    if outcome.events() == 0 {
        return Err(SurvivalError::NoEvents { rows: time.len() });
    }
    let index: Vec<usize> = outcome.order().iter().map(|&row| labels.partition_point(|&l| l < group[row as usize])).collect();
    let stratum = strata.map(|s| outcome.arrange(s));
    let mut levels = stratum.clone().unwrap_or_else(|| vec![0]);
    levels.sort_unstable();
    levels.dedup();

    let k = labels.len();
    let mut sums = Sums { observed: vec![0.0; k], expected: vec![0.0; k], variance: DMatrix::zeros(k, k) };
    for level in levels {
        let inside: Vec<bool> = match &stratum {
            Some(stratum) => stratum.iter().map(|&s| s == level).collect(),
            None => vec![true; time.len()],
        };
        sums.add_stratum(&outcome, &index, &inside, weight);
    }
    let groups: Vec<LogRankGroup> = labels
        .iter()
        .enumerate()
        .map(|(g, &label)| LogRankGroup {
            group: label,
            n: index.iter().filter(|&&i| i == g).count(),
            events: index.iter().zip(outcome.event()).filter(|&(&i, &e)| i == g && e).count(),
            observed: sums.observed[g],
            expected: sums.expected[g],
        })
        .collect();
    let (statistic, df) = sums.statistic();
    if df == 0 {
        return Err(SurvivalError::OneGroup { what: "group (at the event times)".into() });
    }
    let variance = (0..k).map(|g| sums.variance.row(g).iter().copied().collect()).collect();
    Ok(LogRank { statistic, df, p: chi_square_tail(statistic, df as f64), groups, variance })
}

impl LogRank {
    /// Test for a trend of the hazard over the groups, which have these `scores`: `(s' U)^2 / (s' V s)` on 1 degree of freedom, U
    /// observed less expected. Tarone, Biometrika 1975;62:679.
    ///
    /// # Errors
    /// Another number of scores than groups, scores that are not finite, and scores without variance over the groups at risk.
    pub fn trend(&self, scores: &[f64]) -> Result<Trend, SurvivalError> {
        check_rows("scores (one per group)", self.groups.len(), scores.len())?;
        check_finite("score", scores)?;
        let difference: f64 = self.groups.iter().zip(scores).map(|(group, s)| s * (group.observed - group.expected)).sum();
        let row = |(row, s): (&Vec<f64>, &f64)| s * row.iter().zip(scores).map(|(v, t)| v * t).sum::<f64>();
        let variance: f64 = self.variance.iter().zip(scores).map(row).sum();
        if variance <= 0.0 {
            return Err(SurvivalError::OneGroup { what: "score (at the event times)".into() });
        }
        let statistic = difference * difference / variance;
        Ok(Trend { statistic, p: chi_square_tail(statistic, 1.0), difference, variance })
    }
}

/// A test for a trend over ordered groups.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    pub statistic: f64,
    pub p: f64,
    /// Score-weighted observed less expected events: above 0, higher scores fare worse.
    pub difference: f64,
    pub variance: f64,
}

struct Sums {
    observed: Vec<f64>,
    expected: Vec<f64>,
    variance: DMatrix<f64>,
}

impl Sums {
    /// Adds the event times of the rows that are `inside` one stratum.
    fn add_stratum(&mut self, outcome: &Outcome, group: &[usize], inside: &[bool], weight: LogRankWeight) {
        let k = self.observed.len();
        let mut at_risk = vec![0.0; k];
        for (&g, _) in group.iter().zip(inside).filter(|&(_, &inside)| inside) {
            at_risk[g] += 1.0;
        }
        let mut survival: f64 = 1.0;
        let mut events = vec![0.0; k];
        for block in 0..outcome.distinct_times().len() {
            let rows = || outcome.block(block).filter(|&i| inside[i]);
            events.fill(0.0);
            rows().filter(|&i| outcome.event()[i]).for_each(|i| events[group[i]] += 1.0);
            let (n, d) = (at_risk.iter().sum::<f64>(), events.iter().sum::<f64>());
            if d > 0.0 {
                let w = match weight {
                    LogRankWeight::LogRank => 1.0,
                    LogRankWeight::Gehan => n,
                    LogRankWeight::TaroneWare => n.sqrt(),
                    LogRankWeight::FlemingHarrington { rho, gamma } => survival.powf(rho) * (1.0 - survival).powf(gamma),
                };
                let spread = if n > 1.0 { w * w * d * (n - d) / (n - 1.0) } else { 0.0 };
                for g in 0..k {
                    self.observed[g] += w * events[g];
                    self.expected[g] += w * d * at_risk[g] / n;
                    for h in 0..k {
                        let own = if g == h { 1.0 } else { 0.0 };
                        self.variance[(g, h)] += spread * at_risk[g] / n * (own - at_risk[h] / n);
                    }
                }
                survival *= (n - d) / n;
            }
            rows().for_each(|i| at_risk[group[i]] -= 1.0);
        }
    }

    /// The chi-square statistic and its degrees of freedom, over the groups with an expectation.
    fn statistic(&self) -> (f64, usize) {
        let used: Vec<usize> = (0..self.expected.len()).filter(|&g| self.expected[g] > 0.0).collect();
        let Some(df) = used.len().checked_sub(1).filter(|&df| df > 0) else { return (0.0, 0) };
        let difference = DVector::from_fn(df, |g, _| self.observed[used[g]] - self.expected[used[g]]);
        let variance = DMatrix::from_fn(df, df, |g, h| self.variance[(used[g], used[h])]);
        let solved = match variance.clone().cholesky() {
            Some(cholesky) => cholesky.solve(&difference),
            // Singular when, say, a group is the whole risk set at each of its event times.
            None => match variance.clone().pseudo_inverse(1e-12 * variance.amax().max(f64::MIN_POSITIVE)) {
                Ok(inverse) => inverse * &difference,
                Err(_) => DVector::zeros(df),
            },
        };
        (difference.dot(&solved).max(0.0), df)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_group_and_no_events_are_errors() {
        let message = |e: [bool; 2], g: [usize; 2]| logrank(&[1.0, 2.0], &e, &g, None, LogRankWeight::LogRank).unwrap_err().to_string();
        assert!(message([true, true], [1, 1]).contains("one group"));
        assert!(message([false, false], [0, 1]).contains("no event"));
    }

    #[test]
    fn gehan_is_the_mann_whitney_test_without_censoring() {
        // U = number of pairs won minus lost: 3 x 3 pairs, here 8 won and 1 lost.
        let (time, group) = ([1.0, 2.0, 4.0, 3.0, 5.0, 6.0], [0, 0, 0, 1, 1, 1]);
        let test = logrank(&time, &[true; 6], &group, None, LogRankWeight::Gehan).unwrap();
        assert!((test.groups[0].observed - test.groups[0].expected - 7.0).abs() < 1e-12);
    }

    /// With two groups every choice of scores is the log-rank test itself; with more, the trend ignores shift and scale.
    #[test]
    fn a_trend_over_two_groups_is_the_log_rank_test() {
        let (time, event) = ([1.0, 2.0, 2.0, 3.0, 5.0, 6.0, 6.0, 8.0], [true, true, false, true, true, true, false, true]);
        let test = logrank(&time, &event, &[0, 1, 0, 1, 0, 1, 1, 0], None, LogRankWeight::LogRank).unwrap();
        assert!((test.trend(&[3.0, 7.0]).unwrap().statistic - test.statistic).abs() < 1e-12);
        let test = logrank(&time, &event, &[0, 1, 2, 1, 0, 2, 1, 0], None, LogRankWeight::LogRank).unwrap();
        let (a, b) = (test.trend(&[0.0, 1.0, 2.0]).unwrap(), test.trend(&[10.0, 30.0, 50.0]).unwrap());
        assert!((a.statistic - b.statistic).abs() < 1e-12 && a.statistic <= test.statistic);
        assert!(test.trend(&[1.0, 1.0, 1.0]).unwrap_err().to_string().contains("one group"));
    }

    #[test]
    fn fleming_harrington_zero_is_the_log_rank_test() {
        let (time, event, group) = ([1.0, 2.0, 2.0, 3.0, 5.0], [true, true, false, true, true], [0, 1, 0, 1, 0]);
        let plain = logrank(&time, &event, &group, None, LogRankWeight::LogRank).unwrap();
        let weight = LogRankWeight::FlemingHarrington { rho: 0.0, gamma: 0.0 };
        assert_eq!(plain, logrank(&time, &event, &group, None, weight).unwrap());
    }
}
