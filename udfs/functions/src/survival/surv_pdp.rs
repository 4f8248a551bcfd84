//! Partial dependence over time: the mean predicted curve when a feature is set to a value in every row.

use esccsql_survival::pdp::{grid, partial_dependence};
use esccsql_survival::shap::Output;

use super::survival_model::{SurvivalModel, arranged, predict, shared_model};
use crate::shape::{Function, Kind, Problem, collect, options, record, shorten};

options! {
    struct Options {
        /// Features to look at; by default all.
        features: Option<Vec<String>> = None,
        /// Values per feature at most: all distinct ones, or as many quantiles.
        points: usize = 11,
        /// Ascending times; by default all event times of the model.
        times: Option<Vec<f64>> = None,
        /// What is predicted: 'survival', 'cumulative_hazard' or 'risk' (without time).
        output: Output = Output::Survival,
    }
    check |options| if options.points == 0 { Err("`points` must be at least 1".into()) } else { Ok(()) }
}

record! {
    /// Mean prediction of all rows with this value of the feature.
    struct Point {
        feature: String,
        value: f64,
        /// NULL for a risk.
        time: Option<f64>,
        prediction: f64,
    }
}

pub fn surv_pdp() -> Function {
    collect("surv_pdp", "Partial dependence over time: the mean predicted survival of all rows when a feature is set to a value, over a grid of its values.")
        .arg("model", Kind::Model, "made by rsf_fit or cox_fit, the same in every row")
        .arg("x", Kind::Features, "the features that the model was fitted on")
        .options::<Options>()
        .source("Friedman, Ann Stat 2001;29:1189; R survex model_profile")
        .example("SELECT unnest(surv_pdp(model, {'age': age, 'stage': stage}, {'features': ['stage'], 'times': [12, 24]}), recursive := true) FROM patients, (SELECT rsf_fit(months, died, {'age': age, 'stage': stage}, {'trees': 20}) AS model FROM patients)")
        .returns(|rows, options| {
            let model = SurvivalModel::read(shared_model(rows, 0, "model")?).map_err(|problem| problem.at("model"))?;
            let x = arranged(rows.features(1), model.features()).map_err(|problem| problem.at("x"))?;
            let explained = model.explained()?;
            let names = options.features.as_deref().unwrap_or(model.features());
            let times = if options.output == Output::Risk { Vec::new() } else { options.times.clone().unwrap_or_else(|| explained.event_times()) };
            let mut points = Vec::new();
            for name in names {
                let feature = model.features().iter().position(|known| known == name).ok_or_else(|| {
                    Problem::user(format!("options: `features` names '{name}'; the model was fitted on {}", shorten(model.features())))
                })?;
                let values = grid(x.column(feature).iter().copied(), options.points);
                let found = partial_dependence(x.view(), feature, &values, |x| predict(&explained, x, &times, options.output)).map_err(Problem::user)?;
                for ((v, k), &prediction) in found.indexed_iter() {
                    points.push(Point { feature: name.clone(), value: values[v], time: times.get(k).copied(), prediction });
                }
            }
            Ok(points)
        })
}
