//! The censoring distribution for inverse probability weights.
//!
//! `G(t) = prod_{c <= t} (1 - c / (n - d))`: at a tied time the events leave before the censorings, as in R
//! `prodlim(reverse = TRUE)` and scikit-survival. A plain Kaplan-Meier curve with the indicator turned keeps the events
//! at risk and differs wherever events and censorings share a time.

use serde::{Deserialize, Serialize};

use crate::error::SurvivalError;
use crate::outcome::{Outcome, step_at, step_before};

/// Where a right-continuous curve is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// At t (scikit-survival).
    #[default]
    At,
    /// Just before t (R survival, pec, riskRegression, and the papers).
    Before,
}

/// Kaplan-Meier curve of the censoring times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Censoring {
    /// Distinct times, ascending.
    pub time: Vec<f64>,
    /// Probability of being uncensored from each time on.
    pub survival: Vec<f64>,
}

impl Censoring {
    /// # Errors
    /// Those of [`Outcome::new`].
    pub fn fit(time: &[f64], event: &[bool]) -> Result<Self, SurvivalError> {
        Ok(Self::of(&Outcome::new(time, event)?, None))
    }

    /// The curve of `outcome`, rows weighted (by ascending time).
    pub(crate) fn of(outcome: &Outcome, weights: Option<&[f64]>) -> Self {
        let mut g = 1.0;
        let survival = outcome
            .table(weights)
            .iter()
            .map(|row| {
                let at_risk = row.at_risk - row.events;
                if row.censored > 0.0 && at_risk > 0.0 {
                    g *= 1.0 - row.censored / at_risk;
                }
                g
            })
            .collect();
        Self { time: outcome.distinct_times().to_vec(), survival }
    }

    /// G at `t`; 1 before the first time, and the last value beyond the last.
    pub fn probability(&self, t: f64, side: Side) -> f64 {
        match side {
            Side::At => step_at(&self.time, &self.survival, 1.0, t),
            Side::Before => step_before(&self.time, &self.survival, 1.0, t),
        }
    }
}
