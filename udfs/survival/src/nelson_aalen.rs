//! The Nelson-Aalen cumulative hazard: `H(t) = sum_{u <= t} d / n`, variance `sum d / n^2`.
//!
//! Agrees with R `survfit(...)$cumhaz`. With [`TieCorrection::FlemingHarrington`] the d events of one time count as if
//! they came one after the other: `sum_{k < d} 1 / (n - k)` (R's `ctype = 2`).
//! Aalen, Ann Stat 1978;6:701. Fleming & Harrington, Commun Stat 1984;13:2469.

use serde::{Deserialize, Serialize};

use crate::error::SurvivalError;
use crate::km::confidence_z;
use crate::outcome::{Outcome, step_at};

/// How events at one time share the risk set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TieCorrection {
    /// All d events see the whole risk set.
    #[default]
    None,
    FlemingHarrington,
}

/// Cumulative hazard at each distinct time, events or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NelsonAalen {
    pub time: Vec<f64>,
    pub n_risk: Vec<usize>,
    pub n_event: Vec<usize>,
    pub cumulative_hazard: Vec<f64>,
    pub std_err: Vec<f64>,
    /// Limits symmetric for log H; both 0 while H is 0.
    pub lower: Vec<f64>,
    pub upper: Vec<f64>,
}

/// # Errors
/// Those of [`Outcome::new`], and a level outside (0, 1).
pub fn nelson_aalen(time: &[f64], event: &[bool], level: f64, ties: TieCorrection) -> Result<NelsonAalen, SurvivalError> {
    let outcome = Outcome::new(time, event)?;
    let z = confidence_z(level)?;
    let table = outcome.table(None);
    let (mut hazard, mut variance) = (0.0, 0.0);
    let mut fit = NelsonAalen {
        time: outcome.distinct_times().to_vec(),
        n_risk: table.iter().map(|row| row.at_risk as usize).collect(),
        n_event: table.iter().map(|row| row.events as usize).collect(),
        cumulative_hazard: Vec::with_capacity(table.len()),
        std_err: Vec::with_capacity(table.len()),
        lower: Vec::with_capacity(table.len()),
        upper: Vec::with_capacity(table.len()),
    };
    for row in &table {
        match ties {
            TieCorrection::None => {
                hazard += row.events / row.at_risk;
                variance += row.events / (row.at_risk * row.at_risk);
            }
            TieCorrection::FlemingHarrington => {
                for k in 0..row.events as usize {
                    let at_risk = row.at_risk - k as f64;
                    hazard += 1.0 / at_risk;
                    variance += 1.0 / (at_risk * at_risk);
                }
            }
        }
        let std_err = f64::sqrt(variance);
        let factor = if hazard > 0.0 { f64::exp(z * std_err / hazard) } else { 1.0 };
        fit.cumulative_hazard.push(hazard);
        fit.std_err.push(std_err);
        fit.lower.push(hazard / factor);
        fit.upper.push(hazard * factor);
    }
    Ok(fit)
}

impl NelsonAalen {
    /// H(t): 0 before the first time, the last value beyond the last.
    pub fn cumulative_hazard_at(&self, t: f64) -> f64 {
        step_at(&self.time, &self.cumulative_hazard, 0.0, t)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tie_correction_adds_one_event_at_a_time() {
        let (time, event) = ([1.0, 1.0, 2.0], [true, true, false]);
        let plain = nelson_aalen(&time, &event, 0.95, TieCorrection::None).unwrap();
        let corrected = nelson_aalen(&time, &event, 0.95, TieCorrection::FlemingHarrington).unwrap();
        assert_eq!(plain.cumulative_hazard, [2.0 / 3.0; 2]);
        assert_eq!(corrected.cumulative_hazard, [1.0 / 3.0 + 1.0 / 2.0; 2]);
        assert_eq!(plain.cumulative_hazard_at(0.5), 0.0);
    }
}
