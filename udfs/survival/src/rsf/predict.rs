//! Ensembles: means over the trees, on new rows or on the training rows out of bag.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

use super::training::check_covariates;
use super::tree::Tree;
use super::{Bags, Forest, oob_c_index};
use crate::brier::check_times;
use crate::error::SurvivalError;
use crate::outcome::{Outcome, check_rows};

/// Which curve an ensemble averages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Curve {
    /// Kaplan-Meier of the leaves: not exp(-hazard).
    Survival,
    CumulativeHazard,
}

/// What the trees that did not see a training row say of it; one value, or one row, per training row.
#[derive(Debug, Clone, PartialEq)]
pub struct OobEnsemble {
    /// How many trees did not see the row.
    pub trees: Vec<u32>,
    /// `None` for a row that all trees saw; its curves are NaN.
    pub mortality: Vec<Option<f64>>,
    /// Rows x times.
    pub survival: Array2<f64>,
    pub cumulative_hazard: Array2<f64>,
}

impl Forest {
    /// Ensemble mortality of each row of `x`: the expected number of events, were all training rows like this one.
    ///
    /// # Errors
    /// Another number of features than the forest has, and values that are not finite.
    pub fn mortality(&self, x: ArrayView2<f64>) -> Result<Vec<f64>, SurvivalError> {
        self.check(x)?;
        let of_row = |row: ArrayView1<f64>| {
            let sum: f64 = self.trees.iter().map(|tree| tree.leaf_mortality(tree.leaf_of(|j| row[j]))).sum();
            sum / self.trees.len() as f64
        };
        Ok((0..x.nrows()).into_par_iter().map(|i| of_row(x.row(i))).collect())
    }

    /// Ensemble survival (rows x times): the mean of the leaves' Kaplan-Meier curves. 1 before the first event time, the last
    /// value beyond the last.
    ///
    /// # Errors
    /// Those of [`Forest::mortality`], and times that do not ascend.
    pub fn survival(&self, x: ArrayView2<f64>, times: &[f64]) -> Result<Array2<f64>, SurvivalError> {
        self.curves(x, times, Curve::Survival)
    }

    /// Ensemble cumulative hazard (rows x times): the mean of the leaves' Nelson-Aalen curves, which is not -log of the
    /// ensemble survival.
    ///
    /// # Errors
    /// Those of [`Forest::survival`].
    pub fn cumulative_hazard(&self, x: ArrayView2<f64>, times: &[f64]) -> Result<Array2<f64>, SurvivalError> {
        self.curves(x, times, Curve::CumulativeHazard)
    }

    /// Survival of the training rows over the trees that did not see them; NaN for a row that all trees saw. `x` are the
    /// training rows in their order.
    ///
    /// # Errors
    /// Those of [`Forest::survival`], and another number of rows.
    pub fn oob_survival(&self, x: ArrayView2<f64>, times: &[f64]) -> Result<Array2<f64>, SurvivalError> {
        self.check(x)?;
        check_times(times)?;
        check_rows("x", self.rows, x.nrows())?;
        Ok(self.curves_of(&self.oob_trees(), x, times, Curve::Survival))
    }

    /// The out-of-bag ensemble of the training rows: mortality, and the curves at `times`, over the trees that did not see the row.
    /// `time`, `event` and `x` are the training rows in their order.
    ///
    /// # Errors
    /// Those of [`Outcome::new`] and [`Forest::oob_survival`], and rows that are not those of the fit.
    pub fn oob_ensemble(&self, time: &[f64], event: &[bool], x: ArrayView2<f64>, times: &[f64]) -> Result<OobEnsemble, SurvivalError> {
        Outcome::new(time, event)?;
        self.check(x)?;
        if !times.is_empty() {
            check_times(times)?;
        }
        check_rows("x", time.len(), x.nrows())?;
        let other_rows = || SurvivalError::OtherRows { fitted: self.rows, found: x.nrows() };
        if x.nrows() != self.rows {
            return Err(other_rows());
        }
        let trees = self.oob_trees();
        let sums = self.oob_sums(x, &self.bags());
        // What the fit kept tells other rows, and another order of them, from its own.
        let differs = |(&(sum, trees), kept): (&(f64, u32), &Option<f64>)| (trees > 0).then(|| sum / f64::from(trees)) != *kept;
        if sums.iter().zip(&self.oob_mortality).any(differs) || oob_c_index(time, event, &self.oob_mortality) != self.oob_c_index {
            return Err(other_rows());
        }
        Ok(OobEnsemble {
            survival: self.curves_of(&trees, x, times, Curve::Survival),
            cumulative_hazard: self.curves_of(&trees, x, times, Curve::CumulativeHazard),
            trees: sums.iter().map(|&(_, trees)| trees).collect(),
            mortality: self.oob_mortality.clone(),
        })
    }

