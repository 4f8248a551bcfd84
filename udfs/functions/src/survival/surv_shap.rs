//! SurvSHAP(t) of one row.

use ndarray::ArrayView1;

use super::explained::{Options, times_of};
use esccsql_survival::shap::Explainer;

use crate::shape::{Function, Kind, Problem, each, record};

record! {
    /// What a feature adds to the prediction at a time, against the background's mean.
    struct Share {
        feature: String,
        /// NULL for a risk.
        time: Option<f64>,
        value: f64,
    }
}

pub fn surv_shap() -> Function {
    each("surv_shap", "SurvSHAP(t), exact: what each feature of a row adds to the prediction at each time. The values of all features sum to the prediction less surv_shap_base.")
        .arg("explainer", Kind::Model, "made by surv_shap_fit")
        .arg("x", Kind::Features, "the features that the model was fitted on")
        .optional("times", Kind::Numbers, "ascending times in the unit of the fit; all event times of the model when left out")
        .options::<Options>()
        .heavy()
        .source("Krzyzinski et al., Knowl Based Syst 2023;262:110234")
        .example("SELECT unnest(surv_shap(explainer, {'age': 61, 'stage': 3}, [12, 24, 36]), recursive := true) FROM (SELECT surv_shap_fit(model, {'age': age, 'stage': stage}) AS explainer FROM patients, (SELECT rsf_fit(months, died, {'age': age, 'stage': stage}, {'trees': 20}) AS model FROM patients))")
        .returns(|row, options| {
            let trained = row.model::<Explainer>(0)?;
            let x = row.aligned(1, &trained)?;
            let times = times_of(row, 2, &trained.model);
            let found = trained.model.explain(ArrayView1::from(&x), &times, options.output).map_err(Problem::user)?;
            let curve = |(name, values): (&String, ArrayView1<f64>)| {
                let share = |(k, &value)| Share { feature: name.clone(), time: found.times.get(k).copied(), value };
                values.iter().enumerate().map(share).collect::<Vec<_>>()
            };
            Ok(trained.header.features.iter().zip(found.values.rows()).flat_map(curve).collect::<Vec<_>>())
        })
}
