//! How a network is trained.

use super::{Adam, checkpoint};
use crate::error::{Error, Result};
use crate::loss::Loss;
use std::path::PathBuf;

/// Options of [`fit`](super::fit).
#[derive(Debug, Clone, PartialEq)]
pub struct FitOptions {
    /// Passes over the training rows at most.
    pub epochs: usize,
    /// Rows of one step; the risk sets of the Cox loss are inside it.
    pub batch: usize,
    /// Rows held in memory at a time: a step adds up the gradients of its parts, and the loss is still the whole batch's.
    pub part: usize,
    pub adam: Adam,
    /// Mirror each image at random, left-right and up-down, each with probability 1/2.
    pub flip: bool,
    pub loss: Loss,
    /// Share of the rows held out for early stopping, 0 for none.
    pub validation: f64,
    /// Epochs without a better validation loss before training stops.
    pub patience: usize,
    pub seed: u64,
    /// A file to write after each epoch and to go on from; removed when training ends. In a folder that exists it is a file of this
    /// training's own, named by its data and options.
    pub checkpoint: Option<PathBuf>,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            epochs: 30,
            batch: 32,
            part: 32,
            adam: Adam::default(),
            flip: true,
            loss: Loss::Cox,
            validation: 0.2,
            patience: 10,
            seed: 0,
            checkpoint: None,
        }
    }
}

impl FitOptions {
    /// Refuses a checkpoint whose folder does not exist: the first epoch would be lost.
    pub fn check_place(&self) -> Result<()> {
        self.checkpoint.as_ref().map_or(Ok(()), |path| checkpoint::check_place(path))
    }

    /// Refuses values out of range.
    pub fn check(&self) -> Result<()> {
        let rule = |ok: bool, name: &'static str, problem: &str| {
            if ok { Ok(()) } else { Err(Error::Option { name, problem: problem.into() }) }
        };
        rule(self.epochs >= 1, "epochs", "must be at least 1")?;
        rule(self.batch >= 2, "batch", "must be at least 2: the Cox loss compares the rows of a batch")?;
        rule(self.part >= 1, "part", "must be at least 1")?;
        rule(self.adam.lr > 0.0 && self.adam.lr.is_finite(), "lr", "must be positive")?;
        rule((0.0..1.0).contains(&self.adam.beta1), "beta1", "must be at least 0 and below 1")?;
        rule((0.0..1.0).contains(&self.adam.beta2), "beta2", "must be at least 0 and below 1")?;
        rule(self.adam.epsilon > 0.0, "epsilon", "must be positive")?;
        rule((0.0..=0.9).contains(&self.validation), "validation", "must be a share between 0 and 0.9")?;
        rule(self.patience >= 1, "patience", "must be at least 1")?;
        match self.loss {
            Loss::Binary { horizon } => rule(horizon > 0.0 && horizon.is_finite(), "horizon", "must be positive"),
            Loss::Cox => Ok(()),
        }
    }
}