    /// For each training row, the trees that did not see it.
    fn oob_trees(&self) -> Vec<Vec<u32>> {
        let mut trees_of = vec![Vec::new(); self.rows];
        for (tree, rows) in self.bags().out.iter().enumerate() {
            rows.iter().for_each(|&row| trees_of[row as usize].push(tree as u32));
        }
        trees_of
    }

    /// Mean curve of each row over its own trees.
    fn curves_of(&self, trees_of: &[Vec<u32>], x: ArrayView2<f64>, times: &[f64], curve: Curve) -> Array2<f64> {
        let mut out = Array2::zeros((self.rows, times.len()));
        let steps = self.steps(times);
        out.axis_iter_mut(Axis(0)).into_par_iter().zip(trees_of).enumerate().for_each(|(i, (mut out, trees))| {
            let trees = trees.iter().map(|&tree| &self.trees[tree as usize]);
            self.mean_curve(trees, x.row(i), &steps, curve, |k, value| out[k] = value);
        });
        out
    }

    fn curves(&self, x: ArrayView2<f64>, times: &[f64], curve: Curve) -> Result<Array2<f64>, SurvivalError> {
        self.check(x)?;
        check_times(times)?;
        let steps = self.steps(times);
        let mut out = Array2::zeros((x.nrows(), times.len()));
        out.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(i, mut out)| {
            self.mean_curve(self.trees.iter(), x.row(i), &steps, curve, |k, value| out[k] = value);
        });
        Ok(out)
    }

    /// Number of event times at or before each of `times`.
    fn steps(&self, times: &[f64]) -> Vec<usize> {
        times.iter().map(|&t| self.event_times.partition_point(|&u| u <= t)).collect()
    }

    /// Mean curve of one row. The jumps of all leaves are added up on the grid; their running sum is the curve, so that a tree
    /// costs only its leaf's own event times.
    fn mean_curve<'a>(
        &self,
        trees: impl ExactSizeIterator<Item = &'a Tree>,
        x: ArrayView1<f64>,
        steps: &[usize],
        curve: Curve,
        mut store: impl FnMut(usize, f64),
    ) {
        let count = trees.len() as f64;
        let mut jumps = vec![0.0; self.event_times.len()];
        for tree in trees {
            let mut survival = 1.0;
            for event in tree.leaf_events(tree.leaf_of(|j| x[j])) {
                let (deaths, at_risk) = (f64::from(event.deaths), f64::from(event.at_risk));
                jumps[event.time as usize] += match curve {
                    Curve::CumulativeHazard => deaths / at_risk,
                    Curve::Survival => {
                        let before = survival;
                        survival *= (at_risk - deaths) / at_risk;
                        before - survival
                    }
                };
            }
        }
        let (mut sum, mut done) = (0.0, 0);
        for (k, &step) in steps.iter().enumerate() {
            sum += jumps[done..step].iter().sum::<f64>();
            done = step;
            let mean = sum / count;
            store(k, if curve == Curve::Survival { if mean.is_nan() { mean } else { (1.0 - mean).max(0.0) } } else { mean });
        }
    }

    /// Sum of the out-of-bag leaf mortalities of each training row, and over how many trees.
    pub(super) fn oob_sums(&self, x: ArrayView2<f64>, bags: &Bags) -> Vec<(f64, u32)> {
        let mut sums = vec![(0.0, 0); self.rows];
        for (tree, rows) in self.trees.iter().zip(&bags.out) {
            for &row in rows {
                let x = x.row(row as usize);
                let (sum, trees) = &mut sums[row as usize];
                *sum += tree.leaf_mortality(tree.leaf_of(|j| x[j]));
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
