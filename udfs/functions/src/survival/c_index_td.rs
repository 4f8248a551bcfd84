//! Time-dependent concordance of predicted survival curves.
//!
//! Among the pairs with an event at t that the other row outlives, the share whose predicted survival at t is lower for the row with
//! the event. Curves may cross, which a single risk score cannot express.

use esccsql_survival::concordance_td::c_index_td as kernel;

use super::matrix::curves;
use crate::shape::{Function, Kind, Problem, collect};

pub fn c_index_td() -> Function {
    collect("c_index_td", "Antolini's time-dependent concordance index of predicted survival curves.")
        .outcome()
        .arg("survival", Kind::Numbers, "predicted survival at each of `times`")
        .arg("times", Kind::Numbers, "ascending times, the same in every row")
        .source("Antolini et al., Stat Med 2005;24:3927")
        .example(
            "SELECT c_index_td(months, died, [exp(-0.01 * stage), exp(-0.02 * stage), exp(-0.03 * stage)], [12, 24, 36]) FROM patients",
        )
        .returns(|rows, _| {
            let times = rows.shared_list(3, "times")?;
            kernel(rows.numbers(0), rows.events(1), curves(rows.lists(2), times)?.view(), times).map_err(Problem::user)
        })
}
