//! Mann-Whitney U (Wilcoxon rank sum), as R `wilcox.test`.
//!
//! U counts the pairs with x > y, ties half. Exact without ties when both samples have fewer than 50 values, else normal with
//! the variance corrected for ties and, by default, a continuity correction of 1/2.

use serde::{Deserialize, Serialize};

use crate::Alternative;
use crate::distribution::{normal_sf, normal_two_sided};
use crate::error::{Result, StatsError, check_count, check_finite};
use crate::rank::{has_ties, mid_ranks, tie_term};

/// What to do where the exact distribution is too large.
pub(crate) const LEAVE_OUT_EXACT: &str = "leave the option 'exact' out for the normal approximation";

/// Options of the two rank tests of Wilcoxon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RankTestOptions {
    pub alternative: Alternative,
    /// Absent: R's rule. `true` is ignored where ties (or zeros) make the exact distribution unavailable, as in R.
    pub exact: Option<bool>,
    pub continuity: bool,
}

impl Default for RankTestOptions {
    fn default() -> Self {
        Self { alternative: Alternative::TwoSided, exact: None, continuity: true }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MannWhitney {
    /// U of the first sample, R's W.
    pub u: f64,
    /// Absent where p is exact.
    pub z: Option<f64>,
    pub p: f64,
    /// U / (n_x n_y): the probability that an x exceeds a y, ties half.
    pub superiority: f64,
    pub n_x: usize,
    pub n_y: usize,
}

/// Compares the locations of `x` and `y`.
///
/// # Errors
/// An empty sample, a value that is not finite, all values of both samples equal, an exact test asked for that is too large.
pub fn mann_whitney_u(x: &[f64], y: &[f64], options: RankTestOptions) -> Result<MannWhitney> {
    const WHAT: &str = "mann_whitney_u";
    for (name, values) in [("x", x), ("y", y)] {
        check_count(WHAT, "values in each sample", values.len(), 1)?;
        check_finite(WHAT, name, values)?;
    }
    let both = [x, y].concat();
    let (m, n) = (x.len() as f64, y.len() as f64);
    let u = mid_ranks(&both)[..x.len()].iter().sum::<f64>() - 0.5 * m * (m + 1.0);
    let done = |z, p| MannWhitney { u, z, p, superiority: u / (m * n), n_x: x.len(), n_y: y.len() };
    if options.exact.unwrap_or(x.len() < 50 && y.len() < 50) && !has_ties(&both) {
        if x.len() * y.len() > 10_000 {
            let message = format!("{} x {} values are too many for the exact distribution", x.len(), y.len());
            return Err(StatsError::TooLarge { what: WHAT, message, advice: LEAVE_OUT_EXACT });
        }
        return Ok(done(None, exact_p(&u_distribution(x.len(), y.len()), u as usize, options.alternative)));
    }
    let total = m + n;
    let variance = m * n / 12.0 * (total + 1.0 - tie_term(&both) / (total * (total - 1.0)));
    if variance.is_nan() || variance <= 0.0 {
        return Err(StatsError::Constant { what: WHAT, which: "both samples".into(), value: both[0] });
    }
    let (z, p) = normal_p(u - 0.5 * m * n, variance, options);
    Ok(done(Some(z), p))
}

/// z and p of a statistic's distance from its mean, with the continuity correction towards 0 that the alternative asks for.
pub(crate) fn normal_p(distance: f64, variance: f64, options: RankTestOptions) -> (f64, f64) {
    let correction = match options.alternative {
        _ if !options.continuity => 0.0,
        Alternative::TwoSided if distance == 0.0 => 0.0,
        Alternative::TwoSided => 0.5 * distance.signum(),
        Alternative::Greater => 0.5,
        Alternative::Less => -0.5,
    };
    let z = (distance - correction) / variance.sqrt();
    let p = match options.alternative {
        Alternative::TwoSided => normal_two_sided(z),
        Alternative::Greater => normal_sf(z),
        Alternative::Less => normal_sf(-z),
    };
    (z, p.min(1.0))
}

/// p of `value` under a distribution on 0 .. len-1 that is symmetric.
pub(crate) fn exact_p(density: &[f64], value: usize, alternative: Alternative) -> f64 {
    let top = density.len() - 1;
    // Tails are summed from their small end; the upper one is the lower one of the mirrored value.
    let at_most = |k: usize| density[..=k].iter().sum::<f64>().min(1.0);
    match alternative {
        Alternative::Less => at_most(value),
        Alternative::Greater => at_most(top - value),
        Alternative::TwoSided => (2.0 * at_most(value.min(top - value))).min(1.0),
    }
}

/// P(U = u) for u = 0 ..= m n without ties: the largest of all values is an x with probability m / (m + n), and then exceeds all n y's.
fn u_distribution(m: usize, n: usize) -> Vec<f64> {
    // row[j] is the distribution for i x's and j y's.
    let mut row: Vec<Vec<f64>> = vec![vec![1.0]; n + 1];
    for i in 1..=m {
        let mut next: Vec<Vec<f64>> = Vec::with_capacity(n + 1);
        next.push(vec![1.0]);
        for j in 1..=n {
            let mut density = vec![0.0; i * j + 1];
            let (of_x, of_y) = (i as f64 / (i + j) as f64, j as f64 / (i + j) as f64);
            for (u, d) in row[j].iter().enumerate() {
                density[u + j] += of_x * d;
            }
            for (u, d) in next[j - 1].iter().enumerate() {
                density[u] += of_y * d;
            }
            next.push(density);
        }
        row = next;
    }
    row.swap_remove(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_distribution_by_hand() {
        // 2 x's among 4: U = 0, 1, 2, 2, 3, 4.
        let density = u_distribution(2, 2);
        for (got, want) in density.iter().zip([1.0, 1.0, 2.0, 1.0, 1.0]) {
            assert!((got - want / 6.0).abs() < 1e-15);
        }
        let test = mann_whitney_u(&[1.0, 2.0], &[3.0, 4.0], RankTestOptions::default()).unwrap();
        assert!((test.p - 1.0 / 3.0).abs() < 1e-15 && test.u == 0.0 && test.z.is_none());
        let equal = mann_whitney_u(&[1.0, 1.0], &[1.0], RankTestOptions::default());
        assert!(matches!(equal, Err(StatsError::Constant { .. })));
    }

    #[test]
    fn exact_is_not_for_ties_nor_for_many_values() {
        let exact = RankTestOptions { exact: Some(true), ..RankTestOptions::default() };
        let tied = mann_whitney_u(&[1.0, 2.0], &[2.0, 3.0], exact).unwrap();
        assert!(tied.z.is_some());
        let many: Vec<f64> = (0..202).map(f64::from).collect();
        let error = mann_whitney_u(&many[..101], &many[101..], exact).unwrap_err().to_string();
        let expected = "mann_whitney_u: 101 x 101 values are too many for the exact distribution: \
            leave the option 'exact' out for the normal approximation";
        assert_eq!(error, expected);
    }
}
