//! Correlation of two samples with its test: Pearson, Spearman, Kendall's tau-b.
//!
//! Conventions of R's `cor.test`, two-sided. Pearson: t on n - 2 degrees of freedom, interval by Fisher's z. Spearman: Pearson's r of
//! mid-ranks; the t form by default (scipy, R `exact = FALSE`), or with `exact` and no ties the permutation distribution (n <= 9) or
//! its Edgeworth series (Best & Roberts, AS 89) as R has it. Kendall: tau-b; normal with the tie-corrected variance by default (R
//! `exact = FALSE`), or with `exact` and no ties the distribution of the number of concordant pairs. Pearson's
//! interval is always there; [`with_interval`] gives one to the rank correlations (Bonett & Wright, Psychometrika 2000;65:23).

use serde::{Deserialize, Serialize};

use crate::distribution::{normal_quantile, normal_sf, normal_two_sided, t_two_sided};
use crate::error::{Result, StatsError, check_count, check_finite, check_level};
use crate::rank::{has_ties, mid_ranks, tie_sizes};
use crate::summary;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrelationMethod {
    #[default]
    Pearson,
    Spearman,
    Kendall,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// r, rho or tau-b.
    pub estimate: f64,
    /// t for Pearson and the t form of Spearman, z for Kendall; absent where p is exact.
    pub statistic: Option<f64>,
    pub p: f64,
    /// Pearson with n > 3; rank correlations by [`with_interval`].
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    pub n: usize,
}

/// Pearson's product-moment correlation with the interval at `confidence`.
///
/// # Errors
/// Lengths differ, n < 3, a value that is not finite, a constant sample.
pub fn pearson(x: &[f64], y: &[f64], confidence: f64) -> Result<Correlation> {
    check("pearson", x, y)?;
    check_level("pearson", confidence)?;
    let n = x.len();
    let r = product_moment(x, y);
    let (statistic, p) = t_form(r, n);
    let interval = (n > 3).then(|| {
        let half = normal_quantile(0.5 * (1.0 + confidence)) / (n as f64 - 3.0).sqrt();
        ((r.atanh() - half).tanh(), (r.atanh() + half).tanh())
    });
    Ok(Correlation { estimate: r, statistic: Some(statistic), p, lower: interval.map(|i| i.0), upper: interval.map(|i| i.1), n })
}

/// Spearman's rho. `exact` asks for R's `exact = TRUE`; it is ignored when there are ties, as in R.
///
/// # Errors
/// As [`pearson`].
pub fn spearman(x: &[f64], y: &[f64], exact: bool) -> Result<Correlation> {
    check("spearman", x, y)?;
    let n = x.len();
    let rho = product_moment(&mid_ranks(x), &mid_ranks(y));
    // Above 1290 R uses the t form too.
    let (statistic, p) = if exact && n <= 1290 && !has_ties(x) && !has_ties(y) {
        (None, spearman_exact(rho, n))
    } else {
        let (t, p) = t_form(rho, n);
        (Some(t), p)
    };
    Ok(Correlation { estimate: rho, statistic, p, lower: None, upper: None, n })
}

/// Kendall's tau-b, O(n log n). `exact` asks for the exact distribution; it is ignored when there are ties, as in R.
///
/// # Errors
/// As [`pearson`].
pub fn kendall(x: &[f64], y: &[f64], exact: bool) -> Result<Correlation> {
    check("kendall", x, y)?;
    let pairs = KendallPairs::of(x, y);
    let tau = pairs.tau();
    let n = x.len();
    if exact && pairs.tied_x == 0 && pairs.tied_y == 0 {
        return Ok(Correlation { estimate: tau, statistic: None, p: kendall_exact(pairs.concordant, n), lower: None, upper: None, n });
    }
    let ties = |values: &[f64], term: fn(f64) -> f64| tie_sizes(values).into_iter().map(|t| term(t as f64)).sum::<f64>();
    let m = n as f64;
    let spread = |t: f64| t * (t - 1.0) * (2.0 * t + 5.0);
    let pair = |t: f64| t * (t - 1.0);
    let triple = |t: f64| t * (t - 1.0) * (t - 2.0);
    let variance = (spread(m) - ties(x, spread) - ties(y, spread)) / 18.0
        + ties(x, pair) * ties(y, pair) / (2.0 * pair(m))
        + ties(x, triple) * ties(y, triple) / (9.0 * triple(m));
    let z = (pairs.concordant as f64 - pairs.discordant as f64) / variance.sqrt();
    Ok(Correlation { estimate: tau, statistic: Some(z), p: normal_two_sided(z), lower: None, upper: None, n })
}

