//! Residuals of a Cox model.
//!
//! The model is fitted to the rows and its residuals are returned by `id`: martingale and deviance (one per row), score and dfbeta
//! (per covariate), Schoenfeld and scaled Schoenfeld (per covariate, for events). Agree with R `residuals.coxph`.

use esccsql_survival::cox::fit;

use super::cox_fit::{Options, data, kernel_options};
use super::design::{Design, weighted};
use crate::shape::{Function, Kind, Map, Problem, collect, record};

record! {
    /// One row's residuals.
    struct Residual {
        id: String,
        time: f64,
        event: bool,
        martingale: f64,
        deviance: f64,
        score: Map,
        dfbeta: Map,
        schoenfeld: Option<Map>,
        scaled_schoenfeld: Option<Map>,
    }
}

pub fn cox_residuals() -> Function {
    let function = collect("cox_residuals", "Fits a Cox model and gives each row's residuals by id; those of Schoenfeld for events only.")
        .outcome()
        .arg("x", Kind::Features, "covariates")
        .arg("id", Kind::Label, "names the row in the result")
        .options::<Options>();
    weighted(function)
        .row_option("cluster", Kind::Label, "as in cox_fit")
        .source("R residuals.coxph; Grambsch & Therneau, Biometrika 1994;81:515")
        .example("SELECT unnest(cox_residuals(months, died, {'age': age, 'stage': stage}, patient_id), recursive := true) FROM patients")
        .returns(|rows, options| {
            let design = Design::of(rows);
            let data = data(rows, &design);
            let model = fit(&data, &kernel_options(options)?).map_err(Problem::user)?;
            let found = model.residuals(&data).map_err(Problem::user)?;
            let names = rows.names(2);
            let p = names.len();
            let part =
                |values: &[f64], row: usize| Map(names.iter().cloned().zip(values[row * p..(row + 1) * p].iter().copied()).collect());
            let mut place = vec![None; rows.len()];
            found.event_rows.iter().enumerate().for_each(|(at, &row)| place[row] = Some(at));
            let residual = |row: usize| Residual {
                id: rows.texts(3)[row].clone(),
                time: rows.numbers(0)[row],
                event: rows.events(1)[row],
                martingale: found.martingale[row],
                deviance: found.deviance[row],
                score: part(&found.score, row),
                dfbeta: part(&found.dfbeta, row),
                schoenfeld: place[row].map(|at| part(&found.schoenfeld, at)),
                scaled_schoenfeld: place[row].map(|at| part(&found.scaled_schoenfeld, at)),
            };
            Ok((0..rows.len()).map(residual).collect::<Vec<_>>())
        })
}
