//! Statistics of a clinical paper.

mod anova;
mod chi2_test;
mod correlation;
mod correlation_filter;
mod correlation_matrix;
mod features_pick;
mod fisher_exact;
mod groups;
mod icc;
mod kruskal_wallis;
mod mann_whitney_u;
mod pca_fit;
mod pca_transform;
mod pearson;
mod shapiro_wilk;
mod spearman;
mod standardized_mean_difference;
mod t_test;
mod t_test_paired;

use crate::shape::Function;

pub fn functions() -> Vec<Function> {
    vec![
        anova::anova(),
        chi2_test::chi2_test(),
        correlation_filter::correlation_filter(),
        correlation_matrix::correlation_matrix(),
        features_pick::features_pick(),
        fisher_exact::fisher_exact(),
        icc::icc(),
        kruskal_wallis::kruskal_wallis(),
        mann_whitney_u::mann_whitney_u(),
        pca_fit::pca_fit(),
        pca_transform::pca_transform(),
        pearson::pearson(),
        shapiro_wilk::shapiro_wilk(),
        spearman::spearman(),
        standardized_mean_difference::standardized_mean_difference(),
        t_test::t_test(),
        t_test_paired::t_test_paired(),
    ]
}
