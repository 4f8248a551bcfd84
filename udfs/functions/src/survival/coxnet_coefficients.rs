//! The features that a LASSO-Cox model keeps.

use esccsql_survival::coxnet::CoxnetFit;

use super::coxnet_lambda::Options;
use crate::shape::{Function, Kind, each, record};

record! {
    /// A coefficient that is not 0.
    struct Coefficient {
        term: String,
        coef: f64,
        hr: f64,
    }
}

pub fn coxnet_coefficients() -> Function {
    each("coxnet_coefficients", "The coefficients of a coxnet model that are not 0, largest first, with their hazard ratios per unit.")
        .arg("model", Kind::Model, "made by coxnet_fit")
        .options::<Options>()
        .source("R coef(cv.glmnet)")
        .example("SELECT unnest(coxnet_coefficients(coxnet_fit(months, died, {'age': age, 'stage': stage, 'marker': marker}), {'at': 0.01}), recursive := true) FROM patients")
        .returns(|row, options| {
            let trained = row.model::<CoxnetFit>(0)?;
            let coefficients = trained.model.coef_at(options.lambda(&trained.model)?);
            let mut kept: Vec<Coefficient> = (trained.header.features.iter().zip(coefficients))
                .filter(|(_, coef)| *coef != 0.0)
                .map(|(term, coef)| Coefficient { term: term.clone(), coef, hr: coef.exp() })
                .collect();
            kept.sort_by(|a, b| b.coef.abs().total_cmp(&a.coef.abs()).then_with(|| a.term.cmp(&b.term)));
            Ok(kept)
        })
}
