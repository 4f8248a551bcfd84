//! SurvSHAP(t): a model with the background that it is explained against.
//!
//! A feature's share at time t is its Shapley value in the game `v(S; t) = mean over background rows b of f(x in S, b elsewhere;
//! t)`. Nothing is sampled: forests by interventional TreeSHAP for all times at once, Cox models by closed forms and integrals
//! of product games. With 'path_dependent' the background of a forest is the training rows in its nodes, and the rows given
//! here play no part.

use esccsql_survival::shap::{Explainer, Method};

use super::survival_model::{SurvivalModel, arranged, shared_model};
use crate::shape::{Fit, Function, Kind, Model, Problem, collect, options};

options! {
    struct Options {
        /// 'interventional' (the background rows; as R survex and python survshap) or 'path_dependent' (forests only).
        method: Method = Method::Interventional,
    }
}

impl Fit for Explainer {
    const KIND: &'static str = "surv_shap";
}

pub fn surv_shap_fit() -> Function {
    collect("surv_shap_fit", "An explainer for surv_shap: a survival model and the rows it is explained against, as a rule its training rows.")
        .arg("model", Kind::Model, "made by rsf_fit or cox_fit, the same in every row")
        .arg("x", Kind::Features, "background: the features that the model was fitted on")
        .options::<Options>()
        .source("Krzyzinski et al., Knowl Based Syst 2023;262:110234; Lundberg et al., Nat Mach Intell 2020;2:56")
        .example("SELECT surv_shap_fit(model, {'age': age, 'stage': stage}) FROM patients, (SELECT rsf_fit(months, died, {'age': age, 'stage': stage}, {'trees': 20}) AS model FROM patients)")
        .returns(|rows, options| {
            let model = SurvivalModel::read(shared_model(rows, 0, "model")?).map_err(|problem| problem.at("model"))?;
            let background = arranged(rows.features(1), model.features()).map_err(|problem| problem.at("x"))?;
            let explainer = Explainer::new(model.explained()?, background.view(), options.method).map_err(Problem::user)?;
            let mut summary = rows.summary(None);
            summary.options = serde_json::to_value(options).map_err(Problem::bug)?;
            Model::encode(&explainer, model.features(), summary)
        })
}
