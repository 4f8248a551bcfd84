//! Cox proportional hazards.
//!
//! Agrees with R `survival::coxph`. Rows of equal time (R's rule for rounding, see [`crate::outcome::Outcome`]) tie; ties are
//! handled after Efron (the default), Breslow, or exactly. Cox, JRSS B 1972;34:187. Efron, JASA 1977;72:557. Therneau &
//! Grambsch, Modeling Survival Data, 2000.
//!
//! Conventions. `linear_predictor` is `(x - means) coef` (a row's offset is the caller's to add), as R's `predict(type = "lp")` of an unstratified model: the
//! means are weighted, and 0 for columns that hold only -1, 0 and 1. The baseline belongs to a row at the means.

mod baseline;
mod exact;
mod fit;
mod likelihood;
mod problem;
mod residuals;
mod screen;
mod summary;
mod zph;

pub use baseline::{Baseline, SurvivalCurves};
pub use fit::fit;
pub use residuals::Residuals;
pub use screen::{ScreenRow, screen};
pub use summary::CoxRow;
pub use zph::{ZphRow, ZphTransform};

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

/// What a Cox model is fitted to: `x` is n x p, everything else has one value per row.
#[derive(Clone, Copy)]
pub struct CoxData<'a> {
    pub x: ArrayView2<'a, f64>,
    pub time: &'a [f64],
    pub event: &'a [bool],
    /// Positive case weights; 1 when absent.
    pub weights: Option<&'a [f64]>,
    /// Codes of the strata: each has its own risk sets and baseline.
    pub strata: Option<&'a [u32]>,
    /// Added to the linear predictor with coefficient 1.
    pub offset: Option<&'a [f64]>,
    /// Codes of the groups whose rows may depend on each other: asks for the robust variance.
    pub cluster: Option<&'a [u32]>,
    /// Names of the columns of x, for messages.
    pub names: Option<&'a [String]>,
}

impl<'a> CoxData<'a> {
    /// Without weights, strata, offset, clusters or names.
    pub fn new(x: ArrayView2<'a, f64>, time: &'a [f64], event: &'a [bool]) -> Self {
        Self { x, time, event, weights: None, strata: None, offset: None, cluster: None, names: None }
    }
}

/// What to do with events at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Ties {
    #[default]
    Efron,
    Breslow,
    /// The conditional likelihood of discrete time (R's `ties = "exact"`). Cost grows with events x rows at each time.
    Exact,
}

/// How a Cox model is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CoxOptions {
    pub ties: Ties,
    /// Sandwich variance of Lin & Wei (JASA 1989;84:1074), also without clusters.
    pub robust: bool,
    pub max_iter: usize,
    /// Stop when the log-likelihood changes by less than this, relatively. R's default is 1e-9; here 1e-12, at the price of
    /// about one more iteration, so that the coefficients are exact to rounding.
    pub tolerance: f64,
}

impl Default for CoxOptions {
    fn default() -> Self {
        Self { ties: Ties::Efron, robust: false, max_iter: 50, tolerance: 1e-12 }
    }
}

/// What became of a coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Coefficient {
    Estimated,
    /// The column is constant or a linear combination of the columns before it; the coefficient is NaN.
    Aliased,
    /// The likelihood rises for ever in this direction (separation); the coefficient is where the iteration stopped.
    Diverging,
}

/// A chi-square test of the whole model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ModelTest {
    pub statistic: f64,
    pub df: usize,
    pub p: f64,
}

/// A fitted Cox model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoxFit {
    /// One per column of x; NaN where aliased.
    pub coef: Vec<f64>,
    pub status: Vec<Coefficient>,
    /// p x p, row-major: the inverse of the information. Zero rows and columns where aliased.
    pub variance: Vec<f64>,
    /// p x p, row-major, when asked for; the summary and the Wald test then use it.
    pub robust_variance: Option<Vec<f64>>,
    /// Where the linear predictor is 0.
    pub means: Vec<f64>,
    /// Log partial likelihood at coefficients 0.
    pub loglik_null: f64,
    pub loglik: f64,
    pub wald: ModelTest,
    pub score: ModelTest,
    pub likelihood_ratio: ModelTest,
    pub iterations: usize,
    pub converged: bool,
    /// What the user should know; empty when all went well.
    pub warnings: Vec<String>,
    pub n: usize,
    pub events: usize,
    pub ties: Ties,
    /// One per stratum, by ascending code.
    pub baselines: Vec<Baseline>,
}
