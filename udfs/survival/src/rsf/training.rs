//! Training data as the trees want it: rows by time, features as ranks. Made once, shared by all trees.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::RsfOptions;
use super::block::{Block, Ranks};
use crate::ascending::ascending;
use crate::error::SurvivalError;
use crate::outcome::{Outcome, check_rows};

pub(super) struct Training {
    pub rows: usize,
    pub features: usize,
    /// Input row of each position; positions ascend in time.
    pub row: Vec<u32>,
    /// The distinct times with an event.
    pub event_times: Vec<f64>,
    /// For each distinct time, its number among `event_times` (meaningless for a time without events).
    pub event_index: Vec<u32>,
    /// The distinct values of each feature, ascending.
    pub values: Vec<Vec<f64>>,
    /// All rows, by position.
    pub whole: Block,
}

/// A feature as the nodes of a block read it.
#[derive(Clone, Copy)]
pub(super) struct Feature<'a> {
    /// Rank of the value in each row of the block.
    pub ranks: Ranks<'a>,
    /// The distinct values of the whole training data, ascending.
    pub values: &'a [f64],
}

impl Training {
    pub fn new(time: &[f64], event: &[bool], x: ArrayView2<f64>, options: &RsfOptions) -> Result<Self, SurvivalError> {
        let outcome = Outcome::new(time, event)?;
        check_rows("x", time.len(), x.nrows())?;
        check_covariates(x)?;
        if outcome.len() < 2 {
            return Err(SurvivalError::TooFewRows { rows: outcome.len(), needed: 2 });
        }
        if outcome.events() == 0 {
            return Err(SurvivalError::NoEvents { rows: outcome.len() });
        }
        let blocks = outcome.distinct_times().len();
        let (mut time_index, mut event_times) = (vec![0; outcome.len()], Vec::new());
        let mut event_index = vec![0; blocks];
        for block in 0..blocks {
            time_index[outcome.block(block)].fill(block as u32);
            event_index[block] = event_times.len() as u32;
            if outcome.block(block).any(|i| outcome.event()[i]) {
                event_times.push(outcome.distinct_times()[block]);
            }
        }
        let mut position = vec![0; outcome.len()];
        outcome.order().iter().zip(0u32..).for_each(|(&row, at)| position[row as usize] = at);
        let (columns, values): (Vec<_>, Vec<_>) = (0..x.ncols())
            .into_par_iter()
            .map(|j| {
                // Read once and in the order of the input: most of it is not in the cache.
                let column = x.column(j).to_vec();
                let sorted = ascending(column.iter().copied());
                let (mut rank, mut values) = (vec![0; sorted.len()], Vec::<f64>::new());
                for (value, row) in sorted {
                    // -0 and 0 compare equal here and share a rank.
                    if values.last() != Some(&value) {
                        values.push(value);
                    }
                    rank[position[row as usize] as usize] = values.len() as u32 - 1;
                }
                (rank, values)
            })
            .unzip();
        if values.iter().all(|v: &Vec<f64>| v.len() < 2) {
            return Err(SurvivalError::ConstantFeatures { features: values.len() });
        }
        let both = time_index.iter().zip(outcome.event()).map(|(&time, &event): (&u32, &bool)| time << 1 | u32::from(event)).collect();
        Ok(Self {
            rows: outcome.len(),
            features: values.len(),
            row: outcome.order().to_vec(),
            event_times,
            event_index,
            values,
            whole: Block::whole(both, &columns, options.mtry_of(columns.len())),
        })
    }

    /// A feature in a block of these data.
    pub fn feature<'a>(&'a self, block: &'a Block, feature: u32) -> Feature<'a> {
        Feature { ranks: block.ranks(feature), values: &self.values[feature as usize] }
    }
}

/// At least one feature, every value finite.
pub(crate) fn check_covariates(x: ArrayView2<f64>) -> Result<(), SurvivalError> {
    if x.ncols() == 0 {
        return Err(SurvivalError::NoColumns);
    }
    match x.indexed_iter().find(|(_, value)| !value.is_finite()) {
        None => Ok(()),
        Some(((row, feature), &value)) => Err(SurvivalError::NotFinite { what: format!("x, feature {},", feature + 1), row, value }),
    }
}
