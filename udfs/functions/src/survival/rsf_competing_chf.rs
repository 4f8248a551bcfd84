//! A forest's cause-specific cumulative hazard.

use esccsql_survival::rsf::competing::CompetingForest;

use super::causes::one_cause;
use super::matrix::single_row;
use crate::shape::{Function, Kind, Problem, each};

pub fn rsf_competing_chf() -> Function {
    each(
        "rsf_competing_chf",
        "Predicted cause-specific cumulative hazard at each time: the mean of the leaves' Nelson-Aalen curves of this cause.",
    )
    .arg("model", Kind::Model, "made by rsf_competing_fit")
    .arg("x", Kind::Features, "the features that the model was fitted on")
    .arg("cause", Kind::Number, "number of the cause")
    .arg("times", Kind::Numbers, "ascending times in the unit of the fit")
    .source("Ishwaran et al., Biostatistics 2014;15:757; R randomForestSRC")
    .example("SELECT rsf_competing_chf(model, {'age': 61, 'stage': 3}, 1, [12, 24, 36]) FROM (SELECT rsf_competing_fit(months, CASE WHEN NOT died THEN 0 WHEN marker > 0 THEN 2 ELSE 1 END, {'age': age, 'stage': stage}, {'trees': 50}) AS model FROM patients)")
    .returns(|row, _| {
        let trained = row.model::<CompetingForest>(0)?;
        let cause = trained.model.cause(one_cause(row.number(2))?).map_err(Problem::user)?;
        let x = row.aligned(1, &trained)?;
        Ok(trained.model.cumulative_hazard(single_row(&x)?, cause, row.list(3)).map_err(Problem::user)?.row(0).to_vec())
    })
}
