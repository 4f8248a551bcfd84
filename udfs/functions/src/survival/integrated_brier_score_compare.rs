//! Difference of two models' integrated Brier scores on the same rows, by paired bootstrap.

use esccsql_survival::brier::{CensoringFrom, integrated_brier_score_compare as kernel};

use super::censoring::Options;
use super::interval::Comparison;
use super::matrix::curves;
use crate::shape::{Function, Kind, Problem, collect};

pub fn integrated_brier_score_compare() -> Function {
    collect("integrated_brier_score_compare", "Difference of two models' integrated Brier scores on the same rows, by paired bootstrap.")
        .outcome()
        .arg("survival_a", Kind::Numbers, "a model's predicted survival at each of `times`")
        .arg("survival_b", Kind::Numbers, "another model's")
        .arg("times", Kind::Numbers, "ascending times, the same in every row")
        .options::<Options>()
        .source("Graf et al., Stat Med 1999;18:2529; scikit-survival")
        .example("SELECT integrated_brier_score_compare(months, died, survival, survival, [12, 24, 36], {'resamples': 100}) FROM patients, (SELECT [0.9, 0.7, 0.5] AS survival)")
        .returns(|rows, options| {
            let times = rows.shared_list(4, "times")?;
            let (a, b) = (curves(rows.lists(2), times)?, curves(rows.lists(3), times)?);
            let training = options.censoring()?;
            let censoring = training.as_ref().map_or(CensoringFrom::SameRows, CensoringFrom::Training);
            kernel(rows.numbers(0), rows.events(1), a.view(), b.view(), times, censoring, options.side, &options.bootstrap())
                .map(Comparison::from)
                .map_err(Problem::user)
        })
}
