//! A LASSO-Cox path, lambda by lambda.

use esccsql_survival::coxnet::CoxnetFit;

use crate::shape::{Function, Kind, Map, each, record};

record! {
    /// One lambda.
    struct Step {
        lambda: f64,
        df: u64,
        deviance_ratio: f64,
        cv_mean: Option<f64>,
        cv_std_err: Option<f64>,
        coef: Map,
    }
}

pub fn coxnet_path() -> Function {
    each("coxnet_path", "Each lambda of a coxnet model: how many features it keeps, the share of deviance explained, the cross-validated measure and the coefficients.")
        .arg("model", Kind::Model, "made by coxnet_fit")
        .source("R glmnet, cv.glmnet")
        .example("SELECT unnest(coxnet_path(coxnet_fit(months, died, {'age': age, 'stage': stage}, {'folds': 5})), recursive := true) FROM patients")
        .returns(|row, _| {
            let trained = row.model::<CoxnetFit>(0)?;
            let model = &trained.model;
            let step = |i: usize| {
                let coef = &model.coef[i];
                let names = coef.index.iter().map(|&column| trained.header.features[column as usize].clone());
                Step {
                    lambda: model.lambda[i],
                    df: model.df[i] as u64,
                    deviance_ratio: model.dev_ratio[i],
                    cv_mean: model.cv.as_ref().map(|cv| cv.mean[i]),
                    cv_std_err: model.cv.as_ref().map(|cv| cv.std_err[i]),
                    coef: Map(names.zip(coef.value.iter().copied()).collect()),
                }
            };
            Ok((0..model.lambda.len()).map(step).collect::<Vec<_>>())
        })
}
