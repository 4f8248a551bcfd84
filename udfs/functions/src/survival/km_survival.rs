//! Kaplan-Meier survival at given times.

use esccsql_survival::km::{ConfidenceType, weighted_kaplan_meier};

use crate::shape::{Function, Kind, Problem, collect};

pub fn km_survival() -> Function {
    collect("km_survival", "Kaplan-Meier survival at each time; the last value is carried on beyond the last follow-up.")
        .outcome()
        .arg("times", Kind::Numbers, "times to read the curve at, the same in every row")
        .row_option("weight", Kind::Number, "weight, such as an inverse probability; 0 or more")
        .source("R summary(survfit, times)")
        .example("SELECT km_survival(months, died, [12, 24, 36]) FROM patients")
        .returns(|rows, _| {
            let weights = rows.given("weight").map(|at| rows.numbers(at));
            let times = rows.shared_list(2, "times")?;
            let curve =
                weighted_kaplan_meier(rows.numbers(0), rows.events(1), weights, 0.95, ConfidenceType::Log).map_err(Problem::user)?;
            Ok(times.iter().map(|&t| curve.survival_at(t)).collect::<Vec<f64>>())
        })
}
