//! Median survival.

use esccsql_survival::km::kaplan_meier;

use super::km_fit::Options;
use crate::shape::{Function, Problem, collect, record};

record! {
    /// The median and its interval; NULL where the curve does not fall so far.
    struct Median {
        median: Option<f64>,
        lower: Option<f64>,
        upper: Option<f64>,
    }
}

pub fn km_median() -> Function {
    collect("km_median", "Median survival time of the Kaplan-Meier curve with its interval.")
        .outcome()
        .options::<Options>()
        .source("R survival:::quantile.survfit")
        .example("SELECT cohort, km_median(months, died) FROM patients GROUP BY cohort")
        .returns(|rows, options| {
            let curve = kaplan_meier(rows.numbers(0), rows.events(1), options.conf_level, options.conf_type).map_err(Problem::user)?;
            let median = curve.median();
            Ok(Median { median: median.value, lower: median.lower, upper: median.upper })
        })
}
