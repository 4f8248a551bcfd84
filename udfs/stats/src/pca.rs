//! Principal components by singular value decomposition of the centred (and scaled) data.
//!
//! Agrees with R `prcomp`: standard deviations with n - 1. The sign of a component is free; here the loading of largest modulus is
//! positive (of loadings that tie within 1e-9, the first). Cost O(n p min(n, p)), so p >> n is as cheap as n >> p.

use nalgebra::DMatrix;
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::error::{Result, StatsError, check_count, check_matrix};
use crate::summary;

/// Components with a standard deviation below this fraction of the first are rounding.
const RANK_TOLERANCE: f64 = 1e-10;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PcaOptions {
    pub center: bool,
    /// Divide by the standard deviation. A constant column is then left at 0 and listed in the model.
    pub scale: bool,
}

impl Default for PcaOptions {
    fn default() -> Self {
        Self { center: true, scale: false }
    }
}

/// A fitted PCA of k components over p columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pca {
    /// Rows it was fitted on.
    pub n: usize,
    /// k, the number of components.
    pub k: usize,
    /// Subtracted from each column (zeros without centring), length p.
    pub center: Vec<f64>,
    /// Divided out of each column (ones without scaling), length p.
    pub scale: Vec<f64>,
    /// Loadings, row-major p x k.
    pub loadings: Vec<f64>,
    /// Standard deviations of all components up to the rank, descending; the first k belong to the loadings.
    pub sdev: Vec<f64>,
    /// Sum of the variances of the columns as analysed, the denominator of the explained ratio.
    pub total_variance: f64,
    /// Columns without variance; their loadings are 0.
    pub constant_columns: Vec<usize>,
}

impl Pca {
    /// Fits `k` components to `x` (n x p).
    ///
    /// # Errors
    /// Fewer than 2 rows, no column, k = 0, k above the rank, a value that is not finite, all columns constant.
    pub fn fit(x: ArrayView2<f64>, k: usize, options: PcaOptions) -> Result<Self> {
        let (n, p) = x.dim();
        check_count("pca", "rows", n, 2)?;
        check_count("pca", "columns", p, 1)?;
        check_count("pca", "components", k, 1)?;
        check_matrix("pca", x)?;
        let mut center = vec![0.0; p];
        let mut scale = vec![1.0; p];
        let mut constant_columns = Vec::new();
        for (j, column) in x.columns().into_iter().enumerate() {
            let values = column.to_vec();
            let constant = summary::is_constant(&values);
            if constant {
                constant_columns.push(j);
            }
            if options.center {
                // The value itself, not a rounded mean: a constant column becomes exactly 0.
                center[j] = if constant { values[0] } else { summary::mean(&values) };
            }
            if options.scale && !constant {
                // As prcomp: the root mean square about the centre that is used, which is 0 without centring.
                let squares: f64 = values.iter().map(|v| (v - center[j]).powi(2)).sum();
                scale[j] = (squares / (n as f64 - 1.0)).sqrt();
            }
        }
        let z = DMatrix::from_fn(n, p, |i, j| (x[[i, j]] - center[j]) / scale[j]);
        let (singular, vectors) = right_singular(&z)?;
        let freedom = n as f64 - 1.0;
        let largest = singular.first().copied().unwrap_or(0.0);
        if largest == 0.0 {
            return Err(StatsError::Constant { what: "pca", which: "every column".into(), value: x[[0, 0]] });
        }
        let rank = singular.iter().filter(|s| **s > RANK_TOLERANCE * largest).count();
        if k > rank {
            return Err(StatsError::Rank { asked: k, rows: n, columns: p, rank });
        }
        let mut loadings = vec![0.0; p * k];
        for c in 0..k {
            let column = vectors.column(c);
            let top = column.amax();
            let sign = column.iter().find(|v| v.abs() >= top * (1.0 - 1e-9)).map_or(1.0, |v| v.signum());
            for j in 0..p {
                loadings[j * k + c] = sign * column[j];
            }
        }
        for &j in &constant_columns {
            if options.center {
                loadings[j * k..(j + 1) * k].fill(0.0);
            }
        }
        let total_variance = z.iter().map(|v| v * v).sum::<f64>() / freedom;
        let sdev = singular[..rank].iter().map(|s| s / freedom.sqrt()).collect();
        Ok(Self { n, k, center, scale, loadings, sdev, total_variance, constant_columns })
    }

    /// Scores (m x k) of `x` (m x p), in the order of the columns at fit.
    ///
    /// # Errors
    /// Another number of columns, a value that is not finite.
    pub fn transform(&self, x: ArrayView2<f64>) -> Result<Array2<f64>> {
        let p = self.center.len();
        if x.ncols() != p {
            return Err(StatsError::WrongColumns { what: "pca_transform", expected: p, got: x.ncols() });
        }
        check_matrix("pca_transform", x)?;
        let mut scores = Array2::zeros((x.nrows(), self.k));
        // Row by row in a fixed order: a row's scores do not depend on the rows it is sent with.
        for (row, mut out) in x.rows().into_iter().zip(scores.rows_mut()) {
            for (j, v) in row.iter().enumerate() {
                let z = (v - self.center[j]) / self.scale[j];
                for (s, loading) in out.iter_mut().zip(&self.loadings[j * self.k..(j + 1) * self.k]) {
                    *s += z * loading;
                }
            }
        }
        Ok(scores)
    }

