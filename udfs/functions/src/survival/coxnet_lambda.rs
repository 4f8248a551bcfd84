//! Which lambda of a path is meant: an option that the functions on coxnet models share.

use esccsql_survival::coxnet::CoxnetFit;

use crate::shape::{Problem, options};

options! {
    pub struct Options {
        /// 'min' (best in cross-validation), '1se' (sparsest within one standard error of it), or a number in `at`.
        lambda: String = "min".into(),
        /// A lambda of one's own; coefficients are interpolated between the path's.
        at: Option<f64> = None,
    }
    check |options| match (options.lambda.as_str(), options.at) {
        (_, Some(at)) if !(at >= 0.0 && at.is_finite()) => Err(format!("`at` is {at}; expected a lambda of 0 or more")),
        ("min" | "1se", _) => Ok(()),
        (other, _) => Err(format!("`lambda` is '{other}'; expected 'min' or '1se', or a number in `at`")),
    }
}

impl Options {
    pub fn lambda(&self, model: &CoxnetFit) -> Result<f64, Problem> {
        match (self.at, &model.cv) {
            (Some(lambda), _) => Ok(lambda),
            (None, Some(cv)) if self.lambda == "1se" => Ok(cv.lambda_1se),
            (None, Some(cv)) => Ok(cv.lambda_min),
            (None, None) => {
                Err(Problem::user("the model was fitted without cross-validation; choose a lambda with {'at': ...}, or fit with folds"))
            }
        }
    }
}
