//! Intervals for concordance, and comparisons of two risk scores on the same rows.

use serde::{Deserialize, Serialize};

use crate::bootstrap::{BootstrapComparison, BootstrapInterval, BootstrapOptions, comparison, interval};
use crate::concordance::{Ranked, TiedTimes, Ties};
use crate::error::SurvivalError;
use crate::km::confidence_z;
use crate::outcome::Outcome;
use crate::special::{normal_two_sided, student_upper};

/// Harrell's C with a bootstrap percentile interval.
///
/// # Errors
/// Those of [`crate::concordance::harrell`] and of the options.
pub fn c_index_ci(
    time: &[f64],
    event: &[bool],
    risk: &[f64],
    ties: Ties,
    options: &BootstrapOptions,
) -> Result<BootstrapInterval, SurvivalError> {
    let outcome = Outcome::new(time, event)?;
    let ranked = Ranked::new(&outcome, risk, 0.0)?;
    let ones = vec![1.0; outcome.distinct_times().len()];
    let c = |weights: &[f64]| ranked.count(&outcome, Some(weights), &ones, TiedTimes::CensoredOutlives, false).c_index(ties);
    interval(outcome.len(), options, c, SurvivalError::NoComparablePairs)
}

/// Difference of Harrell's C of two scores by a paired bootstrap.
///
/// # Errors
/// Those of [`crate::concordance::harrell`] and of the options.
pub fn c_index_compare_bootstrap(
    time: &[f64],
    event: &[bool],
    risk_a: &[f64],
    risk_b: &[f64],
    ties: Ties,
    options: &BootstrapOptions,
) -> Result<BootstrapComparison, SurvivalError> {
    let outcome = Outcome::new(time, event)?;
    let (a, b) = (Ranked::new(&outcome, risk_a, 0.0)?, Ranked::new(&outcome, risk_b, 0.0)?);
    let ones = vec![1.0; outcome.distinct_times().len()];
    let both = |weights: &[f64]| {
        let c = |ranked: &Ranked| ranked.count(&outcome, Some(weights), &ones, TiedTimes::CensoredOutlives, false).c_index(ties);
        Some((c(&a)?, c(&b)?))
    };
    comparison(outcome.len(), options, both, SurvivalError::NoComparablePairs)
}

/// Two scores' C with their joint covariance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JointComparison {
    pub c_a: f64,
    pub c_b: f64,
    /// Variances of `c_a` and `c_b`, and their covariance.
    pub variance_a: f64,
    pub variance_b: f64,
    pub covariance: f64,
    /// `c_a - c_b`.
    pub difference: f64,
    pub std_err: f64,
    pub z: f64,
    /// Two-sided, normal.
    pub p: f64,
}

/// Compares two scores by the joint infinitesimal jackknife of their C, as R `survival::concordance(fit1, fit2)` does.
///
/// # Errors
/// Those of [`crate::concordance::harrell`].
pub fn c_index_compare(time: &[f64], event: &[bool], risk_a: &[f64], risk_b: &[f64]) -> Result<JointComparison, SurvivalError> {
    let outcome = Outcome::new(time, event)?;
    let ones = vec![1.0; outcome.distinct_times().len()];
    let one = |risk: &[f64]| -> Result<(f64, Vec<f64>), SurvivalError> {
        let pairs = Ranked::new(&outcome, risk, 0.0)?.count(&outcome, None, &ones, TiedTimes::CensoredOutlives, true);
        let c = pairs.c_index(Ties::Half).ok_or(SurvivalError::NoComparablePairs)?;
        let residuals = pairs.influence.as_ref().map(|i| i.residuals(&pairs, Ties::Half, None)).unwrap_or_default();
        Ok((c, residuals))
    };
    let ((c_a, residuals_a), (c_b, residuals_b)) = (one(risk_a)?, one(risk_b)?);
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let (variance_a, variance_b) = (product(&residuals_a, &residuals_a), product(&residuals_b, &residuals_b));
    let differences: Vec<f64> = residuals_a.iter().zip(&residuals_b).map(|(a, b)| a - b).collect();
    // Of the differences themselves: two equal scores give exactly 0.
    let std_err = product(&differences, &differences).sqrt();
    let difference = c_a - c_b;
    let z = if difference == 0.0 { 0.0 } else { difference / std_err };
    Ok(JointComparison {
        c_a,
        c_b,
        variance_a,
        variance_b,
        covariance: product(&residuals_a, &residuals_b),
        difference,
        std_err,
        z,
        p: normal_two_sided(z),
    })
}

