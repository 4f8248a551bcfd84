//! Features without the shift and scale of their scanner or centre.

use std::collections::BTreeMap;

use ndarray::ArrayView1;

use super::combat_fit::Harmonisation;
use crate::shape::{Function, Kind, Map, Problem, each, options, shorten};

options! {
    struct Options {
        /// The row's covariates, those of the fit.
        covariates: BTreeMap<String, f64> = BTreeMap::new(),
    }
}

pub fn combat_transform() -> Function {
    each("combat_transform", "The features of a row without the shift and scale of its batch, by a combat_fit model.")
        .arg("model", Kind::Model, "made by combat_fit")
        .arg("x", Kind::Features, "the features that the model was fitted on")
        .arg("batch", Kind::Label, "the row's scanner or centre, one of the fit")
        .options::<Options>()
        .source("Johnson et al., Biostatistics 2007;8:118; R sva::ComBat")
        .example("SELECT combat_transform(model, {'volume': volume, 'marker': marker}, cohort) FROM patients, (SELECT combat_fit({'volume': volume, 'marker': marker}, cohort) AS model FROM patients)")
        .returns(|row, options| {
            let trained = row.model::<Harmonisation>(0)?;
            let model = &trained.model;
            let x = row.aligned(1, &trained)?;
            let batch = model.batches.iter().position(|known| known == row.text(2)).ok_or_else(|| {
                let known = shorten(&model.batches);
                Problem::user(format!("batch '{}' was not in the fit, which has {known}: its shift is not known; fit with rows of it", row.text(2)))
            })?;
            let unknown: Vec<String> = options.covariates.keys().filter(|name| !model.covariates.contains(name)).cloned().collect();
            if !unknown.is_empty() {
                return Err(Problem::user(format!("covariate {} was not in the fit", shorten(&unknown))));
            }
            let covariates = model.covariates.iter().map(|name| {
                options.covariates.get(name).copied().ok_or_else(|| {
                    Problem::user(format!("covariate '{name}' of the fit is missing: give it as {{'covariates': {{'{name}': {name}}}}}"))
                })
            });
            let covariates = covariates.collect::<Result<Vec<f64>, _>>()?;
            let found = model.combat.transform(ArrayView1::from(&x), batch, ArrayView1::from(&covariates)).map_err(Problem::user)?;
            Ok(Map(trained.header.features.iter().cloned().zip(found).collect()))
        })
}
