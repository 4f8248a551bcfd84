//! Statistics of a clinical paper.

mod correlation_filter;
mod correlation_matrix;
mod features_pick;
mod icc;
mod pca_fit;
mod pca_transform;
mod pearson;
mod spearman;

use crate::shape::Function;

pub fn functions() -> Vec<Function> {
    vec![
        correlation_filter::correlation_filter(),
        correlation_matrix::correlation_matrix(),
        features_pick::features_pick(),
        icc::icc(),
        pca_fit::pca_fit(),
        pca_transform::pca_transform(),
        pearson::pearson(),
        spearman::spearman(),
    ]
}
