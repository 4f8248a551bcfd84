//! A forest's survival curve.

use esccsql_survival::rsf::Forest;

use super::matrix::single_row;
use crate::shape::{Function, Kind, Problem, each};

pub fn rsf_survival() -> Function {
    each("rsf_survival", "Predicted survival probability of a row at each time: the mean of the leaves' Kaplan-Meier curves.")
        .arg("model", Kind::Model, "made by rsf_fit")
        .arg("x", Kind::Features, "the features that the model was fitted on")
        .arg("times", Kind::Numbers, "ascending times in the unit of the fit")
        .source("R randomForestSRC")
        .example("SELECT rsf_survival(model, {'age': 61, 'stage': 3}, [12, 24, 36]) FROM (SELECT rsf_fit(months, died, {'age': age, 'stage': stage}, {'trees': 50}) AS model FROM patients)")
        .returns(|row, _| {
            let trained = row.model::<Forest>(0)?;
            let x = row.aligned(1, &trained)?;
            Ok(trained.model.survival(single_row(&x)?, row.list(2)).map_err(Problem::user)?.row(0).to_vec())
        })
}
