//! A Cox model's baseline hazard.
//!
//! Breslow's estimator, or Efron's where ties are Efron's, at every distinct time of each stratum, for a row at the training means
//! (R's `basehaz(centered = TRUE)`) or, with `{'centered': false}`, for a row of zeros.

use esccsql_survival::cox::{Baseline, CoxFit};

use crate::shape::{Function, Kind, each, options, record};

options! {
    struct Options {
        /// For a row at the training means; false is for a row of zeros.
        centered: bool = true,
    }
}

record! {
    /// One time of a stratum.
    struct Step {
        stratum: Option<String>,
        time: f64,
        cumulative_hazard: f64,
        survival: f64,
    }
}

pub fn cox_baseline() -> Function {
    each("cox_baseline", "Cumulative baseline hazard of a Cox model and the survival it means, per stratum and time.")
        .arg("model", Kind::Model, "made by cox_fit")
        .options::<Options>()
        .source("Breslow, JRSS B 1972;34:216; R survival::basehaz")
        .example("SELECT unnest(cox_baseline(cox_fit(months, died, {'age': age}), {'centered': false}), recursive := true) FROM patients")
        .returns(|row, options| {
            let trained = row.model::<CoxFit>(0)?;
            let factor = if options.centered { 1.0 } else { (-trained.model.means_linear_predictor()).exp() };
            let levels = &trained.header.summary.strata;
            let steps = |baseline: &Baseline| {
                let stratum = levels.get(baseline.stratum as usize).cloned();
                let step = move |(&time, &hazard): (&f64, &f64)| Step {
                    stratum: stratum.clone(),
                    time,
                    cumulative_hazard: factor * hazard,
                    survival: (-factor * hazard).exp(),
                };
                baseline.time.iter().zip(&baseline.cumulative_hazard).map(step).collect::<Vec<_>>()
            };
            Ok(trained.model.baselines.iter().flat_map(steps).collect::<Vec<_>>())
        })
}
