//! Ensemble mortality.

use esccsql_survival::rsf::Forest;

use super::matrix::single_row;
use crate::shape::{Function, Kind, Problem, each};

pub fn rsf_predict() -> Function {
    each("rsf_predict", "Ensemble mortality of a row: the events expected if every training row were like it. Higher means higher risk.")
        .arg("model", Kind::Model, "made by rsf_fit")
        .arg("x", Kind::Features, "the features that the model was fitted on")
        .source("Ishwaran et al., Ann Appl Stat 2008;2:841")
        .example("SELECT patient_id, rsf_predict(model, {'age': age, 'stage': stage}) FROM patients, (SELECT rsf_fit(months, died, {'age': age, 'stage': stage}, {'trees': 50}) AS model FROM patients)")
        .returns(|row, _| {
            let trained = row.model::<Forest>(0)?;
            Ok(trained.model.mortality(single_row(&row.aligned(1, &trained)?)?).map_err(Problem::user)?[0])
        })
}
