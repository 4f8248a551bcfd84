//! Calibration of predicted survival at a time, in numbers.
//!
//! The slope is the coefficient of log(-log(predicted survival)) in a Cox model: 1 is right, below 1 the predictions are too extreme.
//! Calibration in the large is the observed risk (1 - Kaplan-Meier) over the mean predicted risk.

use esccsql_survival::calibration::calibration as kernel;

use crate::shape::{Function, Kind, Problem, collect, options, record};

options! {
    struct Options {
        /// Level of the intervals.
        conf_level: f64 = 0.95,
    }
}

record! {
    /// Slope (NULL where a prediction is 0 or 1) and calibration in the large; whether the time is beyond the last follow-up.
    struct Calibration {
        slope: Option<f64>,
        slope_lower: Option<f64>,
        slope_upper: Option<f64>,
        observed: f64,
        expected: f64,
        ratio: f64,
        ratio_lower: Option<f64>,
        ratio_upper: Option<f64>,
        n: u64,
        events: u64,
        beyond_follow_up: bool,
    }
}

pub fn calibration() -> Function {
    collect(
        "calibration",
        "Calibration slope, and calibration in the large (observed over expected risk), of predicted survival at a time.",
    )
    .outcome()
    .arg("survival", Kind::Number, "predicted survival at `at`")
    .arg("at", Kind::Number, "the time, the same in every row")
    .options::<Options>()
    .source("McLernon et al., Ann Intern Med 2023;176:105")
    .example("SELECT calibration(months, died, exp(-exp(risk) / 3), 24) FROM patients")
    .returns(|rows, options| {
        let at = rows.shared_number(3, "at")?;
        let found = kernel(rows.numbers(0), rows.events(1), rows.numbers(2), at, options.conf_level).map_err(Problem::user)?;
        Ok(Calibration {
            slope: found.slope,
            slope_lower: found.slope_lower,
            slope_upper: found.slope_upper,
            observed: found.observed,
            expected: found.expected,
            ratio: found.ratio,
            ratio_lower: found.ratio_lower,
            ratio_upper: found.ratio_upper,
            n: found.n as u64,
            events: found.events as u64,
            beyond_follow_up: found.beyond_follow_up,
        })
    })
}
