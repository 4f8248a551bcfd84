//! A Cox model's coefficients as a table.

use esccsql_survival::cox::CoxFit;

use crate::shape::{Function, Kind, Problem, each, options, record};

options! {
    struct Options {
        /// Level of the intervals.
        conf_level: f64 = 0.95,
    }
}

record! {
    /// One coefficient; NULL where it cannot be estimated.
    struct Coefficient {
        term: String,
        coef: Option<f64>,
        se: Option<f64>,
        z: Option<f64>,
        p: Option<f64>,
        hr: Option<f64>,
        hr_lower: Option<f64>,
        hr_upper: Option<f64>,
    }
}

pub fn cox_summary() -> Function {
    each("cox_summary", "Coefficients of a Cox model with standard error, Wald test, hazard ratio and its interval.")
        .arg("model", Kind::Model, "made by cox_fit")
        .options::<Options>()
        .source("R summary(coxph)")
        .example("SELECT unnest(cox_summary(cox_fit(months, died, {'age': age})), recursive := true) FROM patients")
        .returns(|row, options| {
            let trained = row.model::<CoxFit>(0)?;
            let summary = trained.model.summary(&trained.header.features, options.conf_level).map_err(Problem::user)?;
            let rows = summary.into_iter().map(|row| Coefficient {
                term: row.term,
                coef: row.coef,
                se: row.se,
                z: row.z,
                p: row.p,
                hr: row.hr,
                hr_lower: row.hr_lower,
                hr_upper: row.hr_upper,
            });
            Ok(rows.collect::<Vec<_>>())
        })
}
