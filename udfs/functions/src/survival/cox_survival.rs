//! Survival that a Cox model predicts.

use esccsql_survival::cox::CoxFit;

use super::matrix::single_row;
use crate::shape::{Function, Kind, Problem, each};

pub fn cox_survival() -> Function {
    each("cox_survival", "Predicted survival probability of a row at each time.")
        .arg("model", Kind::Model, "made by cox_fit")
        .arg("x", Kind::Features, "the covariates that the model was fitted on")
        .arg("times", Kind::Numbers, "times in the unit of the fit")
        .source("R survfit(coxph)")
        .example("SELECT cox_survival(model, {'age': 61}, [12, 24, 36]) FROM (SELECT cox_fit(months, died, {'age': age}) AS model FROM patients)")
        .returns(|row, _| {
            let trained = row.model::<CoxFit>(0)?;
            let x = row.aligned(1, &trained)?;
            Ok(trained.model.survival(single_row(&x)?, row.list(2), None, None, 0.95).map_err(Problem::user)?.survival)
        })
}
