//! Calibration curve of predicted survival at a time.
//!
//! Rows in groups of equal size by their prediction: the mean prediction against Kaplan-Meier's survival at the time.

use esccsql_survival::calibration::calibration_curve as kernel;

use crate::shape::{Function, Kind, Problem, collect, options, record};

options! {
    struct Options {
        /// Groups, cut at the quantiles of the prediction; equal predictions stay together.
        groups: usize = 10,
        /// Level of the intervals.
        conf_level: f64 = 0.95,
    }
}

record! {
    /// One group; `n_risk` rows are followed at least until the time.
    struct Group {
        group: u64,
        n: u64,
        n_risk: u64,
        predicted: f64,
        observed: f64,
        lower: Option<f64>,
        upper: Option<f64>,
    }
}

pub fn calibration_curve() -> Function {
    collect("calibration_curve", "Mean predicted against observed (Kaplan-Meier) survival at a time, in groups of similar prediction.")
        .outcome()
        .arg("survival", Kind::Number, "predicted survival at `at`")
        .arg("at", Kind::Number, "the time, the same in every row")
        .options::<Options>()
        .source("Harrell, Regression Modeling Strategies, 2015, section 20.6")
        .example("SELECT unnest(calibration_curve(months, died, exp(-exp(risk) / 3), 24, {'groups': 4}), recursive := true) FROM patients")
        .returns(|rows, options| {
            let at = rows.shared_number(3, "at")?;
            let found = kernel(rows.numbers(0), rows.events(1), rows.numbers(2), at, options.groups, options.conf_level);
            let groups = found.map_err(Problem::user)?.into_iter().zip(1..).map(|(found, group)| Group {
                group,
                n: found.n as u64,
                n_risk: found.n_risk as u64,
                predicted: found.predicted,
                observed: found.observed,
                lower: found.lower,
                upper: found.upper,
            });
            Ok(groups.collect::<Vec<_>>())
        })
}
