//! Difference of two models' time-dependent concordance, by paired bootstrap.

use esccsql_survival::concordance_td::c_index_td_compare as kernel;

use super::interval::{Comparison, Options};
use super::matrix::curves;
use crate::shape::{Function, Kind, Problem, collect};

pub fn c_index_td_compare() -> Function {
    collect("c_index_td_compare", "Difference of two models' time-dependent concordance index on the same rows, by paired bootstrap.")
        .outcome()
        .arg("survival_a", Kind::Numbers, "a model's predicted survival at each of `times`")
        .arg("survival_b", Kind::Numbers, "another model's")
        .arg("times", Kind::Numbers, "ascending times, the same in every row")
        .options::<Options>()
        .source("Antolini et al., Stat Med 2005;24:3927; Efron & Tibshirani, An Introduction to the Bootstrap, 1993")
        .example("SELECT c_index_td_compare(months, died, [exp(-0.01 * stage), exp(-0.02 * stage)], [exp(-0.01 * age), exp(-0.02 * age)], [12, 24], {'resamples': 50}) FROM patients")
        .returns(|rows, options| {
            let times = rows.shared_list(4, "times")?;
            let (a, b) = (curves(rows.lists(2), times)?, curves(rows.lists(3), times)?);
            kernel(rows.numbers(0), rows.events(1), a.view(), b.view(), times, &options.kernel())
                .map(Comparison::from)
                .map_err(Problem::user)
        })
}
