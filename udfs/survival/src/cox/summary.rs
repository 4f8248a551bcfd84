//! The table of coefficients, and the linear predictor.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::{Coefficient, CoxFit};
use crate::error::SurvivalError;
use crate::special::{normal_quantile, normal_two_sided};

/// One coefficient. Numbers are `None` where the coefficient is aliased or infinite: see `status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoxRow {
    pub term: String,
    pub coef: Option<f64>,
    /// The robust one where it was asked for.
    pub se: Option<f64>,
    pub z: Option<f64>,
    /// Two-sided, normal.
    pub p: Option<f64>,
    /// exp(coef).
    pub hr: Option<f64>,
    pub hr_lower: Option<f64>,
    pub hr_upper: Option<f64>,
    pub status: Coefficient,
}

impl CoxFit {
    /// The coefficients with Wald intervals of level `conf_level` (0.95, say). `terms` names the columns.
    ///
    /// # Errors
    /// As many terms as columns are needed, and a level between 0 and 1.
    pub fn summary(&self, terms: &[String], conf_level: f64) -> Result<Vec<CoxRow>, SurvivalError> {
        let p = self.coef.len();
        if terms.len() != p {
            return Err(SurvivalError::ColumnMismatch { expected: p, found: terms.len() });
        }
        let quantile = two_sided_quantile(conf_level)?;
        let variance = self.robust_variance.as_ref().unwrap_or(&self.variance);
        let row = |j: usize| {
            let known = |value: f64| (self.status[j] == Coefficient::Estimated).then_some(value);
            let (coef, se) = (self.coef[j], variance[j * p + j].sqrt());
            CoxRow {
                term: terms[j].clone(),
                coef: known(coef),
                se: known(se),
                z: known(coef / se),
                p: known(normal_two_sided(coef / se)),
                hr: known(coef.exp()),
                hr_lower: known((coef - quantile * se).exp()),
                hr_upper: known((coef + quantile * se).exp()),
                status: self.status[j],
            }
        };
        Ok((0..p).map(row).collect())
    }

    /// Akaike's information criterion, one parameter per coefficient that is not aliased.
    pub fn aic(&self) -> f64 {
        2.0 * self.likelihood_ratio.df as f64 - 2.0 * self.loglik
    }

    /// `(x - means) coef` of each row of x (m x p); add a row's offset, if any. An aliased coefficient counts as 0.
    ///
    /// # Errors
    /// As many columns as the fit had, all values finite.
    pub fn linear_predictor(&self, x: ArrayView2<f64>) -> Result<Vec<f64>, SurvivalError> {
        self.check_columns(x)?;
        Ok(x.rows().into_iter().map(|row| row.iter().zip(&self.means).zip(self.effects()).map(|((x, m), b)| (x - m) * b).sum()).collect())
    }

    /// What the linear predictor of a row at 0 is above that of a row at the means, with the sign turned: add it for R's
    /// `reference = "zero"`.
    pub fn means_linear_predictor(&self) -> f64 {
        self.means.iter().zip(self.effects()).map(|(m, b)| m * b).sum()
    }

    /// Coefficients with 0 for the aliased ones.
    pub(crate) fn effects(&self) -> impl Iterator<Item = f64> {
        self.coef.iter().map(|&b| if b.is_nan() { 0.0 } else { b })
    }

    pub(crate) fn check_columns(&self, x: ArrayView2<f64>) -> Result<(), SurvivalError> {
        if x.ncols() != self.coef.len() {
            return Err(SurvivalError::ColumnMismatch { expected: self.coef.len(), found: x.ncols() });
        }
        match x.indexed_iter().find(|(_, v)| !v.is_finite()) {
            None => Ok(()),
            Some(((row, column), &value)) => Err(SurvivalError::NotFinite { what: format!("column {} of x", column + 1), row, value }),
        }
    }
}

pub(crate) fn two_sided_quantile(conf_level: f64) -> Result<f64, SurvivalError> {
    if conf_level > 0.0 && conf_level < 1.0 {
        Ok(normal_quantile(0.5 + conf_level / 2.0))
    } else {
        Err(SurvivalError::BadOption { option: "conf_level", expected: "a number between 0 and 1", found: conf_level.to_string() })
    }
}
