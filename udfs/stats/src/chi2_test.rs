//! Pearson's chi-squared test of independence, as R `chisq.test`.
//!
//! Yates' correction applies to 2 x 2 only and is min(1/2, min |O - E|).

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::contingency::margins;
use crate::distribution::chi2_sf;
use crate::error::{Result, StatsError, check_count};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chi2Test {
    pub statistic: f64,
    pub df: f64,
    pub p: f64,
    /// The smallest expected count: below 5 the approximation is poor and `fisher_exact` is the better test.
    pub min_expected: f64,
    pub cramers_v: f64,
    pub n: u64,
}

/// Expected counts under independence.
pub fn expected_counts(table: ArrayView2<u64>) -> Array2<f64> {
    let (rows, columns) = margins(table);
    let n = rows.iter().sum::<u64>() as f64;
    Array2::from_shape_fn(table.dim(), |(i, j)| rows[i] as f64 * columns[j] as f64 / n)
}

/// # Errors
/// Fewer than 2 rows or columns, a row or column of zeros.
pub fn chi2_test(table: ArrayView2<u64>, yates: bool) -> Result<Chi2Test> {
    const WHAT: &str = "chi2_test";
    check_count(WHAT, "categories of the first variable", table.nrows(), 2)?;
    check_count(WHAT, "categories of the second variable", table.ncols(), 2)?;
    let (rows, columns) = margins(table);
    for (side, sums) in [("row", &rows), ("column", &columns)] {
        if let Some(index) = sums.iter().position(|s| *s == 0) {
            return Err(StatsError::ZeroMargin { what: WHAT, side, index });
        }
    }
    let expected = expected_counts(table);
    let cells = || table.iter().zip(&expected).map(|(o, e)| ((*o as f64 - e).abs(), *e));
    let correction = if yates && table.dim() == (2, 2) { cells().map(|c| c.0).fold(0.5, f64::min) } else { 0.0 };
    let statistic: f64 = cells().map(|(distance, e)| (distance - correction).powi(2) / e).sum();
    let plain: f64 = cells().map(|(distance, e)| distance * distance / e).sum();
    let n: u64 = rows.iter().sum();
    let df = ((table.nrows() - 1) * (table.ncols() - 1)) as f64;
    let smaller = table.nrows().min(table.ncols()) as f64 - 1.0;
    Ok(Chi2Test {
        statistic,
        df,
        p: chi2_sf(statistic, df),
        min_expected: expected.iter().copied().fold(f64::INFINITY, f64::min),
        cramers_v: (plain / (n as f64 * smaller)).sqrt(),
        n,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn zero_margins_are_named() {
        let error = chi2_test(array![[1, 0], [3, 0]].view(), false).unwrap_err();
        assert_eq!(error, StatsError::ZeroMargin { what: "chi2_test", side: "column", index: 1 });
    }
}
