//! A forest's curves from the trees' scalar coefficients.
//!
//! A tree gives coefficients per (leaf, feature). A leaf's curve changes only at its own few event times, so that its jumps are
//! added, scaled, to the feature's jumps on the grid of times asked for; one running sum at the end makes the curves.

use ndarray::{Array2, ArrayView1, ArrayView2};

use super::Output;
use super::interventional::Walk;
use super::path_dependent::{CoverWalk, cover};
use super::patterns::Patterns;
use crate::error::SurvivalError;
use crate::rsf::{Forest, Tree};

/// Which rows a feature that is not in the set comes from.
#[derive(Clone, Copy)]
pub(super) enum Background<'a> {
    Rows(ArrayView2<'a, f64>),
    /// The same rows, prepared.
    Patterns(&'a Patterns),
    /// The training rows in the nodes of each tree.
    Nodes,
}

/// Where leaf curves are read: for each event time of the forest the first column at or after it.
pub(super) struct Columns {
    column: Vec<usize>,
    pub len: usize,
    output: Output,
}

impl Columns {
    pub fn new(forest: &Forest, times: &[f64], output: Output) -> Self {
        let column = forest.event_times.iter().map(|&u| times.partition_point(|&t| t < u)).collect();
        Self { column, len: if output == Output::Risk { 1 } else { times.len() }, output }
    }

    /// Calls `add(column, jump)` for each jump of a leaf's curve within the columns.
    fn jumps(&self, tree: &Tree, leaf: usize, mut add: impl FnMut(usize, f64)) {
        if self.output == Output::Risk {
            return add(0, tree.leaf_mortality(leaf));
        }
        let mut survival = 1.0;
        for event in tree.leaf_events(leaf) {
            let column = self.column[event.time as usize];
            if column >= self.len {
                return;
            }
            let (deaths, at_risk) = (f64::from(event.deaths), f64::from(event.at_risk));
            let jump = if self.output == Output::Survival {
                let before = survival;
                survival *= (at_risk - deaths) / at_risk;
                survival - before
            } else {
                deaths / at_risk
            };
            add(column, jump);
        }
    }

    /// Value before the first jump.
    fn start(&self) -> f64 {
        if self.output == Output::Survival { 1.0 } else { 0.0 }
    }
}

/// Shares of the features in the prediction of x, features x columns.
pub(super) fn values(forest: &Forest, columns: &Columns, x: ArrayView1<f64>, background: Background) -> Result<Array2<f64>, SurvivalError> {
    let mut values = Array2::<f64>::zeros((forest.features, columns.len));
    let (mut walk, mut cover_walk) = (Walk::default(), CoverWalk::default());
    let mut jumps: Vec<(usize, f64)> = Vec::new();
    for (index, tree) in forest.trees.iter().enumerate() {
        let mut at = usize::MAX;
        let mut add = |leaf: usize, feature: usize, coefficient: f64| {
            if leaf != at {
                at = leaf;
                jumps.clear();
                columns.jumps(tree, leaf, |column, jump| jumps.push((column, jump)));
            }
            let mut row = values.row_mut(feature);
            for &(column, jump) in &jumps {
                row[column] += coefficient * jump;
            }
        };
        match background {
            Background::Rows(rows) => walk.run(tree, x.reborrow(), rows, &mut add)?,
            Background::Patterns(patterns) => patterns.run(index, x.reborrow(), &mut add),
            Background::Nodes => {
                let cover = cover(tree, tree.len(), |leaf| tree.leaf_size(leaf) as f64);
                cover_walk.run(tree, &cover, x.reborrow(), &mut add)?;
            }
        }
    }
    let trees = forest.trees.len() as f64;
    for mut row in values.rows_mut() {
        let mut sum = 0.0;
        for value in &mut row {
            sum += *value;
            *value = sum / trees;
        }
    }
    Ok(values)
}

/// Mean prediction over the rows, or over the training rows in the nodes.
pub(super) fn base(forest: &Forest, columns: &Columns, rows: Option<ArrayView2<f64>>) -> Vec<f64> {
    let mut sums = vec![0.0; columns.len];
    for tree in &forest.trees {
        let mut weights = vec![0.0; tree.leaves()];
        match rows {
            Some(rows) => rows.rows().into_iter().for_each(|b| weights[tree.leaf_of(|j| b[j])] += 1.0),
            None => (0..tree.leaves()).for_each(|leaf| weights[leaf] = tree.leaf_size(leaf) as f64),
        }
        let all: f64 = weights.iter().sum();
        for (leaf, weight) in weights.into_iter().enumerate().filter(|&(_, weight)| weight > 0.0) {
            columns.jumps(tree, leaf, |column, jump| sums[column] += weight / all * jump);
        }
    }
    running(columns, sums, forest.trees.len())
}

/// Prediction of one row.
pub(super) fn prediction(forest: &Forest, columns: &Columns, x: ArrayView1<f64>) -> Vec<f64> {
    let mut sums = vec![0.0; columns.len];
    for tree in &forest.trees {
        columns.jumps(tree, tree.leaf_of(|j| x[j]), |column, jump| sums[column] += jump);
    }
    running(columns, sums, forest.trees.len())
}

fn running(columns: &Columns, mut sums: Vec<f64>, trees: usize) -> Vec<f64> {
    let mut sum = 0.0;
    for value in &mut sums {
        sum += *value;
        *value = columns.start() + sum / trees as f64;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rsf::{RsfOptions, fit};

    #[test]
    fn the_walk_that_large_forests_take_gives_the_prepared_values() {
        let x = Array2::from_shape_fn((90, 5), |(i, j)| ((i * (13 + 6 * j) + 7 * j) % 89) as f64);
        let time: Vec<f64> = (0..90).map(|i| 1.0 + (x[(i, 0)] - x[(i, 3)]).abs() + (i % 11) as f64).collect();
        let event: Vec<bool> = (0..90).map(|i| i % 3 != 0).collect();
        let options = RsfOptions { trees: 12, node_size: 4, ..Default::default() };
        let forest = fit(&time, &event, x.view(), &options).unwrap();
        let rows = x.slice(ndarray::s![20.., ..]);
        let patterns = Patterns::new(&forest.trees, rows).unwrap();
        for output in [Output::Survival, Output::CumulativeHazard, Output::Risk] {
            let columns = Columns::new(&forest, &[5.0, 20.0, 60.0], output);
            let walked = values(&forest, &columns, x.row(4), Background::Rows(rows)).unwrap();
            let prepared = values(&forest, &columns, x.row(4), Background::Patterns(&patterns)).unwrap();
            let largest = walked.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
            assert!(largest > 1e-3);
            walked.iter().zip(&prepared).for_each(|(a, b)| assert!((a - b).abs() < 1e-13 * largest.max(1.0), "{output:?}: {a} {b}"));
        }
    }

    #[test]
    fn a_background_too_large_to_prepare_is_walked() {
        let x = Array2::from_shape_fn((40, 2), |(i, j)| ((i * (3 + j)) % 37) as f64);
        let time: Vec<f64> = (1..=40).map(f64::from).collect();
        let options = RsfOptions { trees: 1, node_size: 5, ..Default::default() };
        let forest = fit(&time, &[true; 40], x.view(), &options).unwrap();
        let trees: Vec<Tree> = std::iter::repeat_n(forest.trees[0].clone(), 3000).collect();
        let leaves = 3000 * trees[0].leaves();
        let rows = Array2::zeros(((1 << 24) / leaves + 1, 2));
        assert!(Patterns::new(&trees, rows.view()).is_none());
        assert!(Patterns::new(&trees[..10], rows.view()).is_some());
    }
}
