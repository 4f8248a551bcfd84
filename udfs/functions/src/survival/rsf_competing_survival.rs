//! A forest's probability of no event of any cause.

use esccsql_survival::rsf::competing::CompetingForest;

use super::matrix::single_row;
use crate::shape::{Function, Kind, Problem, each};

pub fn rsf_competing_survival() -> Function {
    each(
        "rsf_competing_survival",
        "Predicted probability at each time that no event of any cause has happened.",
    )
    .arg("model", Kind::Model, "made by rsf_competing_fit")
    .arg("x", Kind::Features, "the features that the model was fitted on")
    .arg("times", Kind::Numbers, "ascending times in the unit of the fit")
    .source("Ishwaran et al., Biostatistics 2014;15:757")
    .example("SELECT rsf_competing_survival(model, {'age': 61, 'stage': 3}, [12, 24, 36]) FROM (SELECT rsf_competing_fit(months, CASE WHEN NOT died THEN 0 WHEN marker > 0 THEN 2 ELSE 1 END, {'age': age, 'stage': stage}, {'trees': 50}) AS model FROM patients)")
    .returns(|row, _| {
        let trained = row.model::<CompetingForest>(0)?;
        let x = row.aligned(1, &trained)?;
        Ok(trained.model.survival(single_row(&x)?, row.list(2)).map_err(Problem::user)?.row(0).to_vec())
    })
}
