//! Any survival model as an argument: which one it is, is read from its header.

use std::sync::Arc;

use esccsql_survival::cox::CoxFit;
use esccsql_survival::coxnet::CoxnetFit;
use esccsql_survival::error::SurvivalError;
use esccsql_survival::rsf::Forest;
use esccsql_survival::shap::{CoxCurves, Explained, Output};
use ndarray::{Array2, ArrayView2, Axis};

use super::coxnet_lambda;
use crate::shape::{Features, Fit, Model, Problem, Rows, Trained};

/// A model made by `rsf_fit`, `cox_fit` or `coxnet_fit`.
pub enum SurvivalModel {
    Forest(Arc<Trained<Forest>>),
    Cox(Arc<Trained<CoxFit>>),
    Coxnet(Arc<Trained<CoxnetFit>>),
}

impl SurvivalModel {
    pub fn read(bytes: &[u8]) -> Result<Self, Problem> {
        let (header, _) = Model::header(bytes)?;
        match header.kind.as_str() {
            Forest::KIND => Model::decode(bytes).map(Self::Forest),
            CoxFit::KIND => Model::decode(bytes).map(Self::Cox),
            CoxnetFit::KIND => Model::decode(bytes).map(Self::Coxnet),
            other => Err(Problem::user(format!(
                "a model of kind '{other}' predicts no survival; give one made by rsf_fit, cox_fit or coxnet_fit"
            ))),
        }
    }

    /// The features that it was fitted on.
    pub fn features(&self) -> &[String] {
        match self {
            Self::Forest(model) => &model.header.features,
            Self::Cox(model) => &model.header.features,
            Self::Coxnet(model) => &model.header.features,
        }
    }

    /// Ensemble mortality or linear predictor: higher means shorter survival.
    pub fn risk(&self, x: ArrayView2<f64>, lambda: Option<f64>) -> Result<Vec<f64>, SurvivalError> {
        match (self, lambda) {
            (Self::Forest(model), _) => model.model.mortality(x),
            (Self::Cox(model), _) => model.model.linear_predictor(x),
            (Self::Coxnet(model), lambda) => model.model.linear_predictor(x, lambda.unwrap_or_default()),
        }
    }

    /// The lambda of a path that is asked for; none for other models.
    pub fn lambda(&self, asked: &coxnet_lambda::Options) -> Result<Option<f64>, Problem> {
        match self {
            Self::Coxnet(model) => asked.lambda(&model.model).map(Some),
            _ if asked.at.is_some() => Err(Problem::user("options: `at` is a lambda of a coxnet model; leave it out with other models")),
            _ => Ok(None),
        }
    }

    /// The model as its curves are explained.
    pub fn explained(&self) -> Result<Explained, Problem> {
        match self {
            Self::Forest(model) => Ok(Explained::Forest(model.model.clone())),
            Self::Cox(model) => CoxCurves::of(&model.model).map(Explained::Cox).map_err(Problem::user),
            Self::Coxnet(_) => Err(Problem::user(
                "a coxnet model has no baseline hazard, so no survival curve; refit its features with cox_fit, or use rsf_fit",
            )),
        }
    }
}

/// Predictions of an explained model: rows x times, one column for a risk.
pub fn predict(model: &Explained, x: ArrayView2<f64>, times: &[f64], output: Output) -> Result<Array2<f64>, SurvivalError> {
    match (model, output) {
        (Explained::Forest(forest), Output::Survival) => forest.survival(x, times),
        (Explained::Forest(forest), Output::CumulativeHazard) => forest.cumulative_hazard(x, times),
        (Explained::Forest(forest), Output::Risk) => forest.mortality(x).map(|risk| ndarray::Array1::from(risk).insert_axis(Axis(1))),
        (Explained::Cox(cox), output) => Ok(cox.predict(x, times, output)),
    }
}

/// The model that all rows of a group share.
pub fn shared_model<'a>(rows: &'a Rows, argument: usize, name: &str) -> Result<&'a [u8], Problem> {
    let first = rows.model(argument, 0);
    if (1..rows.len()).any(|row| rows.model(argument, row) != first) {
        return Err(Problem::user(format!("{name} must be the same in every row of a group; GROUP BY what tells the models apart")));
    }
    Ok(first)
}

/// The matrix of a group's features in the order of `names`.
pub fn arranged(x: &Features, names: &[String]) -> Result<Array2<f64>, Problem> {
    Ok(x.values.select(Axis(1), &x.positions(names)?))
}
