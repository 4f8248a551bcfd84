//! The statistics of a clinical paper: agreement, correlation, principal components, tests of two or more groups and
//! contingency tables, harmonisation between scanners.
//!
//! The kernels take slices and `ndarray` views and return plain structs. They agree with R's `stats`, `psych`, `irr` and
//! `caret`; each file names the convention where packages differ. Nothing here draws random numbers, and sums run in the
//! order of the input, so that the same input gives the same bits.

pub mod correlation;
pub mod correlation_filter;
pub mod correlation_matrix;
pub mod distribution;
pub mod error;
pub mod icc;
pub mod pca;
pub mod rank;
mod summary;

pub use error::{Result, StatsError};

/// The alternative hypothesis of a test, about the first sample relative to the second (or to 0).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alternative {
    #[default]
    TwoSided,
    Less,
    Greater,
}
