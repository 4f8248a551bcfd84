//! Integrated Brier score with its bootstrap percentile interval.

use esccsql_survival::brier::{CensoringFrom, integrated_brier_score_ci as kernel};

use super::censoring::Options;
use super::interval::Interval;
use super::matrix::curves;
use crate::shape::{Function, Kind, Problem, collect};

pub fn integrated_brier_score_ci() -> Function {
    collect("integrated_brier_score_ci", "Integrated Brier score with its bootstrap percentile interval.")
        .outcome()
        .arg("survival", Kind::Numbers, "predicted survival at each of `times`")
        .arg("times", Kind::Numbers, "ascending times, the same in every row")
        .options::<Options>()
        .source("Graf et al., Stat Med 1999;18:2529; scikit-survival")
        .example("SELECT integrated_brier_score_ci(months, died, survival, [12, 24, 36], {'resamples': 100}) FROM patients, (SELECT [0.9, 0.7, 0.5] AS survival)")
        .returns(|rows, options| {
            let times = rows.shared_list(3, "times")?;
            let curves = curves(rows.lists(2), times)?;
            let training = options.censoring()?;
            let censoring = training.as_ref().map_or(CensoringFrom::SameRows, CensoringFrom::Training);
            kernel(rows.numbers(0), rows.events(1), curves.view(), times, censoring, options.side, &options.bootstrap())
                .map(Interval::from)
                .map_err(Problem::user)
        })
}
