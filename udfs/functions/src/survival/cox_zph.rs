//! Test of proportional hazards.

use esccsql_survival::cox::{ZphTransform, fit};

use super::cox_fit::{Options as CoxFitOptions, data, kernel_options};
use super::design::{Design, weighted};
use crate::shape::{Function, Kind, Problem, collect, options, record};

options! {
    struct Options {
        /// Time scale of the test: 'km', 'rank', 'identity' or 'log'.
        transform: String = "km".into(),
        /// 'efron' or 'breslow'.
        ties: String = "efron".into(),
    }
    check |options| transform(&options.transform).and(super::cox_fit::ties(&options.ties).map(|_| ()))
}

fn transform(name: &str) -> Result<(), String> {
    match name {
        "km" | "rank" | "identity" | "log" => Ok(()),
        other => Err(format!("`transform` is '{other}'; expected 'km', 'rank', 'identity' or 'log'")),
    }
}

record! {
    /// One test; a small p speaks against proportional hazards. NULL where there is no coefficient to test.
    struct Test {
        term: String,
        chi_square: Option<f64>,
        df: u64,
        p: Option<f64>,
    }
}

pub fn cox_zph() -> Function {
    let function =
        collect("cox_zph", "Score tests of proportional hazards for each covariate of a Cox model and, as GLOBAL, for all together.")
            .outcome()
            .arg("x", Kind::Features, "covariates")
            .options::<Options>();
    weighted(function)
        .source("R survival::cox.zph (version 3 and later)")
        .example("SELECT unnest(cox_zph(months, died, {'age': age, 'stage': stage}), recursive := true) FROM patients")
        .returns(|rows, options| {
            let x = rows.features(2);
            let design = Design::of(rows);
            let data = data(rows, &design);
            let chosen = kernel_options(&CoxFitOptions { ties: options.ties.clone(), ..CoxFitOptions::default() })?;
            let model = fit(&data, &chosen).map_err(Problem::user)?;
            let transform = match options.transform.as_str() {
                "rank" => ZphTransform::Rank,
                "identity" => ZphTransform::Identity,
                "log" => ZphTransform::Log,
                _ => ZphTransform::KaplanMeier,
            };
            let tests = model.zph(&data, transform).map_err(Problem::user)?;
            let terms = x.names.iter().cloned().chain(["GLOBAL".to_string()]);
            Ok(terms
                .zip(tests)
                .map(|(term, test)| {
                    let tested = |value| (test.df > 0).then_some(value);
                    Test { term, chi_square: tested(test.chi_square), df: test.df as u64, p: tested(test.p) }
                })
                .collect::<Vec<_>>())
        })
}
