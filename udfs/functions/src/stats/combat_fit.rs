//! ComBat: the shift and scale that a scanner or centre puts on features.
//!
//! y = a + x b + g_batch + d_batch e per feature; g and d are shrunk over the features by empirical Bayes. Fit on the training rows,
//! then `combat_transform` takes them out of any row of a known batch and keeps what the covariates explain.

use esccsql_stats::combat::{Combat, CombatOptions};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::shape::{Fit, Function, Kind, Model, Problem, collect, options, shorten};

options! {
    struct Options {
        /// Shrink the estimates over the features; needs at least two.
        empirical_bayes: bool = true,
        /// Normal and inverse gamma priors; false takes the features' own distribution.
        parametric: bool = true,
        /// Take out shifts only, not scales.
        mean_only: bool = false,
        /// Batch that the others are brought to; by default their mean.
        reference: Value = Value::Null,
    }
}

/// A harmonisation and the names in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Harmonisation {
    pub combat: Combat,
    /// Labels of the batches, in alphabetical order.
    pub batches: Vec<String>,
    pub covariates: Vec<String>,
}

impl Fit for Harmonisation {
    const KIND: &'static str = "combat";
}

/// A label as an option gives it.
pub fn label(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

pub fn combat_fit() -> Function {
    collect("combat_fit", "ComBat harmonisation of features between scanners or centres: a model for combat_transform.")
        .arg("x", Kind::Features, "features")
        .arg("batch", Kind::Label, "scanner or centre")
        .options::<Options>()
        .row_option(
            "covariates",
            Kind::Features,
            "what may differ between the batches for good reason, as {'age': age}; its effect is kept",
        )
        .source("Johnson et al., Biostatistics 2007;8:118; R sva::ComBat")
        .example(
            "SELECT model_info(combat_fit({'volume': volume, 'marker': marker}, cohort, {'covariates': {'stage': stage}})) FROM patients",
        )
        .returns(|rows, options| {
            let x = rows.features(0);
            let mut batches = rows.texts(1).to_vec();
            batches.sort();
            batches.dedup();
            let codes: Vec<usize> = rows.texts(1).iter().map(|batch| batches.binary_search(batch).unwrap_or_default()).collect();
            let reference = match &options.reference {
                Value::Null => None,
                value => Some(batches.iter().position(|known| *known == label(value)).ok_or_else(|| {
                    Problem::user(format!("the reference '{}' is not among the batches ({})", label(value), shorten(&batches)))
                })?),
            };
            let none = Array2::zeros((rows.len(), 0));
            let covariates = rows.given("covariates").map(|at| rows.features(at));
            let chosen = CombatOptions {
                empirical_bayes: options.empirical_bayes,
                parametric: options.parametric,
                mean_only: options.mean_only,
                reference,
            };
            let values = covariates.map_or(none.view(), |covariates| covariates.values.view());
            let combat = Combat::fit(x.values.view(), &codes, values, chosen).map_err(Problem::user)?;
            let mut summary = rows.summary(None);
            let constant = combat.scale.iter().zip(x.names.iter()).filter(|(scale, _)| **scale == 0.0);
            summary.warnings =
                constant.map(|(_, name)| format!("feature '{name}' is constant within the batches and left as it is")).collect();
            summary.options = serde_json::to_value(options).map_err(Problem::bug)?;
            let covariates = covariates.map_or(Vec::new(), |covariates| covariates.names.to_vec());
            Model::encode(&Harmonisation { combat, batches, covariates }, &x.names, summary)
        })
}
