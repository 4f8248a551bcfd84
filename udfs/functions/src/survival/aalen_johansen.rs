//! Cumulative incidence with competing risks: the Aalen-Johansen estimator.
//!
//! F_k(t) = sum over u <= t of S(u-) d_k(u) / n(u). One minus Kaplan-Meier with the other causes censored overstates it.

use esccsql_survival::aalen_johansen::{CumulativeIncidence, aalen_johansen as kernel};

use super::causes::causes;
use crate::shape::{Function, Kind, Problem, collect, options, record};

options! {
    struct Options {
        /// Level of the intervals, which are on the log(-log) scale.
        conf_level: f64 = 0.95,
    }
}

record! {
    /// One distinct time of one cause.
    struct Step {
        cause: u64,
        time: f64,
        n_risk: u64,
        n_event: u64,
        incidence: f64,
        std_err: f64,
        lower: f64,
        upper: f64,
    }
}

pub fn aalen_johansen() -> Function {
    collect("aalen_johansen", "Cumulative incidence of each cause with competing risks, at each distinct time.")
        .arg("time", Kind::Number, "follow-up, any unit")
        .arg("cause", Kind::Number, "0 for a censored row, else the number of the cause")
        .options::<Options>()
        .source("Aalen & Johansen, Scand J Stat 1978;5:141; Marubini & Valsecchi, 1995, section 10.4")
        .example("SELECT unnest(aalen_johansen(months, CASE WHEN NOT died THEN 0 WHEN age > 60 THEN 2 ELSE 1 END), recursive := true) FROM patients")
        .returns(|rows, options| {
            let causes = causes(rows.numbers(1))?;
            let found = kernel(rows.numbers(0), &causes, options.conf_level).map_err(Problem::user)?;
            let steps = |curve: &CumulativeIncidence| {
                let step = |i: usize| Step {
                    cause: u64::from(curve.cause),
                    time: curve.time[i],
                    n_risk: curve.n_risk[i] as u64,
                    n_event: curve.n_event[i] as u64,
                    incidence: curve.incidence[i],
                    std_err: curve.std_err[i],
                    lower: curve.lower[i],
                    upper: curve.upper[i],
                };
                (0..curve.time.len()).map(step).collect::<Vec<_>>()
            };
            Ok(found.iter().flat_map(steps).collect::<Vec<_>>())
        })
}
