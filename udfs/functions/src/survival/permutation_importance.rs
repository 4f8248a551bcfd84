//! Permutation importance: how much Harrell's C falls when a feature is shuffled among the rows.
//!
//! For any survival model on any rows, such as a test cohort; `rsf_importance` has the out-of-bag importance of a forest's own
//! training rows. A coxnet model is taken at one lambda: by default the one that cross-validation found best.

use crate::shape::{Function, Kind, Problem, collect, options, record};

use super::coxnet_lambda;
use super::survival_model::{SurvivalModel, arranged, shared_model};

options! {
    struct Options {
        /// Shuffles per feature.
        repeats: usize = 10,
        /// Seed of the shuffles.
        seed: u64 = 1,
        /// Of a coxnet model: 'min' (best in cross-validation), '1se' (sparsest within one standard error of it), or a number in `at`.
        lambda: String = "min".into(),
        /// Of a coxnet model: a lambda of one's own.
        at: Option<f64> = None,
    }
    check |options| options.of_path().check()
}

impl Options {
    fn of_path(&self) -> coxnet_lambda::Options {
        coxnet_lambda::Options { lambda: self.lambda.clone(), at: self.at }
    }
}

record! {
    /// One feature.
    struct Importance {
        feature: String,
        /// Mean fall of the C-index.
        importance: f64,
        /// Standard deviation between the shuffles; NULL for a single one.
        std_dev: Option<f64>,
    }
}

pub fn permutation_importance() -> Function {
    collect("permutation_importance", "Per feature: mean fall of a model's C-index when the feature is shuffled among the rows. Negative: the model ranks these rows better without it.")
        .outcome()
        .arg("model", Kind::Model, "made by rsf_fit, cox_fit or coxnet_fit, the same in every row")
        .arg("x", Kind::Features, "the features that the model was fitted on")
        .options::<Options>()
        .source("Breiman, Mach Learn 2001;45:5; Fisher, Rudin & Dominici, J Mach Learn Res 2019;20:177")
        .example("SELECT unnest(permutation_importance(months, died, model, {'age': age, 'stage': stage}), recursive := true) FROM patients, (SELECT rsf_fit(months, died, {'age': age, 'stage': stage}, {'trees': 20}) AS model FROM patients)")
        .returns(|rows, options| {
            let model = SurvivalModel::read(shared_model(rows, 2, "model")?).map_err(|problem| problem.at("model"))?;
            let x = arranged(rows.features(3), model.features()).map_err(|problem| problem.at("x"))?;
            let lambda = model.lambda(&options.of_path())?;
            let (_, found) = esccsql_survival::permutation::permutation_importance(
                rows.numbers(0),
                rows.events(1),
                x.view(),
                |x| model.risk(x, lambda),
                options.repeats,
                options.seed,
            )
            .map_err(Problem::user)?;
            let one = |(name, found): (&String, esccsql_survival::permutation::Importance)| Importance {
                feature: name.clone(),
                importance: found.mean,
                std_dev: (found.falls.len() > 1).then_some(found.std_dev),
            };
            Ok(model.features().iter().zip(found).map(one).collect::<Vec<_>>())
        })
}
