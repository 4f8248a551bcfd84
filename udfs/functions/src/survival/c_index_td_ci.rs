//! Time-dependent concordance with a bootstrap interval.

use esccsql_survival::concordance_td::c_index_td_ci as kernel;

use super::interval::{Interval, Options};
use super::matrix::curves;
use crate::shape::{Function, Kind, Problem, collect};

pub fn c_index_td_ci() -> Function {
    collect("c_index_td_ci", "Antolini's time-dependent concordance index with its bootstrap percentile interval.")
        .outcome()
        .arg("survival", Kind::Numbers, "predicted survival at each of `times`")
        .arg("times", Kind::Numbers, "ascending times, the same in every row")
        .options::<Options>()
        .source("Antolini et al., Stat Med 2005;24:3927; Efron & Tibshirani, An Introduction to the Bootstrap, 1993")
        .example("SELECT c_index_td_ci(months, died, [exp(-0.01 * stage), exp(-0.02 * stage)], [12, 24], {'resamples': 50}) FROM patients")
        .returns(|rows, options| {
            let times = rows.shared_list(3, "times")?;
            kernel(rows.numbers(0), rows.events(1), curves(rows.lists(2), times)?.view(), times, &options.kernel())
                .map(Interval::from)
                .map_err(Problem::user)
        })
}
