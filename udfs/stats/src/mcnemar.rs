//! McNemar's test of paired yes/no answers, as R `mcnemar.test` for 2 x 2, with the exact binomial p beside it.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use crate::distribution::{beta_tails, chi2_sf};
use crate::error::{Result, StatsError};

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    pub statistic: f64,
    pub p: f64,
    /// Two-sided binomial p of the discordant pairs; the one to report when they are fewer than about 25.
    pub p_exact: f64,
    /// Pairs that are yes first and no second, and the reverse.
    pub discordant: [u64; 2],
}

/// `table` has the first answer in rows and the second in columns. The statistic is (|b - c| - 1)^2 / (b + c), without
/// `continuity` (b - c)^2 / (b + c), on 1 degree of freedom.
///
/// # Errors
/// A table that is not 2 x 2, no discordant pair.
pub fn mcnemar(table: ArrayView2<u64>, continuity: bool) -> Result<McNemar> {
    if table.dim() != (2, 2) {
        let message =
            format!("the table is {} x {}, expected 2 x 2: both answers need the same two categories", table.nrows(), table.ncols());
        return Err(StatsError::Design { what: "mcnemar", message });
    }
    let (b, c) = (table[[0, 1]], table[[1, 0]]);
    if b + c == 0 {
        return Err(StatsError::TooFew { what: "mcnemar", unit: "discordant pairs", needed: 1, got: 0 });
    }
    let distance = b.abs_diff(c) as f64;
    let corrected = if continuity { (distance - 1.0).max(0.0) } else { distance };
    let total = (b + c) as f64;
    let statistic = corrected * corrected / total;
    // P(X <= min) of a fair coin is I_1/2(n - min, min + 1).
    let fewer = b.min(c) as f64;
    let p_exact = (2.0 * beta_tails(total - fewer, fewer + 1.0, 0.5, 0.5).0).min(1.0);
    Ok(McNemar { statistic, p: chi2_sf(statistic, 1.0), p_exact, discordant: [b, c] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn by_hand() {
        // b = 1, c = 5: (4 - 1)^2 / 6 = 1.5; exact 2 (1 + 6) / 64.
        let test = mcnemar(array![[10, 1], [5, 20]].view(), true).unwrap();
        assert_eq!(test.statistic, 1.5);
        assert!((test.p_exact - 14.0 / 64.0).abs() < 1e-14);
        assert!(matches!(mcnemar(array![[3, 0], [0, 2]].view(), true), Err(StatsError::TooFew { .. })));
    }
}
