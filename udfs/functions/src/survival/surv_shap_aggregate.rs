//! One number per feature of a row: SurvSHAP(t) over time.
//!
//! Integrals are trapezoids over the times, divided by the last of them, as in python survshap and R survex.

use esccsql_survival::shap::{Aggregation, Explainer, Output};
use ndarray::ArrayView1;

use super::explained::times_of;
use crate::shape::{Function, Kind, Problem, each, options, record};

options! {
    pub(super) struct Options {
        /// 'integral_absolute', 'integral' (signed), 'mean_absolute', 'max_absolute' or 'sum_of_squares'.
        aggregation: Aggregation = Aggregation::IntegralAbsolute,
        /// What is explained: 'survival', 'cumulative_hazard' or 'risk'.
        output: Output = Output::Survival,
    }
}

record! {
    /// A feature's effect over all times.
    struct Effect {
        feature: String,
        value: f64,
    }
}

pub fn surv_shap_aggregate() -> Function {
    each("surv_shap_aggregate", "SurvSHAP(t) of a row over time, one number per feature: its integral, mean, maximum or sum of squares.")
        .arg("explainer", Kind::Model, "made by surv_shap_fit")
        .arg("x", Kind::Features, "the features that the model was fitted on")
        .optional("times", Kind::Numbers, "ascending times in the unit of the fit; all event times of the model when left out")
        .options::<Options>()
        .heavy()
        .source("R survex; Krzyzinski et al., Knowl Based Syst 2023;262:110234")
        .example("SELECT patient_id, surv_shap_aggregate(explainer, {'age': age, 'stage': stage}, {'aggregation': 'max_absolute'}) FROM patients, (SELECT surv_shap_fit(model, {'age': age, 'stage': stage}) AS explainer FROM patients, (SELECT rsf_fit(months, died, {'age': age, 'stage': stage}, {'trees': 20}) AS model FROM patients))")
        .returns(|row, options| {
            let trained = row.model::<Explainer>(0)?;
            let x = row.aligned(1, &trained)?;
            let times = times_of(row, 2, &trained.model);
            let found = trained.model.explain(ArrayView1::from(&x), &times, options.output).map_err(Problem::user)?;
            let values = found.aggregate(options.aggregation).map_err(Problem::user)?;
            Ok(trained.header.features.iter().zip(values).map(|(name, value)| Effect { feature: name.clone(), value }).collect::<Vec<_>>())
        })
}
