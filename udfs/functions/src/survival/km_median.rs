//! Median survival.

use esccsql_survival::km::weighted_kaplan_meier;

use super::km_fit::Options;
use crate::shape::{Function, Kind, Problem, collect, record};

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
        .row_option(
            "weight",
            Kind::Number,
            "number of rows that the row stands for; for other weights only the curve, not its interval, holds",
        )
        .source("R survival:::quantile.survfit")
        .example("SELECT cohort, km_median(months, died) FROM patients GROUP BY cohort")
        .returns(|rows, options| {
            let weights = rows.given("weight").map(|at| rows.numbers(at));
            let curve = weighted_kaplan_meier(rows.numbers(0), rows.events(1), weights, options.conf_level, options.conf_type)
                .map_err(Problem::user)?;
            let median = curve.median();
            Ok(Median { median: median.value, lower: median.lower, upper: median.upper })
        })
}