/// C of one score as R `survcomp::concordance.index(method = "noether")` gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoetherConcordance {
    pub c_index: f64,
    pub std_err: f64,
    pub lower: f64,
    pub upper: f64,
    /// Two-sided, against C = 1/2.
    pub p: f64,
    /// Comparable pairs, each counted from both sides as survcomp does.
    pub comparable_pairs: f64,
    pub n: usize,
}

/// C without the pairs tied in risk or time, with Noether's variance; NaN where every pair is tied in risk. Pencina & D'Agostino,
/// Stat Med 2004;23:2109.
///
/// # Errors
/// Those of [`crate::concordance::harrell`].
pub fn concordance_noether(time: &[f64], event: &[bool], risk: &[f64], level: f64) -> Result<NoetherConcordance, SurvivalError> {
    let outcome = Outcome::new(time, event)?;
    let ones = vec![1.0; outcome.distinct_times().len()];
    let pairs = Ranked::new(&outcome, risk, 0.0)?.count(&outcome, None, &ones, TiedTimes::Drop, true);
    let z = confidence_z(level)?;
    let Some(c_index) = pairs.c_index(Ties::Drop) else {
        let none = f64::NAN;
        let unknown =
            NoetherConcordance { c_index: none, std_err: none, lower: none, upper: none, p: none, comparable_pairs: 0.0, n: outcome.len() };
        return if pairs.tied_risk > 0.0 { Ok(unknown) } else { Err(SurvivalError::NoComparablePairs) };
    };
    let n = outcome.len() as f64;
    let (mut cc, mut dd, mut cd) = (0.0, 0.0, 0.0);
    if let Some(own) = &pairs.influence {
        for (&c, &d) in own.concordant.iter().zip(&own.discordant) {
            cc += c * (c - 1.0);
            dd += d * (d - 1.0);
            cd += c * d;
        }
    }
    let (twice, triple) = (n * (n - 1.0), n * (n - 1.0) * (n - 2.0));
    let (pc, pd) = (2.0 * pairs.concordant / twice, 2.0 * pairs.discordant / twice);
    let variance = if n > 2.0 { 4.0 / (pc + pd).powi(4) * (pd * pd * cc - 2.0 * pc * pd * cd + pc * pc * dd) / triple } else { 0.0 };
    let std_err = (variance / n).max(0.0).sqrt();
    Ok(NoetherConcordance {
        c_index,
        std_err,
        lower: (c_index - z * std_err).max(0.0),
        upper: (c_index + z * std_err).min(1.0),
        p: normal_two_sided((c_index - 0.5) / std_err),
        comparable_pairs: 2.0 * (pairs.concordant + pairs.discordant),
        n: outcome.len(),
    })
}

/// survcomp's comparison of two scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoetherComparison {
    pub a: NoetherConcordance,
    pub b: NoetherConcordance,
    /// Spearman correlation of the two scores.
    pub spearman: f64,
    pub t: f64,
    pub df: f64,
    /// One-sided: a has the larger C.
    pub p_greater: f64,
    /// Twice the smaller tail.
    pub p_two_sided: f64,
}

