//! Restricted mean survival time.

use crate::shape::{Function, Kind, Problem, collect, record};

record! {
    /// The area under the Kaplan-Meier curve up to tau.
    struct RestrictedMean {
        rmst: f64,
        std_err: f64,
        tau: f64,
        beyond_follow_up: bool,
    }
}

pub fn rmst() -> Function {
    collect("rmst", "Restricted mean survival time up to tau, with its standard error.")
        .outcome()
        .arg("tau", Kind::Number, "horizon, the same in every row")
        .source("R survival:::print.survfit(rmean)")
        .example("SELECT cohort, rmst(months, died, 36) FROM patients GROUP BY cohort")
        .returns(|rows, _| {
            let taus = rows.numbers(2);
            if taus.iter().any(|tau| *tau != taus[0]) {
                return Err(Problem::user("tau must be the same in every row of a group"));
            }
            let found = esccsql_survival::rmst::rmst(rows.numbers(0), rows.events(1), taus[0]).map_err(Problem::user)?;
            Ok(RestrictedMean { rmst: found.rmst, std_err: found.std_err, tau: found.tau, beyond_follow_up: found.beyond_follow_up })
        })
}
