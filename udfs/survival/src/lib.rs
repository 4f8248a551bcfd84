//! Survival analysis on slices and `ndarray` views: curves, tests, models and censoring-aware metrics.
//!
//! Kernels take times (0 or later, any unit), events (true: it happened at that time; false: censored) and covariates, check
//! them, and return plain structs. Rows are used in the order given: equal input gives equal bits for any number of threads.

pub mod aalen_johansen;
mod ascending;
pub mod auc;
pub mod bootstrap;
pub mod brier;
pub mod calibration;
pub mod censoring;
mod columns;
pub mod concordance;
pub mod concordance_inference;
pub mod concordance_strata;
pub mod concordance_td;
pub mod cox;
pub mod coxnet;
pub mod decision_curve;
pub mod error;
mod fenwick;
pub mod km;
mod ldl;
pub mod logrank;
pub mod nelson_aalen;
pub mod outcome;
pub mod pdp;
pub mod permutation;
mod risk_sets;
pub mod rmst;
mod rng;
pub mod rsf;
mod running_sums;
pub mod shap;
mod simd;
mod special;
pub mod uno;
