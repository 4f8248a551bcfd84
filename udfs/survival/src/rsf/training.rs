//! Training data as the trees want it: rows by time, features as ranks. Made once, shared by all trees.

use ndarray::ArrayView2;
use rayon::prelude::*;

use crate::error::SurvivalError;
use crate::outcome::{Outcome, check_rows};

pub(super) struct Training {
    pub rows: usize,
    pub features: usize,
    /// Input row of each position; positions ascend in time.
    pub row: Vec<u32>,
    /// Distinct time of each position, numbered from 0.
    pub time_index: Vec<u32>,
    /// Event of each position.
    pub event: Vec<bool>,
    /// Both in one word, read together: the time times 2, and 1 for an event.
    pub outcome: Vec<u32>,
    /// The distinct times with an event.
    pub event_times: Vec<f64>,
    /// For each distinct time, its number among `event_times` (meaningless for a time without events).
    pub event_index: Vec<u32>,
    pub feature: Vec<Feature>,
}

pub(super) struct Feature {
    /// Rank of the value at each position, equal values sharing one.
    pub rank: Vec<u32>,
    /// The distinct values, ascending.
    pub values: Vec<f64>,
}

impl Training {
    pub fn new(time: &[f64], event: &[bool], x: ArrayView2<f64>) -> Result<Self, SurvivalError> {
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
        let feature: Vec<Feature> = (0..x.ncols())
            .into_par_iter()
            .map(|j| {
                let column = x.column(j);
                let mut sorted: Vec<(f64, u32)> =
                    outcome.order().iter().enumerate().map(|(i, &row)| (column[row as usize], i as u32)).collect();
                sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
                let (mut rank, mut values) = (vec![0; sorted.len()], Vec::<f64>::new());
                for (value, position) in sorted {
                    // -0 and 0 compare equal here and share a rank.
                    if values.last() != Some(&value) {
                        values.push(value);
                    }
                    rank[position as usize] = values.len() as u32 - 1;
                }
                Feature { rank, values }
            })
            .collect();
        if feature.iter().all(|f| f.values.len() < 2) {
            return Err(SurvivalError::ConstantFeatures { features: feature.len() });
        }
        let both = time_index.iter().zip(outcome.event()).map(|(&time, &event): (&u32, &bool)| time << 1 | u32::from(event)).collect();
        Ok(Self {
            rows: outcome.len(),
            features: feature.len(),
            row: outcome.order().to_vec(),
            time_index,
            event: outcome.event().to_vec(),
            outcome: both,
            event_times,
            event_index,
            feature,
        })
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
