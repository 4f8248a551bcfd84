//! Mean time-dependent AUC with a bootstrap interval.

use esccsql_survival::auc::auc_td_ci as kernel;
use esccsql_survival::brier::CensoringFrom;

use super::censoring::Options;
use super::interval::Interval;
use crate::shape::{Function, Kind, Problem, collect};

pub fn auc_td_ci() -> Function {
    collect("auc_td_ci", "Mean cumulative/dynamic AUC over the times (the AUC itself for one time) with its bootstrap percentile interval.")
        .outcome()
        .arg("risk", Kind::Number, "risk score (higher risk, shorter survival)")
        .arg("times", Kind::Numbers, "ascending times, the same in every row")
        .options::<Options>()
        .source("Uno et al., JASA 2007;102:527; scikit-survival cumulative_dynamic_auc")
        .example("SELECT auc_td_ci(months, died, risk, [12, 24, 36], {'resamples': 100}) FROM patients")
        .returns(|rows, options| {
            let times = rows.shared_list(3, "times")?;
            let training = options.censoring()?;
            let censoring = training.as_ref().map_or(CensoringFrom::SameRows, CensoringFrom::Training);
            kernel(rows.numbers(0), rows.events(1), rows.numbers(2), times, censoring, options.side, &options.bootstrap())
                .map(Interval::from)
                .map_err(Problem::user)
        })
}
