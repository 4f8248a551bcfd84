//! Test of proportional hazards.

use serde::{Deserialize, Serialize};

use super::fit::DEPENDENT;
use super::likelihood::evaluate;
use super::problem::Problem;
use super::{CoxData, CoxFit, Ties};
use crate::error::SurvivalError;
use crate::ldl::Ldl;
use crate::outcome::Outcome;
use crate::special::chi_square_tail;

/// The function of time that the effects may change with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ZphTransform {
    /// 1 - Kaplan-Meier just before the time, R's default.
    #[default]
    KaplanMeier,
    Rank,
    Identity,
    Log,
}

/// One test; a small p speaks against proportional hazards.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ZphRow {
    pub chi_square: f64,
    pub df: usize,
    pub p: f64,
}

impl CoxFit {
    /// Score tests of adding x g(t) for each column of x, then for all together (the last row). NaN for an aliased column, and where
    /// all events are at one time.
    ///
    /// Agrees with R `cox.zph` of survival >= 3, not with the older correlation test. `data` is what the model was fitted to.
    ///
    /// # Errors
    /// Those of [`CoxFit::residuals`], exact ties, and a time of 0 with the logarithm.
    pub fn zph(&self, data: &CoxData, transform: ZphTransform) -> Result<Vec<ZphRow>, SurvivalError> {
        if self.ties == Ties::Exact {
            return Err(SurvivalError::BadOption { option: "ties", expected: "'efron' or 'breslow'", found: "'exact'".into() });
        }
        let problem = Problem::new(data)?;
        let beta = self.scaled_coef(&problem)?;
        let p = problem.p;
        let g = transformed(&problem, data, transform)?;
        let squared: Vec<f64> = g.iter().map(|g| g * g).collect();
        let efron = self.ties == Ties::Efron;
        let plain = evaluate(&problem, &beta, efron, None).information;
        let once = evaluate(&problem, &beta, efron, Some(&g));
        let twice = evaluate(&problem, &beta, efron, Some(&squared)).information;

        // Information of (coefficients, coefficients of x g), and its part that keeps the listed ones of the latter.
        let test = |kept: &[usize]| {
            let size = p + kept.len();
            let mut matrix = vec![0.0; size * size];
            let mut score = vec![0.0; size];
            for i in 0..size {
                for j in 0..size {
                    matrix[i * size + j] = match (i < p, j < p) {
                        (true, true) => plain[i * p + j],
                        (true, false) => once.information[i * p + kept[j - p]],
                        (false, true) => once.information[kept[i - p] * p + j],
                        (false, false) => twice[kept[i - p] * p + kept[j - p]],
                    };
                }
            }
            kept.iter().enumerate().for_each(|(k, &j)| score[p + k] = once.gradient[j]);
            let chi_square = Ldl::new(&matrix, size, DEPENDENT, None).quadratic(&score);
            ZphRow { chi_square, df: kept.len(), p: chi_square_tail(chi_square, kept.len() as f64) }
        };
        // Events at one time alone say nothing about a change with time.
        let changes = g.iter().any(|&g| g != 0.0);
        let estimated: Vec<usize> = (0..p).filter(|&j| changes && !self.coef[j].is_nan()).collect();
        let missing = ZphRow { chi_square: f64::NAN, df: 0, p: f64::NAN };
        let mut rows: Vec<ZphRow> = (0..p).map(|j| if estimated.contains(&j) { test(&[j]) } else { missing }).collect();
        rows.push(if estimated.is_empty() { missing } else { test(&estimated) });
        Ok(rows)
    }
}

/// g at each block, centred over the events and scaled to 1, neither of which changes the tests.
fn transformed(problem: &Problem, data: &CoxData, transform: ZphTransform) -> Result<Vec<f64>, SurvivalError> {
    let outcome = Outcome::new(data.time, data.event)?;
    // The value at each distinct time of all strata together.
    let values: Vec<f64> = match transform {
        ZphTransform::Identity => outcome.distinct_times().to_vec(),
        ZphTransform::Log => outcome.distinct_times().iter().map(|t| t.ln()).collect(),
        ZphTransform::Rank => {
            (0..outcome.distinct_times().len()).map(|b| (outcome.block(b).start + outcome.block(b).end + 1) as f64 / 2.0).collect()
        }
        ZphTransform::KaplanMeier => {
            let mut survival = 1.0;
            outcome
                .table(None)
                .iter()
                .map(|row| {
                    let before = survival;
                    survival *= 1.0 - row.events / row.at_risk;
                    1.0 - before
                })
                .collect()
        }
    };
    let blocks = &problem.sets.blocks;
    let at = |time: f64| values[outcome.distinct_times().partition_point(|&u| u < time)];
    let mut g: Vec<f64> = blocks.iter().map(|b| if b.events > 0 { at(b.time) } else { 0.0 }).collect();
    if g.iter().any(|v| !v.is_finite()) {
        return Err(SurvivalError::BadTimes { reason: "an event at time 0 has no logarithm: choose another transform" });
    }
    let mean = g.iter().zip(blocks).map(|(g, b)| g * b.events as f64).sum::<f64>() / problem.sets.events as f64;
    g.iter_mut().zip(blocks).for_each(|(g, b)| *g = if b.events > 0 { *g - mean } else { 0.0 });
    let largest = g.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    if largest > 0.0 {
        g.iter_mut().for_each(|g| *g /= largest);
    }
    Ok(g)
}