/// A rank correlation with its interval at `confidence` on Fisher's z scale: the variance is `(1 + rho^2 / 2) / (n - 3)` for Spearman and
/// `0.437 / (n - 4)` for Kendall. Without one where n is 4 or less.
///
/// # Errors
/// A level out of range.
pub fn with_interval(correlation: Correlation, method: CorrelationMethod, confidence: f64) -> Result<Correlation> {
    check_level("correlation", confidence)?;
    let (r, n) = (correlation.estimate, correlation.n as f64);
    if n <= 4.0 {
        return Ok(correlation);
    }
    let variance = match method {
        CorrelationMethod::Pearson => 1.0 / (n - 3.0),
        CorrelationMethod::Spearman => (1.0 + 0.5 * r * r) / (n - 3.0),
        CorrelationMethod::Kendall => 0.437 / (n - 4.0),
    };
    let half = normal_quantile(0.5 * (1.0 + confidence)) * variance.sqrt();
    Ok(Correlation { lower: Some((r.atanh() - half).tanh()), upper: Some((r.atanh() + half).tanh()), ..correlation })
}

/// Pearson's r, clamped to [-1, 1]; NaN if a sample is constant.
pub(crate) fn product_moment(x: &[f64], y: &[f64]) -> f64 {
    let (mx, my) = (summary::mean(x), summary::mean(y));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (a, b) in x.iter().zip(y) {
        let (a, b) = (a - mx, b - my);
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    (xy / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0)
}

/// Tau-b, NaN if a sample is constant.
pub(crate) fn tau_b(x: &[f64], y: &[f64]) -> f64 {
    KendallPairs::of(x, y).tau()
}

fn check(what: &'static str, x: &[f64], y: &[f64]) -> Result<()> {
    if x.len() != y.len() {
        return Err(StatsError::LengthMismatch { what, first_name: "x", first: x.len(), second_name: "y", second: y.len() });
    }
    check_count(what, "pairs of values", x.len(), 3)?;
    for (name, values) in [("x", x), ("y", y)] {
        check_finite(what, name, values)?;
        if summary::is_constant(values) {
            return Err(StatsError::Constant { what, which: name.into(), value: values[0] });
        }
    }
    Ok(())
}

fn t_form(r: f64, n: usize) -> (f64, f64) {
    let df = n as f64 - 2.0;
    let t = r * (df / ((1.0 - r) * (1.0 + r))).sqrt();
    (t, t_two_sided(t, df))
}

/// Numbers of pairs by concordance.
struct KendallPairs {
    all: u64,
    concordant: u64,
    discordant: u64,
    tied_x: u64,
    tied_y: u64,
}

impl KendallPairs {
    /// Sweeps groups of equal x in ascending order over a Fenwick tree of the ranks of y.
    fn of(x: &[f64], y: &[f64]) -> Self {
        let n = x.len();
        let mut values = y.to_vec();
        values.sort_by(f64::total_cmp);
        values.dedup();
        // partition_point compares with <, so that -0 and 0 are one value.
        let rank: Vec<usize> = y.iter().map(|v| values.partition_point(|w| w < v) + 1).collect();
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| x[a].total_cmp(&x[b]));
        let mut tree = vec![0_u64; values.len() + 1];
        let up_to = |tree: &[u64], mut i: usize| {
            let mut sum = 0;
            while i > 0 {
                sum += tree[i];
                i &= i - 1;
            }
            sum
        };
        let (mut concordant, mut discordant, mut seen) = (0, 0, 0);
        for group in order.chunk_by(|&a, &b| x[a] == x[b]) {
            for &i in group {
                concordant += up_to(&tree, rank[i] - 1);
                discordant += seen - up_to(&tree, rank[i]);
            }
            for &i in group {
                let mut j = rank[i];
                while j < tree.len() {
                    tree[j] += 1;
                    j += j & j.wrapping_neg();
                }
                seen += 1;
            }
        }
        let tied = |values: &[f64]| tie_sizes(values).into_iter().map(|t| (t as u64) * (t as u64 - 1) / 2).sum();
        let all = n as u64 * (n as u64 - 1) / 2;
        Self { all, concordant, discordant, tied_x: tied(x), tied_y: tied(y) }
    }

    fn tau(&self) -> f64 {
        let scale = ((self.all - self.tied_x) as f64).sqrt() * ((self.all - self.tied_y) as f64).sqrt();
        ((self.concordant as f64 - self.discordant as f64) / scale).clamp(-1.0, 1.0)
    }
}

/// Two-sided p from the number of concordant pairs, whose distribution without ties is that of non-inversions of a permutation.
fn kendall_exact(concordant: u64, n: usize) -> f64 {
    let pairs = n * (n - 1) / 2;
    let mut density = vec![1.0];
    for size in 2..=n {
        // The size-th element adds 0 .. size-1 inversions, each with probability 1/size.
        let mut next = vec![0.0; density.len() + size - 1];
        for (k, d) in density.iter().enumerate() {
            for shift in 0..size {
                next[k + shift] += d / size as f64;
            }
        }
        density = next;
    }
    let c = concordant as usize;
    // The distribution is symmetric: sum the shorter tail, from its small end.
    let tail: f64 = density[..=c.min(pairs - c)].iter().sum();
    (2.0 * tail).min(1.0)
}

/// Two-sided p of S = sum of squared rank differences, as R's `cor.test(exact = TRUE)`.
fn spearman_exact(rho: f64, n: usize) -> f64 {
    let m = n as f64;
    let s = (m * m * m - m) * (1.0 - rho) / 6.0;
    let one_sided = if s > (m * m * m - m) / 6.0 {
        rank_difference_tail((s - 1.0).round(), n, false)
    } else {
        rank_difference_tail(s.round() + 2.0, n, true)
    };
    (2.0 * one_sided).min(1.0)
}

