//! Kruskal-Wallis rank sum test of two or more groups, corrected for ties, as R `kruskal.test`.

use serde::{Deserialize, Serialize};

use crate::anova::pooled;
use crate::distribution::chi2_sf;
use crate::error::{Result, StatsError};
use crate::rank::{mid_ranks, tie_term};
use crate::summary;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct KruskalWallis {
    pub h: f64,
    pub df: f64,
    pub p: f64,
}

/// # Errors
/// Fewer than 2 groups, an empty group, a value that is not finite, all values equal.
pub fn kruskal_wallis<G: AsRef<[f64]>>(groups: &[G]) -> Result<KruskalWallis> {
    const WHAT: &str = "kruskal_wallis";
    let all = pooled(WHAT, groups)?;
    if summary::is_constant(&all) {
        return Err(StatsError::Constant { what: WHAT, which: "all groups".into(), value: all[0] });
    }
    let n = all.len() as f64;
    let ranks = mid_ranks(&all);
    let mut start = 0;
    let mut spread = 0.0;
    for group in groups {
        let size = group.as_ref().len();
        // Deviations from the mean rank keep the digits that the textbook's difference of large sums loses.
        let deviation: f64 = ranks[start..start + size].iter().map(|r| r - 0.5 * (n + 1.0)).sum();
        spread += deviation * deviation / size as f64;
        start += size;
    }
    let h = 12.0 * spread / (n * (n + 1.0)) / (1.0 - tie_term(&all) / (n * n * n - n));
    let df = groups.len() as f64 - 1.0;
    Ok(KruskalWallis { h, df, p: chi2_sf(h, df) })
}
