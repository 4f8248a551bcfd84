//! What the functions on explainers share.

use esccsql_survival::shap::{Explainer, Output};

use crate::shape::{Row, options};

options! {
    pub struct Options {
        /// What is explained: 'survival', 'cumulative_hazard', or 'risk' (ensemble mortality or linear predictor, without time).
        output: Output = Output::Survival,
    }
}

/// The times given, or all at which the model's curves change.
pub fn times_of(row: &Row, argument: usize, explainer: &Explainer) -> Vec<f64> {
    if row.has(argument) { row.list(argument).to_vec() } else { explainer.event_times() }
}