/// P(S < s) if `lower`, else P(S >= s), of the sum of squared rank differences of two independent rankings.
fn rank_difference_tail(s: f64, n: usize, lower: bool) -> f64 {
    let m = n as f64;
    if s <= 0.0 {
        return if lower { 0.0 } else { 1.0 };
    }
    if s > m * (m * m - 1.0) / 3.0 {
        return if lower { 1.0 } else { 0.0 };
    }
    if n <= 9 {
        let mut ranks: Vec<usize> = (0..n).collect();
        let (mut below, mut all) = (0_u64, 0_u64);
        each_permutation(&mut ranks, n, &mut |p| {
            let sum: usize = p.iter().enumerate().map(|(i, &r)| r.abs_diff(i).pow(2)).sum();
            below += u64::from((sum as f64) < s);
            all += 1;
        });
        return if lower { below as f64 / all as f64 } else { (all - below) as f64 / all as f64 };
    }
    // Best & Roberts, AS 89, Applied Statistics 1975;24:377.
    let b = 1.0 / m;
    let x = (6.0 * (s - 1.0) * b / (m * m - 1.0) - 1.0) * (m - 1.0).sqrt();
    let y = x * x;
    let tail = y * b * (0.0879 + 0.0151 * b - y * (0.0072 - 0.0831 * b + y * b * (0.0131 - 4.6e-4 * y)));
    let u = x * b * (0.2274 + b * (0.2531 + 0.1745 * b) + y * (-0.0758 + b * (0.1033 + 0.3932 * b) - tail));
    let correction = u / (0.5 * y).exp();
    let p = if lower { normal_sf(-x) - correction } else { normal_sf(x) + correction };
    p.clamp(0.0, 1.0)
}

/// Heap's algorithm.
fn each_permutation(items: &mut [usize], k: usize, visit: &mut impl FnMut(&[usize])) {
    if k <= 1 {
        visit(items);
        return;
    }
    for i in 0..k {
        each_permutation(items, k - 1, visit);
        if i + 1 < k {
            items.swap(if k.is_multiple_of(2) { i } else { 0 }, k - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    /// By hand: rho = 0.5, n = 28: z = 0.5493, se = sqrt(1.125 / 25) = 0.2121.
    #[test]
    fn intervals_of_rank_correlations() {
        let of = |n| Correlation { estimate: 0.5, statistic: None, p: 0.01, lower: None, upper: None, n };
        let found = with_interval(of(28), CorrelationMethod::Spearman, 0.95).unwrap();
        let half = 1.959963984540054 * 0.045_f64.sqrt();
        assert!((found.lower.unwrap() - (0.5_f64.atanh() - half).tanh()).abs() < 1e-12);
        assert!((found.upper.unwrap() - (0.5_f64.atanh() + half).tanh()).abs() < 1e-12);
        let kendall = with_interval(of(28), CorrelationMethod::Kendall, 0.95).unwrap();
        assert!(kendall.lower > found.lower && kendall.upper < found.upper);
        assert!(with_interval(of(4), CorrelationMethod::Kendall, 0.95).unwrap().lower.is_none());
        assert!(with_interval(of(28), CorrelationMethod::Kendall, 1.0).is_err());
    }

    use super::*;

    #[test]
    fn kendall_counts_agree_with_all_pairs() {
        let x: Vec<f64> = (0..60).map(|i| f64::from(i * 7919 % 13)).collect();
        let y: Vec<f64> = (0..60).map(|i| f64::from(i * 104_729 % 17)).collect();
        let pairs = KendallPairs::of(&x, &y);
        let (mut concordant, mut discordant) = (0, 0);
        for i in 0..60 {
            for j in 0..i {
                let product = (x[i] - x[j]) * (y[i] - y[j]);
                concordant += u64::from(product > 0.0);
                discordant += u64::from(product < 0.0);
            }
        }
        assert_eq!((pairs.concordant, pairs.discordant), (concordant, discordant));
    }

    #[test]
    fn exact_kendall_by_enumeration() {
        // n = 4: 1, 3, 5, 6, 5, 3, 1 of 24.
        assert!((kendall_exact(1, 4) - 8.0 / 24.0).abs() < 1e-15);
        assert!((kendall_exact(6, 4) - 2.0 / 24.0).abs() < 1e-15);
        assert_eq!(kendall_exact(3, 4), 1.0);
    }

    #[test]
    fn errors_name_the_sample() {
        assert!(pearson(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0], 0.95).unwrap_err().to_string().contains("all values of x"));
        assert!(matches!(spearman(&[1.0, 2.0], &[1.0, 2.0], false), Err(StatsError::TooFew { needed: 3, .. })));
        assert!(matches!(kendall(&[1.0, 2.0, f64::NAN], &[1.0, 2.0, 3.0], false), Err(StatsError::NotFinite { row: 2, .. })));
    }
}
