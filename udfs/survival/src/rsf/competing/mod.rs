//! Random survival forests with competing risks.
//!
//! A leaf keeps the Aalen-Johansen incidence of each cause; the ensemble is its mean over the trees. Causes are split for together:
//! a cut's statistic is `|sum_k w_k U_k| / sqrt(sum_k w_k^2 V_k)`, with U_k and V_k those of a log-rank test of cause k.
//! Ishwaran et al., Biostatistics 2014;15:757; R randomForestSRC, whose `predicted` is called years lost here.

mod predict;
mod rule;
mod tree;

use ndarray::ArrayView2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::concordance::{ConcordanceOptions, concordance};
use crate::error::SurvivalError;
use crate::outcome::check_rows;

use super::grow::Grower;
use super::training::Training;
use super::{Bags, RsfOptions};
use rule::AllCauses;
pub use tree::CompetingTree;

/// Whom a cause's log-rank test counts as at risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompetingSplitting {
    /// Gray's test, for incidences: who had an event of another cause stays at risk (randomForestSRC's `logrankCR`). Where the
    /// censoring of such a row is unknown, it is taken to be after the last event.
    #[default]
    Gray,
    /// The cause-specific log-rank test, for hazards: who had any event is gone (randomForestSRC's `logrank`).
    Logrank,
}

/// Options of a forest with competing risks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompetingOptions {
    /// Those of an ordinary forest; its `splitting` is not looked at.
    pub forest: RsfOptions,
    pub splitting: CompetingSplitting,
    /// Weight of each cause in the splits, by ascending code; all equal when absent.
    pub cause_weights: Option<Vec<f64>>,
}

impl Default for CompetingOptions {
    fn default() -> Self {
        Self { forest: RsfOptions::default(), splitting: CompetingSplitting::Gray, cause_weights: None }
    }
}

/// A fitted forest. Vectors of causes are in the order of `causes`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompetingForest {
    pub options: CompetingOptions,
    pub rows: usize,
    pub features: usize,
    /// Codes of the causes, ascending.
    pub causes: Vec<u32>,
    /// Rows with an event of each cause.
    pub events: Vec<usize>,
    /// The distinct times with an event of any cause.
    pub event_times: Vec<f64>,
    pub trees: Vec<CompetingTree>,
    /// Per cause, the ensemble years lost of each training row over the trees that did not see it; `None` for a row that all saw.
    pub oob_years_lost: Vec<Vec<Option<f64>>>,
    /// Per cause, the concordance of the out-of-bag years lost ([`cause_c_index`]).
    pub oob_c_index: Vec<Option<f64>>,
    /// Per cause and feature, the fall of that concordance when the feature is permuted, where asked for; NaN for a cause without one.
    pub importance: Option<Vec<Vec<f64>>>,
    pub warnings: Vec<String>,
}

