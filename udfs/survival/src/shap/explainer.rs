//! A model with the rows that it is explained against.

use std::sync::OnceLock;

use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::cox::CoxCurves;
use super::forest::{self, Background, Columns};
use super::patterns::Patterns;
use super::{Explanation, Output};
use crate::brier::check_times;
use crate::error::SurvivalError;
use crate::rsf::{Forest, check_covariates};

/// Where the value of an absent feature comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The background rows: R survex and python survshap.
    #[default]
    Interventional,
    /// The training rows in the nodes of the trees; the background rows play no part. Forests only.
    PathDependent,
}

/// Models that can be explained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Explained {
    Forest(Forest),
    Cox(CoxCurves),
}

impl Explained {
    /// The times at which the model's curves change: all of a forest's event times, the event times of a Cox model.
    pub fn event_times(&self) -> Vec<f64> {
        match self {
            Self::Forest(forest) => forest.event_times.clone(),
            Self::Cox(cox) => {
                let mut before = 0.0;
                let steps = cox.times.iter().zip(&cox.cumulative_hazard);
                steps.filter(|(_, hazard)| std::mem::replace(&mut before, **hazard) < **hazard).map(|(&t, _)| t).collect()
            }
        }
    }
}

/// A model, its background rows and the method.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Explainer {
    model: Explained,
    method: Method,
    /// rows x features, row-major.
    background: Vec<f64>,
    /// Background means on the forest's event times, by output: made when first asked for.
    #[serde(skip)]
    forest_bases: [OnceLock<Vec<f64>>; 3],
    /// The background prepared for the forest's leaves, unless that is too large.
    #[serde(skip)]
    patterns: OnceLock<Option<Patterns>>,
}

impl Explainer {
    /// `background` is rows x features.
    ///
    /// # Errors
    /// No background rows, another number of columns than the model has, values that are not finite, and path-dependent
    /// values of a Cox model.
    pub fn new(model: Explained, background: ArrayView2<f64>, method: Method) -> Result<Self, SurvivalError> {
        if background.nrows() == 0 {
            return Err(SurvivalError::Empty);
        }
        if method == Method::PathDependent && matches!(model, Explained::Cox(_)) {
            return Err(SurvivalError::BadOption {
                option: "method",
                expected: "'interventional' for a Cox model, which has no nodes",
                found: "'path_dependent'".into(),
            });
        }
        let explainer = Self {
            model,
            method,
            background: background.iter().copied().collect(),
            forest_bases: Default::default(),
            patterns: OnceLock::new(),
        };
        explainer.check(background)?;
        Ok(explainer)
    }

    pub fn model(&self) -> &Explained {
        &self.model
    }

    /// Rows of the background.
    pub fn background_rows(&self) -> usize {
        self.background.len() / self.features()
    }

    /// See [`Explained::event_times`].
    pub fn event_times(&self) -> Vec<f64> {
        self.model.event_times()
    }

    /// Mean prediction over the background at ascending `times`, which are given back: none for [`Output::Risk`].
    ///
    /// # Errors
    /// Times that do not ascend.
    pub fn base(&self, times: &[f64], output: Output) -> Result<(Vec<f64>, Vec<f64>), SurvivalError> {
        let times = if output == Output::Risk { &[] } else { times };
        if output != Output::Risk {
            check_times(times)?;
        }
        let base = match &self.model {
            Explained::Forest(forest) => self.forest_base(forest, times, output),
            Explained::Cox(cox) => {
                let all = cox.predict(self.background(), times, output);
                all.columns().into_iter().map(|column| column.iter().sum::<f64>() / all.nrows() as f64).collect()
            }
        };
        Ok((times.to_vec(), base))
    }

    /// Explains one row at ascending `times` (ignored for [`Output::Risk`]).
    ///
    /// # Errors
    /// Another number of features than the model has, values that are not finite, times that do not ascend, and a Cox model
    /// whose hazards range over so many orders of magnitude that the shares of survival lose their digits.
    pub fn explain(&self, x: ArrayView1<f64>, times: &[f64], output: Output) -> Result<Explanation, SurvivalError> {
        let row = x.insert_axis(ndarray::Axis(0));
        self.check(row)?;
        let (times, base) = self.base(times, output)?;
        let (prediction, values) = match &self.model {
            Explained::Forest(forest) => {
                let columns = Columns::new(forest, &times, output);
                (forest::prediction(forest, &columns, x), forest::values(forest, &columns, x, self.prepared(forest))?)
            }
            Explained::Cox(cox) => (cox.predict(row, &times, output).row(0).to_vec(), cox.values(x, self.background(), &times, output)),
        };
        let explanation = Explanation { times, base, prediction, values };
        if matches!(self.model, Explained::Cox(_)) && output == Output::Survival && !explanation.adds_up() {
            return Err(SurvivalError::HazardsTooWide);
        }
        Ok(explanation)
    }

    /// Explains each row of `x`, in parallel.
    ///
    /// # Errors
    /// Those of [`Explainer::explain`].
    pub fn explain_all(&self, x: ArrayView2<f64>, times: &[f64], output: Output) -> Result<Vec<Explanation>, SurvivalError> {
        (0..x.nrows()).into_par_iter().map(|i| self.explain(x.row(i), times, output)).collect()
    }

    fn prepared<'a>(&'a self, forest: &Forest) -> Background<'a> {
        if self.method == Method::PathDependent {
            return Background::Nodes;
        }
        match self.patterns.get_or_init(|| Patterns::new(&forest.trees, self.background())) {
            Some(patterns) => Background::Patterns(patterns),
            None => Background::Rows(self.background()),
        }
    }

    fn forest_base(&self, forest: &Forest, times: &[f64], output: Output) -> Vec<f64> {
        let rows = (self.method == Method::Interventional).then(|| self.background());
        let base = self.forest_bases[output as usize]
            .get_or_init(|| forest::base(forest, &Columns::new(forest, &forest.event_times, output), rows));
        if output == Output::Risk {
            return base.clone();
        }
        let start = if output == Output::Survival { 1.0 } else { 0.0 };
        let reached = |&t: &f64| forest.event_times.partition_point(|&u| u <= t);
        times.iter().map(|t| reached(t).checked_sub(1).map_or(start, |k| base[k])).collect()
    }

    fn background(&self) -> ArrayView2<'_, f64> {
        ArrayView2::from_shape((self.background_rows(), self.features()), &self.background).expect("whole rows")
    }

    fn features(&self) -> usize {
        match &self.model {
            Explained::Forest(forest) => forest.features,
            Explained::Cox(cox) => cox.coef.len(),
        }
    }

    fn check(&self, x: ArrayView2<f64>) -> Result<(), SurvivalError> {
        if x.ncols() != self.features() {
            return Err(SurvivalError::ColumnMismatch { expected: self.features(), found: x.ncols() });
        }
        check_covariates(x)
    }
}
