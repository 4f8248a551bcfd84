//! How much each feature moves the predictions of a cohort: SurvSHAP(t) over time and rows.

use esccsql_survival::shap::{Aggregation, Explainer, Output};

use super::survival_model::{arranged, shared_model};
use crate::shape::{Function, Kind, Model, Problem, collect, options, record};

options! {
    struct Options {
        /// Over time, in each row: 'integral_absolute', 'integral' (signed), 'mean_absolute', 'max_absolute' or 'sum_of_squares'.
        aggregation: Aggregation = Aggregation::IntegralAbsolute,
        /// What is explained: 'survival', 'cumulative_hazard' or 'risk'.
        output: Output = Output::Survival,
        /// Ascending times; by default all event times of the model.
        times: Option<Vec<f64>> = None,
    }
}

record! {
    /// Mean effect of a feature over the rows.
    struct Importance {
        feature: String,
        importance: f64,
    }
}

pub fn surv_shap_importance() -> Function {
    collect("surv_shap_importance", "Mean over the rows of each feature's SurvSHAP(t), summed up over time: which features move the predictions most.")
        .arg("explainer", Kind::Model, "made by surv_shap_fit, the same in every row")
        .arg("x", Kind::Features, "the features that the model was fitted on")
        .options::<Options>()
        .source("R survex model_survshap; Krzyzinski et al., Knowl Based Syst 2023;262:110234")
        .example("SELECT unnest(surv_shap_importance(explainer, {'age': age, 'stage': stage}), recursive := true) FROM patients, (SELECT surv_shap_fit(model, {'age': age, 'stage': stage}) AS explainer FROM patients, (SELECT rsf_fit(months, died, {'age': age, 'stage': stage}, {'trees': 20}) AS model FROM patients))")
        .returns(|rows, options| {
            let trained = Model::decode::<Explainer>(shared_model(rows, 0, "explainer")?).map_err(|problem| problem.at("explainer"))?;
            let x = arranged(rows.features(1), &trained.header.features).map_err(|problem| problem.at("x"))?;
            let times = options.times.clone().unwrap_or_else(|| trained.model.event_times());
            let all = trained.model.explain_all(x.view(), &times, options.output).map_err(Problem::user)?;
            let mut sums = vec![0.0; x.ncols()];
            for found in &all {
                let values = found.aggregate(options.aggregation).map_err(Problem::user)?;
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            }
            let mean = |(name, sum): (&String, f64)| Importance { feature: name.clone(), importance: sum / all.len() as f64 };
            Ok(trained.header.features.iter().zip(sums).map(mean).collect::<Vec<_>>())
        })
}
