//! A LASSO-Cox model's linear predictor.

use esccsql_survival::coxnet::CoxnetFit;

use super::coxnet_lambda::Options;
use super::matrix::single_row;
use crate::shape::{Function, Kind, Problem, each};

pub fn coxnet_predict() -> Function {
    each("coxnet_predict", "Linear predictor of a row, centred at the training means: higher means higher hazard.")
        .arg("model", Kind::Model, "made by coxnet_fit")
        .arg("x", Kind::Features, "the features that the model was fitted on")
        .options::<Options>()
        .source("R predict(cv.glmnet, type = 'link')")
        .example("SELECT coxnet_predict(model, {'age': 61, 'stage': 3}) FROM (SELECT coxnet_fit(months, died, {'age': age, 'stage': stage}) AS model FROM patients)")
        .returns(|row, options| {
            let trained = row.model::<CoxnetFit>(0)?;
            let x = row.aligned(1, &trained)?;
            let lambda = options.lambda(&trained.model)?;
            Ok(trained.model.linear_predictor(single_row(&x)?, lambda).map_err(Problem::user)?[0])
        })
}
