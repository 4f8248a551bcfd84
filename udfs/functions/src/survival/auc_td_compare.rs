//! Difference of two risk scores' mean time-dependent AUC, by paired bootstrap.

use esccsql_survival::auc::auc_td_compare as kernel;
use esccsql_survival::brier::CensoringFrom;

use super::censoring::Options;
use super::interval::Comparison;
use crate::shape::{Function, Kind, Problem, collect};

pub fn auc_td_compare() -> Function {
    collect("auc_td_compare", "Difference of two risk scores' mean cumulative/dynamic AUC on the same rows, by paired bootstrap.")
        .outcome()
        .arg("risk_a", Kind::Number, "a risk score")
        .arg("risk_b", Kind::Number, "another")
        .arg("times", Kind::Numbers, "ascending times, the same in every row")
        .options::<Options>()
        .source("Uno et al., JASA 2007;102:527; scikit-survival cumulative_dynamic_auc")
        .example("SELECT auc_td_compare(months, died, risk, age, [12, 24, 36], {'resamples': 100}) FROM patients")
        .returns(|rows, options| {
            let times = rows.shared_list(4, "times")?;
            let training = options.censoring()?;
            let censoring = training.as_ref().map_or(CensoringFrom::SameRows, CensoringFrom::Training);
            let (a, b) = (rows.numbers(2), rows.numbers(3));
            kernel(rows.numbers(0), rows.events(1), a, b, times, censoring, options.side, &options.bootstrap())
                .map(Comparison::from)
                .map_err(Problem::user)
        })
}
