//! SurvSHAP(t): exact Shapley values of a survival model's prediction at every time.
//!
//! The value of a set S of features is `v(S; t) = mean over background rows b of f(x in S, b elsewhere; t)`, the interventional
//! (marginal) value, and a feature's share is `sum over S of |S|! (p-|S|-1)! / p! [v(S + j; t) - v(S; t)]`. The shares of all
//! features sum to `f(x; t) - mean_b f(b; t)` at every time. Krzyzinski et al., Knowl Based Syst 2023;262:110234.
//!
//! Nothing is sampled:
//! - forests: [`interventional`] TreeSHAP, all times in one pass, or [`path_dependent`] TreeSHAP, whose background is the
//!   training rows in the nodes;
//! - Cox models: closed forms for the linear predictor and the cumulative hazard, an integral of product games for the
//!   survival (see `cox`), all polynomial in the number of features.
//!
//! Sums run in a fixed order: a row's explanation is the same, bit for bit, for any number of threads and whatever rows are
//! explained beside it.

mod aggregate;
mod cox;
mod explainer;
mod forest;
pub mod interventional;
pub mod path_dependent;
mod patterns;
mod quadrature;

pub use aggregate::Aggregation;
pub use cox::CoxCurves;
pub use explainer::{Explained, Explainer, Method};

use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// Different features that a path from root to leaf may have.
const PATH_FEATURES: usize = 128;

/// Which prediction is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Survival probability at each time.
    #[default]
    Survival,
    CumulativeHazard,
    /// One number without a time: a forest's ensemble mortality, a Cox model's linear predictor.
    Risk,
}

/// One row explained.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The times asked for; empty for [`Output::Risk`], which then has one column below.
    pub times: Vec<f64>,
    /// Mean prediction over the background at each time.
    pub base: Vec<f64>,
    /// Prediction of the row at each time.
    pub prediction: Vec<f64>,
    /// Features x times: the columns sum to `prediction - base`.
    pub values: Array2<f64>,
}

impl Explanation {
    /// Do the values sum to `prediction - base` to 1e-10 at each time? Written so that NaN does not.
    pub fn adds_up(&self) -> bool {
        let missed = |k: usize| (self.values.column(k).sum() - (self.prediction[k] - self.base[k])).abs();
        (0..self.base.len()).all(|k| missed(k) <= 1e-10)
    }
}
