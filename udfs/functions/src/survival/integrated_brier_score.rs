//! Integrated Brier score.

use esccsql_survival::brier::{CensoringFrom, brier_score};

use super::censoring::Options;
use super::matrix::curves;
use crate::shape::{Function, Kind, Problem, collect};

pub fn integrated_brier_score() -> Function {
    collect("integrated_brier_score", "Integrated Brier score: the Brier score averaged over the span of `times` by the trapezoidal rule. 0.25 is a coin's at a survival of one half; lower is better.")
        .outcome()
        .arg("survival", Kind::Numbers, "predicted survival at each of `times`")
        .arg("times", Kind::Numbers, "ascending times, the same in every row")
        .options::<Options>()
        .source("Graf et al., Stat Med 1999;18:2529; scikit-survival")
        .example("SELECT integrated_brier_score(months, died, survival, [12, 24, 36]) FROM patients, (SELECT [0.9, 0.7, 0.5] AS survival)")
        .returns(|rows, options| {
            let times = rows.shared_list(3, "times")?;
            let curves = curves(rows.lists(2), times)?;
            let training = options.censoring()?;
            let censoring = training.as_ref().map_or(CensoringFrom::SameRows, CensoringFrom::Training);
            let found = brier_score(rows.numbers(0), rows.events(1), curves.view(), times, censoring, options.side).map_err(Problem::user)?;
            found.integrated.ok_or_else(|| Problem::user("times holds one time; an integral needs at least two"))
        })
}
