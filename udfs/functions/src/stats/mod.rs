//! Statistics of a clinical paper.

mod anova;
mod chi2_test;
mod combat_fit;
mod combat_transform;
mod correlation;
mod correlation_filter;
mod correlation_matrix;
mod features_pick;
mod fisher_exact;
mod groups;
mod icc;
mod kendall;
mod kruskal_wallis;
mod mann_whitney_u;
mod mcnemar;
mod p_adjust;
mod pca_fit;
mod pca_summary;
mod pca_transform;
mod pearson;
mod shapiro_wilk;
mod spearman;
mod standardized_mean_difference;
mod t_test;
mod t_test_paired;
mod table_one;
mod wilcoxon_signed_rank;

use crate::shape::Function;

pub fn functions() -> Vec<Function> {
    vec![
        anova::anova(),
        chi2_test::chi2_test(),
        combat_fit::combat_fit(),
        combat_transform::combat_transform(),
        correlation_filter::correlation_filter(),
        correlation_matrix::correlation_matrix(),
        features_pick::features_pick(),
        fisher_exact::fisher_exact(),
        icc::icc(),
        kendall::kendall(),
        kruskal_wallis::kruskal_wallis(),
        mann_whitney_u::mann_whitney_u(),
        mcnemar::mcnemar(),
        p_adjust::p_adjust(),
        pca_fit::pca_fit(),
        pca_summary::pca_summary(),
        pca_transform::pca_transform(),
        pearson::pearson(),
        shapiro_wilk::shapiro_wilk(),
        spearman::spearman(),
        standardized_mean_difference::standardized_mean_difference(),
        t_test::t_test(),
        table_one::table_one(),
        t_test_paired::t_test_paired(),
        wilcoxon_signed_rank::wilcoxon_signed_rank(),
    ]
}
