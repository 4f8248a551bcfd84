//! One Cox model per feature, for all features in one pass.
//!
//! The numbers of `cox_fit` on each feature alone, at the price of one sort for all. A constant feature, or one that separates the events,
//! has NULL and a word in `status`, and stops nothing.

use esccsql_survival::cox::{Coefficient, screen};

use super::cox_fit::{Options as FitOptions, data, kernel_options};
use super::design::{Design, weighted};
use crate::shape::{Function, Kind, Problem, collect, options, record};

options! {
    struct Options {
        /// 'efron' or 'breslow'.
        ties: String = "efron".into(),
    }
    check |options| super::cox_fit::ties(&options.ties).map(|_| ())
}

record! {
    /// One feature. `status` is 'estimated', 'constant' or 'diverging'.
    struct Screened {
        term: String,
        coef: Option<f64>,
        se: Option<f64>,
        z: Option<f64>,
        p: Option<f64>,
        hr: Option<f64>,
        likelihood_ratio: Option<f64>,
        likelihood_ratio_p: Option<f64>,
        score: Option<f64>,
        score_p: Option<f64>,
        status: String,
    }
}

pub fn cox_screen() -> Function {
    let function = collect("cox_screen", "A univariate Cox model of each feature: coefficients and tests of all features in one pass.")
        .outcome()
        .arg("x", Kind::Features, "features, any number of them")
        .options::<Options>();
    weighted(function)
        .source("R survival::coxph, feature by feature")
        .example("SELECT unnest(cox_screen(months, died, {'age': age, 'stage': stage, 'marker': marker}), recursive := true) FROM patients")
        .returns(|rows, options| {
            let design = Design::of(rows);
            let chosen = kernel_options(&FitOptions { ties: options.ties.clone(), ..FitOptions::default() })?;
            let found = screen(&data(rows, &design), &chosen).map_err(Problem::user)?;
            let known = |value: f64| (!value.is_nan()).then_some(value);
            let screened = rows.features(2).names.iter().zip(found).map(|(term, row)| {
                let estimated = row.status == Coefficient::Estimated;
                Screened {
                    term: term.clone(),
                    coef: known(row.coef).filter(|_| estimated),
                    se: known(row.se),
                    z: known(row.z),
                    p: known(row.p),
                    hr: known(row.coef.exp()).filter(|_| estimated),
                    likelihood_ratio: known(row.likelihood_ratio),
                    likelihood_ratio_p: known(row.likelihood_ratio_p),
                    score: known(row.score),
                    score_p: known(row.score_p),
                    status: match row.status {
                        Coefficient::Estimated => "estimated",
                        Coefficient::Aliased => "constant",
                        Coefficient::Diverging => "diverging",
                    }
                    .into(),
                }
            });
            Ok(screened.collect::<Vec<_>>())
        })
}
