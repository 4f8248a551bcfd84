//! Kaplan-Meier curve.

use esccsql_survival::km::{ConfidenceType, weighted_kaplan_meier};

use crate::shape::{Function, Kind, Problem, collect, options, record};

options! {
    pub(super) struct Options {
        /// Level of the intervals.
        conf_level: f64 = 0.95,
        /// Scale of the intervals: 'log' (R), 'log_log' or 'plain'.
        conf_type: ConfidenceType = ConfidenceType::Log,
    }
}

record! {
    /// One distinct time.
    struct Step {
        time: f64,
        n_risk: u64,
        n_event: u64,
        n_censor: u64,
        survival: f64,
        std_err: Option<f64>,
        lower: Option<f64>,
        upper: Option<f64>,
    }
}

pub fn km_fit() -> Function {
    collect(
        "km_fit",
        "Kaplan-Meier curve: one step per distinct time, with numbers of rows at risk, Greenwood's standard error and interval.",
    )
    .outcome()
    .options::<Options>()
    .row_option("weight", Kind::Number, "number of rows that the row stands for; for other weights only the curve, not its interval, holds")
    .source("Kaplan & Meier, JASA 1958;53:457; R survival::survfit")
    .example("SELECT cohort, unnest(km_fit(months, died), recursive := true) FROM patients GROUP BY cohort")
    .returns(|rows, options| {
        let weights = rows.given("weight").map(|at| rows.numbers(at));
        let curve = weighted_kaplan_meier(rows.numbers(0), rows.events(1), weights, options.conf_level, options.conf_type)
            .map_err(Problem::user)?;
        let std_err = curve.std_err();
        let step = |i: usize| Step {
            time: curve.time[i],
            n_risk: curve.n_risk[i] as u64,
            n_event: curve.n_event[i] as u64,
            n_censor: curve.n_censor[i] as u64,
            survival: curve.survival[i],
            std_err: std_err[i],
            lower: curve.lower[i],
            upper: curve.upper[i],
        };
        Ok((0..curve.time.len()).map(step).collect::<Vec<_>>())
    })
}