/// R `survcomp::cindex.comp`: `t = (c_a - c_b) / sqrt(se_a^2 + se_b^2 - 2 r se_a se_b)`, r Spearman's correlation of the
/// scores, Student's t with n - 1 degrees of freedom. p is 1 when r = 1, for scores of one order (survcomp's is 1 when r = -1, too).
///
/// # Errors
/// Those of [`concordance_noether`].
pub fn c_index_compare_survcomp(
    time: &[f64],
    event: &[bool],
    risk_a: &[f64],
    risk_b: &[f64],
    level: f64,
) -> Result<NoetherComparison, SurvivalError> {
    let a = concordance_noether(time, event, risk_a, level)?;
    let b = concordance_noether(time, event, risk_b, level)?;
    let spearman = pearson(&mid_ranks(risk_a), &mid_ranks(risk_b));
    let df = time.len() as f64 - 1.0;
    let distinct = spearman < 1.0 - 1e-15;
    let spread = (a.std_err * a.std_err + b.std_err * b.std_err - 2.0 * spearman * a.std_err * b.std_err).sqrt();
    let difference = a.c_index - b.c_index;
    if difference.is_nan() {
        return Ok(NoetherComparison { a, b, spearman: f64::NAN, t: f64::NAN, df, p_greater: f64::NAN, p_two_sided: f64::NAN });
    }
    let t = if distinct && difference != 0.0 { difference / spread } else { 0.0 };
    let (p_greater, p_two_sided) = if distinct { (student_upper(t, df), (2.0 * student_upper(t.abs(), df)).min(1.0)) } else { (1.0, 1.0) };
    Ok(NoetherComparison { a, b, spearman, t, df, p_greater, p_two_sided })
}

/// Ranks from 1, ties at their mean.
fn mid_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let first = order.partition_point(|&i| values[i] < values[tied[0]]) as f64;
        for &i in tied {
            ranks[i] = first + (tied.len() as f64 + 1.0) / 2.0;
        }
    }
    ranks
}

/// Pearson's correlation; 1 when a column is constant, so that a comparison with it is void.
fn pearson(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len() as f64;
    let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        xx += (x - mx) * (x - mx);
        yy += (y - my) * (y - my);
        xy += (x - mx) * (y - my);
    }
    if xx == 0.0 || yy == 0.0 { 1.0 } else { (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_of_one_order_do_not_differ_and_opposite_ones_do() {
        let time: Vec<f64> = (0..30).map(f64::from).collect();
        let mut risk: Vec<f64> = time.iter().map(|t| -t).collect();
        risk.swap(3, 5);
        risk.swap(20, 24);
        let compare = |b: &[f64]| c_index_compare_survcomp(&time, &[true; 30], &risk, b, 0.95).unwrap();
        let (same, opposite) = (risk.iter().map(|r| r.exp()).collect::<Vec<_>>(), risk.iter().map(|r| -r).collect::<Vec<_>>());
        let found = compare(&same);
        assert_eq!((found.t, found.p_greater, found.p_two_sided), (0.0, 1.0, 1.0));
        let found = compare(&opposite);
        assert_eq!(found.spearman, -1.0);
        // With r = -1 the standard errors add up.
        let expected = (found.a.c_index - found.b.c_index) / (found.a.std_err + found.b.std_err);
        assert!((found.t / expected - 1.0).abs() < 1e-12, "{} {expected}", found.t);
        assert!(found.a.c_index > 0.9 && found.p_two_sided < 1e-6, "{found:?}");
    }

    #[test]
    fn a_constant_score_has_no_pairs_to_compare() {
        let (time, risk) = ([1.0, 2.0, 3.0], [3.0, 1.0, 2.0]);
        let found = c_index_compare_survcomp(&time, &[true, true, false], &risk, &[1.0; 3], 0.95).unwrap();
        assert!(found.a.c_index == 2.0 / 3.0 && found.b.c_index.is_nan() && found.t.is_nan() && found.p_two_sided.is_nan(), "{found:?}");
        assert!(c_index_compare_survcomp(&[1.0, 1.0], &[true; 2], &risk[..2], &risk[..2], 0.95).is_err());
    }

    #[test]
    fn opposite_scores_without_spread_are_told_apart() {
        let time = [1.0, 2.0, 3.0, 4.0];
        let found = c_index_compare_survcomp(&time, &[true; 4], &[4.0, 3.0, 2.0, 1.0], &time, 0.95).unwrap();
        assert_eq!((found.a.c_index, found.b.c_index, found.p_two_sided), (1.0, 0.0, 0.0));
    }
}
