//! Brier score of predicted survival at each time.

use esccsql_survival::brier::{CensoringFrom, brier_score as kernel};

use super::censoring::Options;
use super::matrix::curves;
use crate::shape::{Function, Kind, Problem, collect, record};

record! {
    /// The score at one time.
    struct Score {
        time: f64,
        brier_score: f64,
    }
}

pub fn brier_score() -> Function {
    collect("brier_score", "Brier score of predicted survival at each time: inverse-probability-of-censoring weighted squared error.")
        .outcome()
        .arg("survival", Kind::Numbers, "predicted survival at each of `times`")
        .arg("times", Kind::Numbers, "ascending times, the same in every row")
        .options::<Options>()
        .source("Graf et al., Stat Med 1999;18:2529; scikit-survival")
        .example("SELECT brier_score(months, died, survival, [12, 24, 36]) FROM patients, (SELECT [0.9, 0.7, 0.5] AS survival)")
        .returns(|rows, options| {
            let times = rows.shared_list(3, "times")?;
            let curves = curves(rows.lists(2), times)?;
            let training = options.censoring()?;
            let censoring = training.as_ref().map_or(CensoringFrom::SameRows, CensoringFrom::Training);
            let found = kernel(rows.numbers(0), rows.events(1), curves.view(), times, censoring, options.side).map_err(Problem::user)?;
            Ok(found.times.into_iter().zip(found.scores).map(|(time, brier_score)| Score { time, brier_score }).collect::<Vec<_>>())
        })
}
