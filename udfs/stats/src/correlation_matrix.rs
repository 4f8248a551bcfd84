//! Correlation matrix of the columns of a table.

use ndarray::{Array1, Array2, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::correlation::{CorrelationMethod, tau_b};
use crate::error::{Result, check_count, check_matrix};
use crate::rank::mid_ranks;
use crate::summary;

/// p x p correlations; a constant column has NaN against every other and is listed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CorrelationMatrix {
    pub columns: usize,
    /// Row-major p x p, symmetric to the bit, diagonal 1 (NaN for a constant column).
    pub values: Vec<f64>,
    /// Columns without variance, whose correlations do not exist.
    pub constant_columns: Vec<usize>,
    pub n: usize,
}

impl CorrelationMatrix {
    pub fn view(&self) -> ArrayView2<'_, f64> {
        ArrayView2::from_shape((self.columns, self.columns), &self.values).expect("values hold columns x columns numbers")
    }
}

/// Correlations between the columns of `x` (n x p). Spearman ranks the columns first; Kendall's tau-b takes O(p^2 n log n).
///
/// # Errors
/// Fewer than 3 rows, no column, a value that is not finite.
pub fn correlation_matrix(x: ArrayView2<f64>, method: CorrelationMethod) -> Result<CorrelationMatrix> {
    let (n, p) = x.dim();
    check_count("correlation_matrix", "rows", n, 3)?;
    check_count("correlation_matrix", "columns", p, 1)?;
    check_matrix("correlation_matrix", x)?;
    let columns: Vec<Vec<f64>> = x.columns().into_iter().map(|c| c.to_vec()).collect();
    let constant: Vec<bool> = columns.iter().map(|c| summary::is_constant(c)).collect();
    let mut values = match method {
        CorrelationMethod::Pearson => products(columns),
        CorrelationMethod::Spearman => products(columns.iter().map(|c| mid_ranks(c)).collect()),
        CorrelationMethod::Kendall => {
            let rows: Vec<Vec<f64>> = (0..p).into_par_iter().map(|i| (0..i).map(|j| tau_b(&columns[i], &columns[j])).collect()).collect();
            Array2::from_shape_fn((p, p), |(i, j)| if i == j { 1.0 } else { rows[i.max(j)][i.min(j)] })
        }
    };
    for (i, _) in constant.iter().enumerate().filter(|(_, c)| **c) {
        values.row_mut(i).fill(f64::NAN);
        values.column_mut(i).fill(f64::NAN);
    }
    let constant_columns = (0..p).filter(|&j| constant[j]).collect();
    Ok(CorrelationMatrix { columns: p, values: values.into_raw_vec_and_offset().0, constant_columns, n })
}

/// Cross-products of the columns centred and scaled to length 1.
fn products(columns: Vec<Vec<f64>>) -> Array2<f64> {
    let (p, n) = (columns.len(), columns[0].len());
    let mut z = Array2::zeros((p, n));
    for (mut row, column) in z.rows_mut().into_iter().zip(&columns) {
        let mean = summary::mean(column);
        let length = summary::sum_of_squares(column).sqrt();
        row.assign(&Array1::from_iter(column.iter().map(|v| (v - mean) / length)));
    }
    let mut r = z.dot(&z.t());
    for i in 0..p {
        r[[i, i]] = 1.0;
        for j in 0..i {
            let value = r[[i, j]].clamp(-1.0, 1.0);
            r[[i, j]] = value;
            r[[j, i]] = value;
        }
    }
    r
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlation::{kendall, pearson, spearman};
    use ndarray::array;

    #[test]
    fn entries_are_the_pairwise_correlations() {
        let x = array![[1.0, 2.0, 5.0, 7.0], [2.0, 1.0, 3.0, 7.0], [2.0, 4.0, 4.0, 7.0], [5.0, 3.0, 1.0, 7.0], [4.0, 4.5, 0.0, 7.0]];
        let column = |j: usize| x.column(j).to_vec();
        for method in [CorrelationMethod::Pearson, CorrelationMethod::Spearman, CorrelationMethod::Kendall] {
            let matrix = correlation_matrix(x.view(), method).unwrap();
            assert_eq!(matrix.constant_columns, [3]);
            assert!(matrix.view()[[0, 3]].is_nan() && matrix.view()[[3, 3]].is_nan());
            for (i, j) in [(0, 1), (1, 2), (2, 0)] {
                let want = match method {
                    CorrelationMethod::Pearson => pearson(&column(i), &column(j), 0.95),
                    CorrelationMethod::Spearman => spearman(&column(i), &column(j), false),
                    CorrelationMethod::Kendall => kendall(&column(i), &column(j), false),
                };
                assert!((matrix.view()[[i, j]] - want.unwrap().estimate).abs() < 1e-14);
            }
        }
    }
}