/// Fits a forest to `x` (rows x features). `cause` is 0 for a censored row, else the code of its cause.
///
/// # Errors
/// Those of [`super::fit`], and cause weights of another number than the causes, negative, not finite or all 0.
pub fn fit(time: &[f64], cause: &[u32], x: ArrayView2<f64>, options: &CompetingOptions) -> Result<CompetingForest, SurvivalError> {
    options.forest.check(x.ncols())?;
    check_rows("cause", time.len(), cause.len())?;
    let event: Vec<bool> = cause.iter().map(|&c| c > 0).collect();
    let training = Training::new(time, &event, x, &options.forest).map_err(|error| match error {
        SurvivalError::NoEvents { rows } => SurvivalError::NoCauses { rows },
        other => other,
    })?;
    options.forest.check_bags(training.rows)?;
    let mut causes: Vec<u32> = cause.iter().copied().filter(|&c| c > 0).collect();
    causes.sort_unstable();
    causes.dedup();
    let weights = weights(options, &causes)?;
    // Numbered from 1, by position; 0 stays censored.
    let number = |code: u32| causes.binary_search(&code).map_or(0, |k| k as u32 + 1);
    let numbers: Vec<u32> = training.row.iter().map(|&row| number(cause[row as usize])).collect();
    let trees: Vec<CompetingTree> = (0..options.forest.trees)
        .into_par_iter()
        .map_init(
            || Grower::new(&training, &options.forest, AllCauses::new(&numbers, &weights, options.splitting)),
            |grower, index| {
                let shape = grower.grow(index);
                CompetingTree::new(shape, grower.rule.take_deaths(), causes.len(), &training.event_times)
            },
        )
        .collect();
    let mut forest = CompetingForest {
        options: options.clone(),
        rows: training.rows,
        features: training.features,
        events: (1..=causes.len() as u32).map(|k| numbers.iter().filter(|&&n| n == k).count()).collect(),
        causes,
        event_times: training.event_times.clone(),
        trees,
        oob_years_lost: Vec::new(),
        oob_c_index: Vec::new(),
        importance: None,
        warnings: Vec::new(),
    };
    if forest.trees.iter().all(|tree| tree.shape().leaves() == 1) {
        forest.warnings.push(super::no_split(&options.forest));
    }
    let bags = Bags::of(&options.forest, forest.rows);
    let sums: Vec<Vec<(f64, u32)>> = (0..forest.causes.len()).map(|k| forest.oob_sums(x, &bags, k)).collect();
    let means = |sums: &[(f64, u32)]| sums.iter().map(|&(sum, trees)| (trees > 0).then(|| sum / f64::from(trees))).collect();
    forest.oob_years_lost = sums.iter().map(|sums| means(sums)).collect();
    forest.oob_c_index =
        (0..forest.causes.len()).map(|k| cause_c_index(time, cause, forest.causes[k], &forest.oob_years_lost[k])).collect();
    if options.forest.importance {
        let of_cause = |k: usize| {
            let trees: Vec<_> = forest.trees.iter().map(CompetingTree::shape).collect();
            super::importance::falls(
                &trees,
                |tree, leaf| forest.trees[tree].years_lost(leaf, k),
                x,
                (&bags, &sums[k], options.forest.seed),
                |risk| cause_c_index(time, cause, forest.causes[k], risk),
            )
        };
        forest.importance = Some((0..forest.causes.len()).map(of_cause).collect());
    }
    Ok(forest)
}

fn weights(options: &CompetingOptions, causes: &[u32]) -> Result<Vec<f64>, SurvivalError> {
    let Some(weights) = &options.cause_weights else { return Ok(vec![1.0; causes.len()]) };
    let usable = weights.iter().all(|&w| w >= 0.0 && w.is_finite()) && weights.iter().any(|&w| w > 0.0);
    if !usable || weights.len() != causes.len() {
        let codes = causes.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
        return Err(SurvivalError::BadOption {
            option: "cause_weights",
            expected: "one number per cause, none negative and not all 0",
            found: format!("{weights:?} (causes: {codes})"),
        });
    }
    Ok(weights.clone())
}

/// Concordance of a score for one cause over the rows that have one: pairs in which the row with the earlier event of this cause has
/// the higher score. A row with an event of another cause never has this one: it outlives all others. Wolbers et al., Epidemiology
/// 2009;20:555. `None` without a comparable pair.
pub fn cause_c_index(time: &[f64], cause: &[u32], of: u32, score: &[Option<f64>]) -> Option<f64> {
    let beyond = 1.0 + 2.0 * time.iter().copied().fold(0.0, f64::max);
    let rows: Vec<usize> = (0..score.len()).filter(|&i| score[i].is_some()).collect();
    let until: Vec<f64> = rows.iter().map(|&i| if cause[i] == 0 || cause[i] == of { time[i] } else { beyond }).collect();
    let event: Vec<bool> = rows.iter().map(|&i| cause[i] == of).collect();
    let score: Vec<f64> = score.iter().flatten().copied().collect();
    let options = ConcordanceOptions { std_err: false, ..Default::default() };
    concordance(&until, &event, &score, None, &options).ok().map(|c| c.c_index)
}
