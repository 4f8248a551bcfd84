//! Tests of a whole Cox model.

use esccsql_survival::cox::{CoxFit, ModelTest};

use crate::shape::{Function, Kind, each, record};

record! {
    /// A chi-square test of all coefficients.
    struct Test {
        statistic: f64,
        df: u64,
        p: f64,
    }
}

record! {
    /// How a model fits.
    struct Tests {
        n: u64,
        events: u64,
        loglik_null: f64,
        loglik: f64,
        aic: f64,
        likelihood_ratio: Test,
        wald: Test,
        score: Test,
        iterations: u64,
        converged: bool,
    }
}

impl From<ModelTest> for Test {
    fn from(test: ModelTest) -> Self {
        Test { statistic: test.statistic, df: test.df as u64, p: test.p }
    }
}

pub fn cox_tests() -> Function {
    each("cox_tests", "Log-likelihood, AIC, and the likelihood-ratio, Wald and score test of a Cox model against no effect.")
        .arg("model", Kind::Model, "made by cox_fit")
        .source("R summary(coxph)")
        .example("SELECT unnest(cox_tests(cox_fit(months, died, {'age': age, 'stage': stage}))) FROM patients")
        .returns(|row, _| {
            let model = &row.model::<CoxFit>(0)?.model;
            Ok(Tests {
                n: model.n as u64,
                events: model.events as u64,
                loglik_null: model.loglik_null,
                loglik: model.loglik,
                aic: model.aic(),
                likelihood_ratio: model.likelihood_ratio.into(),
                wald: model.wald.into(),
                score: model.score.into(),
                iterations: model.iterations as u64,
                converged: model.converged,
            })
        })
}
