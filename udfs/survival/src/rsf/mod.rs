//! Random survival forests.
//!
//! Trees grow on subsamples; a node tries `mtry` features and takes the cut with the largest log-rank statistic between its
//! daughters. A leaf keeps the Nelson-Aalen hazard and the Kaplan-Meier curve of its rows; the ensemble is their mean over the
//! trees, on the grid of all event times. Ishwaran et al., Ann Appl Stat 2008;2:841. Conventions of R randomForestSRC:
//! `node_size` is half the rows that a node needs to be split, a leaf may be smaller; a threshold is a data value.
//!
//! Tree `k` draws from its own random stream (seed, k) and sums run in the order of the trees, so that a forest is the same,
//! bit for bit, for any number of threads.

mod arrange;
mod block;
pub mod competing;
mod drawn;
mod grow;
mod importance;
mod lanes;
mod node_table;
mod predict;
mod sample;
mod split;
mod training;
mod tree;

use ndarray::ArrayView2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::concordance::{ConcordanceOptions, concordance};
use crate::error::SurvivalError;

use grow::{Grower, OneCause};
pub use predict::OobEnsemble;
use sample::{in_bag, sees_all};
use training::Training;
pub(crate) use training::check_covariates;
pub use tree::{Node, Tree};

/// The statistic that a split maximises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Splitting {
    /// Log-rank statistic `|U| / sqrt(V)` with the hypergeometric variance.
    #[default]
    Logrank,
    /// Standardised log-rank scores. Hothorn & Lausen, Comput Stat Data Anal 2003;43:121.
    LogrankScore,
    /// Conservation of events: the smallest deviation of the cumulative hazard from the events. O(rows) per cut.
    Conserve,
}

/// How the rows of a tree are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bootstrap {
    /// `sample_fraction` (0.632) of the rows, each at most once. randomForestSRC's default.
    #[default]
    WithoutReplacement,
    /// `sample_fraction` (1) times the rows, with replacement.
    WithReplacement,
    /// Every row in every tree: nothing is out of bag.
    None,
}

/// What a threshold between two neighbouring values is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// The largest value on the left (randomForestSRC).
    #[default]
    DataValue,
    /// The middle of the two values (scikit-survival, ranger).
    Midpoint,
}

/// Options of a forest; the defaults are those of randomForestSRC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RsfOptions {
    pub trees: usize,
    /// Features tried in a node; the square root of their number, rounded up, when absent.
    pub mtry: Option<usize>,
    /// A node is split if it has at least twice this many rows.
    pub node_size: usize,
    /// Rows that each daughter must keep at least.
    pub min_leaf: usize,
    /// Splits between the root and a leaf; no limit when absent.
    pub max_depth: Option<usize>,
    pub splitting: Splitting,
    /// Cuts tried per feature, drawn at random from its distinct values in the node; 0 tries all of them.
    pub n_split: usize,
    pub bootstrap: Bootstrap,
    /// Rows drawn per tree as a fraction; 0.632 without and 1 with replacement when absent.
    pub sample_fraction: Option<f64>,
    pub threshold: Threshold,
    /// Whether a node whose events no tried cut separates is split all the same, at the first cut (randomForestSRC), or becomes
    /// a leaf (scikit-survival).
    pub split_without_gain: bool,
    pub seed: u64,
    /// Whether to compute the permutation importance of each feature.
    pub importance: bool,
}

impl Default for RsfOptions {
    fn default() -> Self {
        Self {
            trees: 500,
            mtry: None,
            node_size: 15,
            min_leaf: 1,
            max_depth: None,
            splitting: Splitting::Logrank,
            n_split: 10,
            bootstrap: Bootstrap::WithoutReplacement,
            sample_fraction: None,
            threshold: Threshold::DataValue,
            split_without_gain: true,
            seed: 1,
            importance: false,
        }
    }
}

impl RsfOptions {
    fn check(&self, features: usize) -> Result<(), SurvivalError> {
        let bad = |option, expected, found: String| Err(SurvivalError::BadOption { option, expected, found });
        if self.trees == 0 {
            return bad("trees", "a whole number of at least 1", self.trees.to_string());
        }
        if let Some(mtry) = self.mtry
            && (mtry == 0 || mtry > features)
        {
            return bad("mtry", "a whole number from 1 to the number of features", mtry.to_string());
        }
        if self.node_size == 0 {
            return bad("node_size", "a whole number of at least 1", self.node_size.to_string());
        }
        if self.min_leaf == 0 {
            return bad("min_leaf", "a whole number of at least 1", self.min_leaf.to_string());
        }
        if let Some(fraction) = self.sample_fraction
            && !(fraction > 0.0 && fraction <= 1.0)
        {
            return bad("sample_fraction", "a number above 0, at most 1", fraction.to_string());
        }
        Ok(())
    }

    /// Importance is of the rows out of bag: there must be some.
    fn check_bags(&self, rows: usize) -> Result<(), SurvivalError> {
        if self.importance && sees_all(self, rows) { Err(SurvivalError::NothingOutOfBag) } else { Ok(()) }
    }

    fn mtry_of(&self, features: usize) -> usize {
        self.mtry.unwrap_or_else(|| (features as f64).sqrt().ceil() as usize).clamp(1, features)
    }
}

/// A fitted forest. It holds no training covariates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forest {
    pub options: RsfOptions,
    /// Rows, events and features of the training data.
    pub rows: usize,
    pub events: usize,
    pub features: usize,
    /// The distinct event times of the training data: the grid of every curve.
    pub event_times: Vec<f64>,
    pub trees: Vec<Tree>,
    /// Ensemble mortality of each training row over the trees that did not see it; `None` for a row that all trees saw.
    pub oob_mortality: Vec<Option<f64>>,
    /// Harrell's C of the out-of-bag mortality.
    pub oob_c_index: Option<f64>,
    /// Fall of the out-of-bag C when the feature is permuted, where asked for; NaN without an out-of-bag C.
    pub importance: Option<Vec<f64>>,
    /// What the user should know about this fit.
    pub warnings: Vec<String>,
}

