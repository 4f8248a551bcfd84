//! Survival that a Cox model predicts, with its interval.
//!
//! The interval is on the log scale (R's `conf.type = "log"`), from Tsiatis' variance: that of the baseline hazard and that of the
//! coefficients.

use esccsql_survival::cox::CoxFit;

use super::matrix::single_row;
use super::stratum::Options;
use crate::shape::{Function, Kind, Problem, each, record};

record! {
    /// Survival at one time.
    struct Step {
        time: f64,
        survival: f64,
        lower: f64,
        upper: f64,
    }
}

pub fn cox_survival_ci() -> Function {
    each("cox_survival_ci", "Predicted survival probability of a row at each time, with its confidence interval.")
        .arg("model", Kind::Model, "made by cox_fit")
        .arg("x", Kind::Features, "the covariates that the model was fitted on")
        .arg("times", Kind::Numbers, "times in the unit of the fit")
        .options::<Options>()
        .source("Tsiatis, Ann Stat 1981;9:93; R survfit(coxph)")
        .example("SELECT unnest(cox_survival_ci(model, {'age': 61}, [12, 24, 36], {'strata': 'north'}), recursive := true) FROM (SELECT cox_fit(months, died, {'age': age}, {'strata': CASE WHEN age % 2 = 0 THEN 'north' ELSE 'south' END}) AS model FROM patients)")
        .returns(|row, options| {
            let trained = row.model::<CoxFit>(0)?;
            let x = row.aligned(1, &trained)?;
            let stratum = options.stratum(&trained)?.map(|code| [code]);
            let (strata, offset) = (stratum.as_ref().map(<[u32; 1]>::as_slice), [options.offset]);
            let curves = trained.model.survival(single_row(&x)?, row.list(2), strata, Some(&offset), options.conf_level);
            let curves = curves.map_err(Problem::user)?;
            let step = |i: usize| Step { time: curves.times[i], survival: curves.survival[i], lower: curves.lower[i], upper: curves.upper[i] };
            Ok((0..curves.times.len()).map(step).collect::<Vec<_>>())
        })
}
