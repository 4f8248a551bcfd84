//! Wilcoxon signed rank of paired values, as R `wilcox.test(paired = TRUE)`.
//!
//! Zero differences are dropped. Exact without ties and zeros for fewer than 50 pairs, else normal with the tie correction.

use serde::{Deserialize, Serialize};

use crate::error::{Result, StatsError, check_count, check_finite};
use crate::mann_whitney::{LEAVE_OUT_EXACT, RankTestOptions, exact_p, normal_p};
use crate::rank::{has_ties, mid_ranks, tie_term};

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WilcoxonSignedRank {
    /// Sum of the ranks of the positive differences, R's V.
    pub v: f64,
    /// Absent where p is exact.
    pub z: Option<f64>,
    pub p: f64,
    /// Pairs with a difference.
    pub n: usize,
    pub zeros: usize,
}

/// Tests whether the differences x - y are symmetric about 0.
///
/// # Errors
/// Unequal lengths, a value that is not finite, no difference other than 0, an exact test asked for that is too large.
pub fn wilcoxon_signed_rank(x: &[f64], y: &[f64], options: RankTestOptions) -> Result<WilcoxonSignedRank> {
    const WHAT: &str = "wilcoxon_signed_rank";
    if x.len() != y.len() {
        return Err(StatsError::LengthMismatch { what: WHAT, first_name: "x", first: x.len(), second_name: "y", second: y.len() });
    }
    check_finite(WHAT, "x", x)?;
    check_finite(WHAT, "y", y)?;
    let differences: Vec<f64> = x.iter().zip(y).map(|(a, b)| a - b).filter(|d| *d != 0.0).collect();
    let n = differences.len();
    check_count(WHAT, "pairs that differ", n, 1)?;
    let sizes: Vec<f64> = differences.iter().map(|d| d.abs()).collect();
    let v: f64 = mid_ranks(&sizes).into_iter().zip(&differences).filter(|(_, d)| **d > 0.0).map(|(rank, _)| rank).sum();
    let done = |z, p| WilcoxonSignedRank { v, z, p, n, zeros: x.len() - n };
    if options.exact.unwrap_or(n < 50) && n == x.len() && !has_ties(&sizes) {
        if n > 1000 {
            let message = format!("{n} pairs are too many for the exact distribution");
            return Err(StatsError::TooLarge { what: WHAT, message, advice: LEAVE_OUT_EXACT });
        }
        return Ok(done(None, exact_p(&v_distribution(n), v as usize, options.alternative)));
    }
    let m = n as f64;
    let variance = m * (m + 1.0) * (2.0 * m + 1.0) / 24.0 - tie_term(&sizes) / 48.0;
    let (z, p) = normal_p(v - m * (m + 1.0) / 4.0, variance, options);
    Ok(done(Some(z), p))
}

/// P(V = v): each rank 1 .. n is positive with probability 1/2.
fn v_distribution(n: usize) -> Vec<f64> {
    let mut density = vec![1.0];
    for rank in 1..=n {
        let mut next = vec![0.0; density.len() + rank];
        for (v, d) in density.iter().enumerate() {
            next[v] += 0.5 * d;
            next[v + rank] += 0.5 * d;
        }
        density = next;
    }
    density
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_positive_is_the_extreme() {
        let test = wilcoxon_signed_rank(&[2.0, 3.0, 5.0], &[1.0, 1.0, 1.0], RankTestOptions::default()).unwrap();
        assert_eq!((test.v, test.p), (6.0, 0.25));
        assert!(matches!(wilcoxon_signed_rank(&[1.0], &[1.0], RankTestOptions::default()), Err(StatsError::TooFew { .. })));
        let exact = RankTestOptions { exact: Some(true), ..RankTestOptions::default() };
        let many: Vec<f64> = (1..=1001).map(f64::from).collect();
        let error = wilcoxon_signed_rank(&many, &[0.0; 1001], exact).unwrap_err().to_string();
        let expected = "wilcoxon_signed_rank: 1001 pairs are too many for the exact distribution: \
            leave the option 'exact' out for the normal approximation";
        assert_eq!(error, expected);
    }
}
