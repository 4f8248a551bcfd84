//! The statistics of a clinical paper: agreement, correlation, principal components, tests of two or more groups and
//! contingency tables, harmonisation between scanners.
//!
//! The kernels take slices and `ndarray` views and return plain structs. They agree with R's `stats`, `psych`, `irr` and
//! `caret`; each file names the convention where packages differ. Sums run in a fixed order and the one test that samples takes a
//! seed, so that the same input gives the same bits for any number of threads.

pub mod anova;
pub mod chi2_test;
pub mod combat;
pub mod contingency;
pub mod correlation;
pub mod correlation_filter;
pub mod correlation_matrix;
pub mod distribution;
pub mod error;
pub mod fisher_exact;
mod fisher_tables;
pub mod icc;
pub mod kruskal_wallis;
pub mod mann_whitney;
pub mod mcnemar;
pub mod p_adjust;
pub mod pca;
pub mod rank;
pub mod shapiro_wilk;
pub mod standardized_mean_difference;
mod summary;
pub mod t_test;
pub mod table_one;
pub mod wilcoxon_signed_rank;

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