    /// Loadings as p x k.
    pub fn loadings(&self) -> ArrayView2<'_, f64> {
        ArrayView2::from_shape((self.center.len(), self.k), &self.loadings).expect("loadings hold p x k numbers")
    }

    /// Variances of the k components.
    pub fn explained_variance(&self) -> Vec<f64> {
        self.sdev[..self.k].iter().map(|s| s * s).collect()
    }

    /// Shares of the total variance of all components up to the rank.
    pub fn explained_variance_ratio(&self) -> Vec<f64> {
        self.sdev.iter().map(|s| s * s / self.total_variance).collect()
    }

    /// The smallest number of components whose shares add up to `fraction`.
    pub fn components_for(&self, fraction: f64) -> usize {
        let mut sum = 0.0;
        let below = self.explained_variance_ratio().into_iter().take_while(|r| {
            sum += r;
            sum < fraction
        });
        (below.count() + 1).min(self.sdev.len())
    }
}

/// Singular values, descending, and right singular vectors (p x min(n, p)) of `z` (n x p).
/// A QR step first reduces the problem to min(n, p) squared.
fn right_singular(z: &DMatrix<f64>) -> Result<(Vec<f64>, DMatrix<f64>)> {
    let (n, p) = z.shape();
    if n >= p {
        let (singular, _, right) = small_svd(z.clone().qr().r())?;
        Ok((singular, right))
    } else {
        let qr = z.transpose().qr();
        // z' = Q R, R = U S V': the right vectors of z are Q U.
        let (singular, left, _) = small_svd(qr.r())?;
        Ok((singular, qr.q() * left))
    }
}

/// Singular values in descending order with left and right vectors, of a square matrix.
fn small_svd(matrix: DMatrix<f64>) -> Result<(Vec<f64>, DMatrix<f64>, DMatrix<f64>)> {
    const ITERATIONS: usize = 100_000;
    let failed = StatsError::NotConverged { what: "pca", iterations: ITERATIONS };
    let svd = matrix.try_svd(true, true, f64::EPSILON, ITERATIONS).ok_or_else(|| failed.clone())?;
    let (Some(u), Some(v_t)) = (svd.u, svd.v_t) else { return Err(failed) };
    let mut order: Vec<usize> = (0..svd.singular_values.len()).collect();
    order.sort_by(|&a, &b| svd.singular_values[b].total_cmp(&svd.singular_values[a]));
    let singular = order.iter().map(|&i| svd.singular_values[i]).collect();
    let left = DMatrix::from_fn(u.nrows(), order.len(), |i, c| u[(i, order[c])]);
    let right = DMatrix::from_fn(v_t.ncols(), order.len(), |i, c| v_t[(order[c], i)]);
    Ok((singular, left, right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn wave(n: usize, p: usize) -> Array2<f64> {
        Array2::from_shape_fn((n, p), |(i, j)| (((i + 3) * (j + 5)) as f64 * 0.7).sin() + (i as f64 * 0.1) * (j as f64 * 0.3).cos())
    }

    #[test]
    fn all_components_rebuild_the_data() {
        for (n, p) in [(30, 6), (7, 40)] {
            let x = wave(n, p);
            let model = Pca::fit(x.view(), p.min(n - 1), PcaOptions { center: true, scale: true }).unwrap();
            let back = model.transform(x.view()).unwrap().dot(&model.loadings().t());
            for ((i, j), v) in back.indexed_iter() {
                assert!((v * model.scale[j] + model.center[j] - x[[i, j]]).abs() < 1e-10);
            }
            assert!((model.explained_variance_ratio().iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn degenerate_data() {
        let x = array![[1.0, 5.0, 2.0], [2.0, 5.0, 4.0], [4.0, 5.0, 8.0], [3.0, 5.0, 6.0]];
        let model = Pca::fit(x.view(), 1, PcaOptions { center: true, scale: true }).unwrap();
        assert_eq!((model.constant_columns.as_slice(), model.loadings()[[1, 0]]), (&[1][..], 0.0));
        let rank = Pca::fit(x.view(), 2, PcaOptions::default()).unwrap_err();
        assert!(rank.to_string().contains("have rank 1"), "{rank}");
        assert!(matches!(Pca::fit(array![[1.0], [1.0]].view(), 1, PcaOptions::default()), Err(StatsError::Constant { .. })));
        assert!(matches!(model.transform(array![[1.0]].view()), Err(StatsError::WrongColumns { expected: 3, got: 1, .. })));
    }

    #[test]
    fn survives_a_round_trip() {
        let model = Pca::fit(wave(9, 5).view(), 2, PcaOptions::default()).unwrap();
        let json = serde_json::to_string(&model).unwrap();
        assert_eq!(serde_json::from_str::<Pca>(&json).unwrap(), model);
    }
}
