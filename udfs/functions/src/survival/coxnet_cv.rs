//! What cross-validation chose for a LASSO-Cox model.

use esccsql_survival::coxnet::{CoxnetFit, Measure};

use crate::shape::{Function, Kind, Problem, each, record};

record! {
    /// The two lambdas that are usually chosen, with the number of features that they keep and their cross-validated measure.
    struct Chosen {
        measure: String,
        lambda_min: f64,
        lambda_1se: f64,
        df_min: u64,
        df_1se: u64,
        cv_min: f64,
        cv_1se: f64,
    }
}

pub fn coxnet_cv() -> Function {
    each("coxnet_cv", "The lambdas that cross-validation chose: the best ('min') and the largest within one standard error of it ('1se').")
        .arg("model", Kind::Model, "made by coxnet_fit with folds")
        .source("R cv.glmnet")
        .example("SELECT coxnet_cv(coxnet_fit(months, died, {'age': age, 'stage': stage, 'marker': marker}, {'folds': 5})) FROM patients")
        .returns(|row, _| {
            let trained = row.model::<CoxnetFit>(0)?;
            let model = &trained.model;
            let cv = (model.cv.as_ref())
                .ok_or_else(|| Problem::user("the model was fitted without cross-validation; fit with folds, or read coxnet_path"))?;
            // Both are lambdas of the path.
            let at = |lambda: f64| model.lambda.iter().position(|&l| l == lambda).ok_or_else(|| Problem::bug("a lambda off the path"));
            let (min, one_se) = (at(cv.lambda_min)?, at(cv.lambda_1se)?);
            let measure = match cv.measure {
                Measure::Deviance => "deviance",
                Measure::DevianceWithinFold => "deviance_within_fold",
                Measure::Concordance => "c_index",
            };
            Ok(Chosen {
                measure: measure.into(),
                lambda_min: cv.lambda_min,
                lambda_1se: cv.lambda_1se,
                df_min: model.df[min] as u64,
                df_1se: model.df[one_se] as u64,
                cv_min: cv.mean[min],
                cv_1se: cv.mean[one_se],
            })
        })
}
