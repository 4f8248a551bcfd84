//! Ensembles of forests with competing risks: means over the trees.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

use super::{CompetingForest, CompetingTree};
use crate::brier::check_times;
use crate::error::SurvivalError;
use crate::outcome::check_rows;
use crate::rsf::{Bags, check_covariates};

/// Which curve an ensemble averages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Curve {
    Incidence,
    Hazard,
}

impl CompetingForest {
    /// The place of a cause's code among [`CompetingForest::causes`].
    ///
    /// # Errors
    /// A code without an event in the fit.
    pub fn cause(&self, code: u32) -> Result<usize, SurvivalError> {
        self.causes.binary_search(&code).map_err(|_| SurvivalError::UnknownCause {
            cause: code,
            known: self.causes.iter().map(u32::to_string).collect::<Vec<_>>().join(", "),
        })
    }

    /// Ensemble years lost of each row of `x` to cause number `cause` (from 0): the incidence integrated from the first event time of
    /// the training data to the last, in the unit of time. randomForestSRC's `predicted`; the higher, the more of this cause.
    ///
    /// # Errors
    /// Another number of features than the forest has, and values that are not finite.
    pub fn years_lost(&self, x: ArrayView2<f64>, cause: usize) -> Result<Vec<f64>, SurvivalError> {
        self.check(x)?;
        let of_row = |row: ArrayView1<f64>| {
            let of_tree = |tree: &CompetingTree| tree.years_lost(tree.shape().leaf_of(|j| row[j]), cause);
            self.trees.iter().map(of_tree).sum::<f64>() / self.trees.len() as f64
        };
        Ok((0..x.nrows()).into_par_iter().map(|i| of_row(x.row(i))).collect())
    }

    /// Ensemble cumulative incidence of a cause (rows x times): 0 before the first event time, the last value beyond the last.
    ///
    /// # Errors
    /// Those of [`CompetingForest::years_lost`], and times that do not ascend.
    pub fn incidence(&self, x: ArrayView2<f64>, cause: usize, times: &[f64]) -> Result<Array2<f64>, SurvivalError> {
        self.curves(x, times, |_| self.trees.iter().collect(), cause, Curve::Incidence)
    }

    /// Ensemble cause-specific cumulative hazard (rows x times).
    ///
    /// # Errors
    /// Those of [`CompetingForest::incidence`].
    pub fn cumulative_hazard(&self, x: ArrayView2<f64>, cause: usize, times: &[f64]) -> Result<Array2<f64>, SurvivalError> {
        self.curves(x, times, |_| self.trees.iter().collect(), cause, Curve::Hazard)
    }

    /// Ensemble probability of no event of any cause (rows x times): 1 less all incidences.
    ///
    /// # Errors
    /// Those of [`CompetingForest::incidence`].
    pub fn survival(&self, x: ArrayView2<f64>, times: &[f64]) -> Result<Array2<f64>, SurvivalError> {
        let mut survival = Array2::ones((x.nrows(), times.len()));
        for cause in 0..self.causes.len() {
            survival -= &self.incidence(x, cause, times)?;
        }
        survival.mapv_inplace(|s: f64| s.max(0.0));
        Ok(survival)
    }

    /// Incidence of the training rows over the trees that did not see them; NaN for a row that all trees saw. `x` are the training
    /// rows in their order.
    ///
    /// # Errors
    /// Those of [`CompetingForest::incidence`], and another number of rows.
    pub fn oob_incidence(&self, x: ArrayView2<f64>, cause: usize, times: &[f64]) -> Result<Array2<f64>, SurvivalError> {
        check_rows("x", self.rows, x.nrows())?;
        let mut unseen = vec![Vec::new(); self.rows];
        for (tree, rows) in self.trees.iter().zip(&Bags::of(&self.options.forest, self.rows).out) {
            rows.iter().for_each(|&row| unseen[row as usize].push(tree));
        }
        self.curves(x, times, |row| unseen[row].clone(), cause, Curve::Incidence)
    }

    fn curves<'a>(
        &'a self,
        x: ArrayView2<f64>,
        times: &[f64],
        trees: impl Fn(usize) -> Vec<&'a CompetingTree> + Sync,
        cause: usize,
        curve: Curve,
    ) -> Result<Array2<f64>, SurvivalError> {
        self.check(x)?;
        check_times(times)?;
        let steps: Vec<usize> = times.iter().map(|&t| self.event_times.partition_point(|&u| u <= t)).collect();
        let mut out = Array2::zeros((x.nrows(), times.len()));
        out.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(i, mut out)| {
            let (row, trees) = (x.row(i), trees(i));
            let mut jumps = vec![0.0; self.event_times.len()];
            for tree in &trees {
                for jump in tree.jumps(tree.shape().leaf_of(|j| row[j]), cause) {
                    jumps[jump.time as usize] += if curve == Curve::Incidence { jump.incidence } else { jump.hazard };
                }
            }
            let (mut sum, mut done) = (0.0, 0);
            for (out, &step) in out.iter_mut().zip(&steps) {
                sum += jumps[done..step].iter().sum::<f64>();
                done = step;
                *out = sum / trees.len() as f64;
            }
        });
        Ok(out)
    }

    /// Mean over the trees of each feature's minimal depth, as [`crate::rsf::Forest::minimal_depth`].
    pub fn minimal_depth(&self) -> Vec<f64> {
        crate::rsf::minimal_depth(self.trees.iter().map(CompetingTree::shape), self.features)
    }

    /// Sum of the out-of-bag years lost of each training row, and over how many trees.
    pub(super) fn oob_sums(&self, x: ArrayView2<f64>, bags: &Bags, cause: usize) -> Vec<(f64, u32)> {
        let mut sums = vec![(0.0, 0); self.rows];
        for (tree, rows) in self.trees.iter().zip(&bags.out) {
            for &row in rows {
                let x = x.row(row as usize);
                let (sum, trees) = &mut sums[row as usize];
                *sum += tree.years_lost(tree.shape().leaf_of(|j| x[j]), cause);
                *trees += 1;
            }
        }
        sums
    }

    fn check(&self, x: ArrayView2<f64>) -> Result<(), SurvivalError> {
        if x.ncols() != self.features {
            return Err(SurvivalError::ColumnMismatch { expected: self.features, found: x.ncols() });
        }
        check_covariates(x)
    }
}
