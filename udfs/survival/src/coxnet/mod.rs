//! LASSO and elastic-net Cox models.
//!
//! Minimises `-l(b) / n + lambda * sum_j pf_j (alpha |b_j| + (1 - alpha) / 2 b_j^2)`, l the Breslow log partial likelihood and b on
//! standardised columns (sd with 1/n), along a falling sequence of lambda. Agrees with R `glmnet(family = "cox")`, its
//! sequence and its early stop included. Simon, Friedman, Hastie & Tibshirani, J Stat Softw 2011;39(5).
//!
//! Where it differs on purpose: a row censored at the time of an event is at risk whatever the unit of time is (glmnet loses
//! this to rounding above 256), variables of penalty factor 0 are fitted before the largest lambda is chosen, and every
//! solution meets the optimality conditions to `tolerance`.

mod cv;
mod design;
mod factor;
mod likelihood;
mod path;
mod predict;
mod solver;

pub use cv::{Alignment, CrossValidation, CvOptions, Folds, Measure, cross_validate, stratified_folds};
pub use path::fit;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

/// What the path is fitted to: `x` is n x p, everything else has one value per row.
#[derive(Clone, Copy)]
pub struct CoxnetData<'a> {
    pub x: ArrayView2<'a, f64>,
    pub time: &'a [f64],
    pub event: &'a [bool],
    /// Positive case weights; 1 when absent.
    pub weights: Option<&'a [f64]>,
    /// Codes of the strata, each with its own risk sets.
    pub strata: Option<&'a [u32]>,
    /// Added to the linear predictor with coefficient 1.
    pub offset: Option<&'a [f64]>,
    /// Names of the columns of x, for messages.
    pub names: Option<&'a [String]>,
}

impl<'a> CoxnetData<'a> {
    /// Without weights, strata, offset or names.
    pub fn new(x: ArrayView2<'a, f64>, time: &'a [f64], event: &'a [bool]) -> Self {
        Self { x, time, event, weights: None, strata: None, offset: None, names: None }
    }
}

/// How a path is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoxnetOptions {
    /// 1 is the LASSO, 0 ridge.
    pub alpha: f64,
    /// Length of the sequence of lambda, before the early stop.
    pub n_lambda: usize,
    /// Smallest over largest lambda; 1e-2 where n < p and 1e-4 otherwise when absent.
    pub lambda_min_ratio: Option<f64>,
    /// A sequence of one's own, falling; it is not stopped early.
    pub lambda: Option<Vec<f64>>,
    pub standardize: bool,
    /// One per column, 0 for no penalty, infinite to leave the column out; rescaled to mean 1. All 1 when absent.
    pub penalty_factor: Option<Vec<f64>>,
    /// Columns to leave out.
    pub exclude: Vec<usize>,
    /// Largest violation of the optimality conditions, in units of lambda.
    pub tolerance: f64,
    /// Newton steps for one lambda.
    pub max_iter: usize,
}

impl Default for CoxnetOptions {
    fn default() -> Self {
        Self {
            alpha: 1.0,
            n_lambda: 100,
            lambda_min_ratio: None,
            lambda: None,
            standardize: true,
            penalty_factor: None,
            exclude: Vec::new(),
            tolerance: 1e-10,
            max_iter: 1000,
        }
    }
}

/// Coefficients that are not 0, on the scale of x, by ascending column.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SparseCoef {
    pub index: Vec<u32>,
    pub value: Vec<f64>,
}

/// A fitted path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoxnetFit {
    /// Falling.
    pub lambda: Vec<f64>,
    /// One per lambda.
    pub coef: Vec<SparseCoef>,
    /// Share of the null deviance that is explained, one per lambda.
    pub dev_ratio: Vec<f64>,
    /// Coefficients that are not 0, one per lambda.
    pub df: Vec<usize>,
    pub null_deviance: f64,
    pub alpha: f64,
    /// Weighted means of the columns: the linear predictor is 0 there.
    pub means: Vec<f64>,
    pub n: usize,
    pub events: usize,
    pub cv: Option<CrossValidation>,
    /// What the user should know; empty when all went well.
    pub warnings: Vec<String>,
}
