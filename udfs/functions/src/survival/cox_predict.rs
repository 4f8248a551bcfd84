//! A Cox model's linear predictor.

use esccsql_survival::cox::CoxFit;

use super::matrix::single_row;
use crate::shape::{Function, Kind, Problem, each};

pub fn cox_predict() -> Function {
    each("cox_predict", "Linear predictor of a row, centred at the training means: higher means higher hazard.")
        .arg("model", Kind::Model, "made by cox_fit")
        .arg("x", Kind::Features, "the covariates that the model was fitted on")
        .source("R predict(coxph, type = 'lp')")
        .example("SELECT patient_id, cox_predict(model, {'age': age, 'stage': stage}) FROM patients, (SELECT cox_fit(months, died, {'age': age, 'stage': stage}) AS model FROM patients)")
        .returns(|row, _| {
            let trained = row.model::<CoxFit>(0)?;
            Ok(trained.model.linear_predictor(single_row(&row.aligned(1, &trained)?)?).map_err(Problem::user)?[0])
        })
}
