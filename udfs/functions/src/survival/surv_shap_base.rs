//! Where SurvSHAP(t) starts from.

use super::explained::{Options, times_of};
use esccsql_survival::shap::Explainer;

use crate::shape::{Function, Kind, Problem, each, record};

record! {
    /// Mean prediction of the background at a time.
    struct Base {
        /// NULL for a risk.
        time: Option<f64>,
        value: f64,
    }
}

pub fn surv_shap_base() -> Function {
    each("surv_shap_base", "Mean prediction over an explainer's background at each time: what the values of surv_shap add up from.")
        .arg("explainer", Kind::Model, "made by surv_shap_fit")
        .optional("times", Kind::Numbers, "ascending times in the unit of the fit; all event times of the model when left out")
        .options::<Options>()
        .source("Krzyzinski et al., Knowl Based Syst 2023;262:110234")
        .example("SELECT unnest(surv_shap_base(explainer, [12, 24, 36]), recursive := true) FROM (SELECT surv_shap_fit(model, {'age': age}) AS explainer FROM patients, (SELECT cox_fit(months, died, {'age': age}) AS model FROM patients))")
        .returns(|row, options| {
            let trained = row.model::<Explainer>(0)?;
            let times = times_of(row, 1, &trained.model);
            let (times, base) = trained.model.base(&times, options.output).map_err(Problem::user)?;
            Ok(base.into_iter().enumerate().map(|(k, value)| Base { time: times.get(k).copied(), value }).collect::<Vec<_>>())
        })
}
