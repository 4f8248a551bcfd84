//! Coefficients between the lambdas of a path, and linear predictors.

use ndarray::ArrayView2;

use super::CoxnetFit;
use crate::error::SurvivalError;

impl CoxnetFit {
    /// Coefficients of all columns at `lambda`, linear between the two neighbours on the path and constant beyond its ends (R's
    /// `coef(s = )`).
    pub fn coef_at(&self, lambda: f64) -> Vec<f64> {
        let mut coef = vec![0.0; self.means.len()];
        for (k, share) in self.neighbours(lambda).into_iter().flatten() {
            let sparse = &self.coef[k];
            sparse.index.iter().zip(&sparse.value).for_each(|(&j, v)| coef[j as usize] += share * v);
        }
        coef
    }

    /// The solutions that `lambda` lies between, with their shares.
    pub(super) fn neighbours(&self, lambda: f64) -> [Option<(usize, f64)>; 2] {
        // The path falls: the first solution at or below lambda, and the one before it.
        let after = self.lambda.partition_point(|&l| l > lambda);
        match (after, self.lambda.get(after)) {
            (_, None) => [self.coef.len().checked_sub(1).map(|last| (last, 1.0)), None],
            (0, Some(_)) => [Some((0, 1.0)), None],
            (_, Some(&below)) if below == lambda => [Some((after, 1.0)), None],
            (_, Some(&below)) => {
                let above = self.lambda[after - 1];
                let share = (lambda - below) / (above - below);
                [Some((after - 1, share)), Some((after, 1.0 - share))]
            }
        }
    }

    /// `(x - means) coef` of each row at `lambda`. glmnet's link is `x coef`: add [`CoxnetFit::means_linear_predictor`].
    ///
    /// # Errors
    /// As many columns as the fit had, all values finite.
    pub fn linear_predictor(&self, x: ArrayView2<f64>, lambda: f64) -> Result<Vec<f64>, SurvivalError> {
        let p = self.means.len();
        if x.ncols() != p {
            return Err(SurvivalError::ColumnMismatch { expected: p, found: x.ncols() });
        }
        if let Some(((row, column), &value)) = x.indexed_iter().find(|(_, v)| !v.is_finite()) {
            return Err(SurvivalError::NotFinite { what: format!("column {} of x", column + 1), row, value });
        }
        let coef = self.coef_at(lambda);
        let kept: Vec<usize> = (0..coef.len()).filter(|&j| coef[j] != 0.0).collect();
        Ok(x.rows().into_iter().map(|row| kept.iter().map(|&j| (row[j] - self.means[j]) * coef[j]).sum()).collect())
    }

    /// `means coef` at `lambda`.
    pub fn means_linear_predictor(&self, lambda: f64) -> f64 {
        self.coef_at(lambda).iter().zip(&self.means).map(|(b, m)| b * m).sum()
    }
}