/// Fits a forest to `x` (rows x features).
///
/// # Errors
/// Outcomes that [`crate::outcome::Outcome::new`] refuses, no events, a single row, covariates that are missing, not
/// finite or all constant, options out of range, and importance asked for where every tree sees all rows.
pub fn fit(time: &[f64], event: &[bool], x: ArrayView2<f64>, options: &RsfOptions) -> Result<Forest, SurvivalError> {
    fit_with(time, event, x, options, &|| true)
}

/// [`fit`], calling `proceed` after each tree, on any thread: progress is its count, and false stops the fit.
///
/// # Errors
/// Those of [`fit`], and [`SurvivalError::Cancelled`].
pub fn fit_with(
    time: &[f64],
    event: &[bool],
    x: ArrayView2<f64>,
    options: &RsfOptions,
    proceed: &(dyn Fn() -> bool + Sync),
) -> Result<Forest, SurvivalError> {
    options.check(x.ncols())?;
    let training = Training::new(time, event, x, options)?;
    options.check_bags(training.rows)?;
    let trees: Vec<Tree> = (0..options.trees)
        .into_par_iter()
        .map_init(
            || Grower::new(&training, options, OneCause::default()),
            |grower, index| {
                let tree = grower.grow(index);
                if proceed() { Ok(tree) } else { Err(SurvivalError::Cancelled) }
            },
        )
        .collect::<Result<_, _>>()?;
    let mut forest = Forest {
        options: options.clone(),
        rows: training.rows,
        events: training.whole.outcome.iter().filter(|&&outcome| outcome & 1 == 1).count(),
        features: training.features,
        event_times: training.event_times.clone(),
        trees,
        oob_mortality: Vec::new(),
        oob_c_index: None,
        importance: None,
        warnings: Vec::new(),
    };
    if forest.trees.iter().all(|tree| tree.leaves() == 1) {
        forest.warnings.push(no_split(options));
    }
    let bags = forest.bags();
    let sums = forest.oob_sums(x, &bags);
    forest.oob_mortality = sums.iter().map(|&(sum, trees)| (trees > 0).then(|| sum / f64::from(trees))).collect();
    forest.oob_c_index = oob_c_index(time, event, &forest.oob_mortality);
    if options.importance {
        let trees: Vec<&Tree> = forest.trees.iter().collect();
        let falls = importance::falls(
            &trees,
            |tree, leaf| trees[tree].leaf_mortality(leaf),
            x,
            (&bags, &sums, options.seed),
            |mortality| oob_c_index(time, event, mortality),
        );
        forest.importance = Some(falls);
    }
    Ok(forest)
}

impl Forest {
    /// For each tree, the training rows that it did not see, ascending.
    pub fn bags(&self) -> Bags {
        Bags::of(&self.options, self.rows)
    }

    /// Mean over the trees of each feature's minimal depth: the number of splits above its first split, the depth of the tree
    /// where it has none. Small values mark features that split many rows. Ishwaran et al., JASA 2010;105:205.
    pub fn minimal_depth(&self) -> Vec<f64> {
        minimal_depth(self.trees.iter(), self.features)
    }

    /// Mean number of leaves of a tree.
    pub fn mean_leaves(&self) -> f64 {
        self.trees.iter().map(|tree| tree.leaves() as f64).sum::<f64>() / self.trees.len() as f64
    }
}

fn minimal_depth<'a>(trees: impl ExactSizeIterator<Item = &'a Tree>, features: usize) -> Vec<f64> {
    let (count, mut sums) = (trees.len() as f64, vec![0.0; features]);
    for tree in trees {
        for (sum, depth) in sums.iter_mut().zip(tree.minimal_depth(features)) {
            *sum += f64::from(depth);
        }
    }
    sums.iter().map(|sum| sum / count).collect()
}

/// The warning of a forest without splits.
fn no_split(options: &RsfOptions) -> String {
    format!(
        "no tree has a split: a node is split if it has at least 2 x node_size = {} rows and an event; lower node_size",
        2 * options.node_size
    )
}

/// The rows out of each tree's bag.
#[derive(Debug, Clone)]
pub struct Bags {
    pub(crate) out: Vec<Vec<u32>>,
}

impl Bags {
    /// For each tree, the training rows that it did not see, ascending.
    pub fn out_of_bag(&self) -> &[Vec<u32>] {
        &self.out
    }

    fn of(options: &RsfOptions, rows: usize) -> Self {
        let unseen = |tree| {
            let counts = in_bag(options, rows, tree).1;
            (0..rows as u32).filter(|&row| counts[row as usize] == 0).collect()
        };
        Self { out: (0..options.trees).into_par_iter().map(unseen).collect() }
    }
}

/// Harrell's C over the rows with an out-of-bag value.
fn oob_c_index(time: &[f64], event: &[bool], mortality: &[Option<f64>]) -> Option<f64> {
    let rows: Vec<usize> = (0..mortality.len()).filter(|&i| mortality[i].is_some()).collect();
    let time: Vec<f64> = rows.iter().map(|&i| time[i]).collect();
    let event: Vec<bool> = rows.iter().map(|&i| event[i]).collect();
    let risk: Vec<f64> = mortality.iter().flatten().copied().collect();
    let options = ConcordanceOptions { std_err: false, ..Default::default() };
    concordance(&time, &event, &risk, None, &options).ok().map(|c| c.c_index)
}
