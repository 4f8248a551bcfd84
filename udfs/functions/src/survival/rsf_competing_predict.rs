//! Ensemble years lost to one cause.

use esccsql_survival::rsf::competing::CompetingForest;

use super::causes::one_cause;
use super::matrix::single_row;
use crate::shape::{Function, Kind, Problem, each};

pub fn rsf_competing_predict() -> Function {
    each(
        "rsf_competing_predict",
        "Expected time lost to a cause: its predicted incidence integrated from the first event time of the fit to the last, in the unit of time (randomForestSRC's predicted). Higher means more of this cause.",
    )
    .arg("model", Kind::Model, "made by rsf_competing_fit")
    .arg("x", Kind::Features, "the features that the model was fitted on")
    .arg("cause", Kind::Number, "number of the cause")
    .source("Ishwaran et al., Biostatistics 2014;15:757; Andersen, Stat Med 2013;32:5278")
    .example("SELECT patient_id, rsf_competing_predict(model, {'age': age, 'stage': stage}, 1) FROM patients, (SELECT rsf_competing_fit(months, CASE WHEN NOT died THEN 0 WHEN marker > 0 THEN 2 ELSE 1 END, {'age': age, 'stage': stage}, {'trees': 50}) AS model FROM patients)")
    .returns(|row, _| {
        let trained = row.model::<CompetingForest>(0)?;
        let cause = trained.model.cause(one_cause(row.number(2))?).map_err(Problem::user)?;
        let x = row.aligned(1, &trained)?;
        Ok(trained.model.years_lost(single_row(&x)?, cause).map_err(Problem::user)?[0])
    })
}
