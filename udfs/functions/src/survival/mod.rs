//! Survival models, metrics, curves and tests.

mod aalen_johansen;
mod auc_td;
mod auc_td_ci;
mod auc_td_compare;
mod brier_score;
mod brier_score_ci;
mod brier_score_compare;
mod c_index;
mod c_index_ci;
mod c_index_compare;
mod c_index_td;
mod c_index_td_ci;
mod c_index_td_compare;
mod c_index_uno;
mod c_index_uno_ci;
mod c_index_uno_compare;
mod calibration;
mod calibration_curve;
mod causes;
mod censoring;
mod concordance;
mod cox_baseline;
mod cox_fit;
mod cox_predict;
mod cox_residuals;
mod cox_screen;
mod cox_summary;
mod cox_survival;
mod cox_survival_ci;
mod cox_tests;
mod cox_zph;
mod coxnet_coefficients;
mod coxnet_cv;
mod coxnet_fit;
mod coxnet_lambda;
mod coxnet_path;
mod coxnet_predict;
mod cv_folds;
mod decision_curve;
mod design;
mod explained;
mod integrated_brier_score;
mod integrated_brier_score_ci;
mod integrated_brier_score_compare;
mod interval;
mod km_fit;
mod km_median;
mod km_survival;
mod logrank;
mod logrank_trend;
mod matrix;
mod nelson_aalen;
mod permutation_importance;
mod rmst;
mod rsf_chf;
mod rsf_competing_chf;
mod rsf_competing_cif;
mod rsf_competing_fit;
mod rsf_competing_importance;
mod rsf_competing_oob;
mod rsf_competing_predict;
mod rsf_competing_survival;
mod rsf_fit;
mod rsf_importance;
mod rsf_oob;
mod rsf_oob_ensemble;
mod rsf_predict;
mod rsf_survival;
mod stratum;
mod surv_pdp;
mod surv_shap;
mod surv_shap_aggregate;
mod surv_shap_base;
mod surv_shap_fit;
mod surv_shap_importance;
mod survival_model;
mod uno;

use crate::shape::Function;

pub fn functions() -> Vec<Function> {
    vec![
        aalen_johansen::aalen_johansen(),
        auc_td::auc_td(),
        auc_td_ci::auc_td_ci(),
        auc_td_compare::auc_td_compare(),
        brier_score::brier_score(),
        brier_score_ci::brier_score_ci(),
        brier_score_compare::brier_score_compare(),
        c_index::c_index(),
        c_index_ci::c_index_ci(),
        c_index_compare::c_index_compare(),
        c_index_td::c_index_td(),
        c_index_td_ci::c_index_td_ci(),
        c_index_td_compare::c_index_td_compare(),
        c_index_uno::c_index_uno(),
        c_index_uno_ci::c_index_uno_ci(),
        c_index_uno_compare::c_index_uno_compare(),
        calibration::calibration(),
        calibration_curve::calibration_curve(),
        concordance::concordance(),
        cox_baseline::cox_baseline(),
        cox_fit::cox_fit(),
        cox_predict::cox_predict(),
        cox_residuals::cox_residuals(),
        cox_screen::cox_screen(),
        cox_summary::cox_summary(),
        cox_survival::cox_survival(),
        cox_survival_ci::cox_survival_ci(),
        cox_tests::cox_tests(),
        cox_zph::cox_zph(),
        coxnet_coefficients::coxnet_coefficients(),
        coxnet_cv::coxnet_cv(),
        coxnet_fit::coxnet_fit(),
        coxnet_path::coxnet_path(),
        coxnet_predict::coxnet_predict(),
        cv_folds::cv_folds(),
        decision_curve::decision_curve(),
        integrated_brier_score::integrated_brier_score(),
        integrated_brier_score_ci::integrated_brier_score_ci(),
        integrated_brier_score_compare::integrated_brier_score_compare(),
        km_fit::km_fit(),
        km_median::km_median(),
        km_survival::km_survival(),
        logrank::logrank(),
        logrank_trend::logrank_trend(),
        nelson_aalen::nelson_aalen(),
        permutation_importance::permutation_importance(),
        rmst::rmst(),
        rsf_chf::rsf_chf(),
        rsf_competing_chf::rsf_competing_chf(),
        rsf_competing_cif::rsf_competing_cif(),
        rsf_competing_fit::rsf_competing_fit(),
        rsf_competing_importance::rsf_competing_importance(),
        rsf_competing_oob::rsf_competing_oob(),
        rsf_competing_predict::rsf_competing_predict(),
        rsf_competing_survival::rsf_competing_survival(),
        rsf_fit::rsf_fit(),
        rsf_importance::rsf_importance(),
        rsf_oob::rsf_oob(),
        rsf_oob_ensemble::rsf_oob_ensemble(),
        rsf_predict::rsf_predict(),
        rsf_survival::rsf_survival(),
        surv_pdp::surv_pdp(),
        surv_shap::surv_shap(),
        surv_shap_aggregate::surv_shap_aggregate(),
        surv_shap_base::surv_shap_base(),
        surv_shap_fit::surv_shap_fit(),
        surv_shap_importance::surv_shap_importance(),
    ]
}
