//! A forest's cumulative incidence of one cause.

use esccsql_survival::rsf::competing::CompetingForest;

use super::causes::one_cause;
use super::matrix::single_row;
use crate::shape::{Function, Kind, Problem, each};

pub fn rsf_competing_cif() -> Function {
    each(
        "rsf_competing_cif",
        "Predicted cumulative incidence of a cause at each time: the mean of the leaves' Aalen-Johansen curves. Over all causes they add up to 1 with rsf_competing_survival.",
    )
    .arg("model", Kind::Model, "made by rsf_competing_fit")
    .arg("x", Kind::Features, "the features that the model was fitted on")
    .arg("cause", Kind::Number, "number of the cause")
    .arg("times", Kind::Numbers, "ascending times in the unit of the fit")
    .source("Ishwaran et al., Biostatistics 2014;15:757; R randomForestSRC")
    .example("SELECT rsf_competing_cif(model, {'age': 61, 'stage': 3}, 1, [12, 24, 36]) FROM (SELECT rsf_competing_fit(months, CASE WHEN NOT died THEN 0 WHEN marker > 0 THEN 2 ELSE 1 END, {'age': age, 'stage': stage}, {'trees': 50}) AS model FROM patients)")
    .returns(|row, _| {
        let trained = row.model::<CompetingForest>(0)?;
        let cause = trained.model.cause(one_cause(row.number(2))?).map_err(Problem::user)?;
        let x = row.aligned(1, &trained)?;
        Ok(trained.model.incidence(single_row(&x)?, cause, row.list(3)).map_err(Problem::user)?.row(0).to_vec())
    })
}
