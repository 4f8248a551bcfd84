//! Residuals and the robust variance.

use serde::{Deserialize, Serialize};

use super::likelihood::{risks, terms};
use super::problem::Problem;
use super::{CoxData, CoxFit, Ties};
use crate::error::SurvivalError;

/// Residuals of a fit on the rows that it was fitted to, without case weights, as R's `residuals.coxph` gives them. With exact
/// ties they are those of Breslow's likelihood at the exact coefficients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Residuals {
    /// Observed minus expected events, n.
    pub martingale: Vec<f64>,
    /// Martingale residuals made symmetric, n.
    pub deviance: Vec<f64>,
    /// n x p, row-major: each row's part of the score.
    pub score: Vec<f64>,
    /// n x p, row-major: by how much the coefficients change when the row is left out, approximately.
    pub dfbeta: Vec<f64>,
    /// The input rows of the events, by stratum and ascending time, that the next two belong to.
    pub event_rows: Vec<usize>,
    /// events x p, row-major: covariates minus their expectation over the risk set.
    pub schoenfeld: Vec<f64>,
    /// events x p, row-major: coefficient + events x variance x residual (Grambsch & Therneau, Biometrika 1994;81:515).
    pub scaled_schoenfeld: Vec<f64>,
}

impl CoxFit {
    /// # Errors
    /// Those of the data (see [`super::fit`]), and data of another shape than the fit's.
    pub fn residuals(&self, data: &CoxData) -> Result<Residuals, SurvivalError> {
        let problem = Problem::new(data)?;
        let beta = self.scaled_coef(&problem)?;
        let (sets, n, p) = (&problem.sets, problem.sets.len(), problem.p);
        let raw = compute(&problem, &beta, self.ties);
        let martingale = sets.restore(&raw.martingale);
        let deviance = martingale.iter().zip(data.event).map(|(&m, &e)| deviance(m, e)).collect();

        let (mut score, mut dfbeta) = (vec![0.0; n * p], vec![0.0; n * p]);
        for (i, &row) in sets.row.iter().enumerate() {
            let to = row as usize * p..(row as usize + 1) * p;
            let original = &mut score[to.clone()];
            (0..p).for_each(|j| original[j] = raw.score[i * p + j] * problem.scale[j]);
            times_matrix(&mut dfbeta[to.clone()], &score[to], &self.variance);
        }
        let effects: Vec<f64> = self.effects().collect();
        let (mut event_rows, mut schoenfeld, mut scaled_schoenfeld) = (vec![], vec![], vec![]);
        for stratum in &sets.strata {
            for block in sets.blocks[stratum.blocks.clone()].iter().rev() {
                for i in block.event_rows() {
                    event_rows.push(sets.row[i] as usize);
                    let residual: Vec<f64> = (0..p).map(|j| raw.schoenfeld[i * p + j] * problem.scale[j]).collect();
                    let mut scaled = vec![0.0; p];
                    times_matrix(&mut scaled, &residual, &self.variance);
                    scaled_schoenfeld.extend(scaled.iter().zip(&effects).map(|(s, b)| b + sets.events as f64 * s));
                    schoenfeld.extend(residual);
                }
            }
        }
        Ok(Residuals { martingale, deviance, score, dfbeta, event_rows, schoenfeld, scaled_schoenfeld })
    }

    /// The coefficients on the scaled columns of `problem`.
    pub(crate) fn scaled_coef(&self, problem: &Problem) -> Result<Vec<f64>, SurvivalError> {
        if problem.p != self.coef.len() {
            return Err(SurvivalError::ColumnMismatch { expected: self.coef.len(), found: problem.p });
        }
        if problem.sets.len() != self.n {
            return Err(SurvivalError::LengthMismatch { what: "x".into(), expected: self.n, found: problem.sets.len() });
        }
        Ok(self.effects().zip(&problem.scale).map(|(b, s)| b * s).collect())
    }
}

fn deviance(martingale: f64, event: bool) -> f64 {
    // d log(d - M) is 0 for a censored row.
    let log = if event { (1.0 - martingale).ln() } else { 0.0 };
    martingale.signum() * (-2.0 * (martingale + log)).max(0.0).sqrt()
}

fn times_matrix(to: &mut [f64], row: &[f64], matrix: &[f64]) {
    let p = row.len();
    for (j, to) in to.iter_mut().enumerate() {
        *to = (0..p).map(|k| row[k] * matrix[k * p + j]).sum();
    }
}

/// By position, on the scaled columns.
struct Raw {
    martingale: Vec<f64>,
    score: Vec<f64>,
    /// Zero for censored rows.
    schoenfeld: Vec<f64>,
}

fn compute(problem: &Problem, beta: &[f64], ties: Ties) -> Raw {
    let (sets, n, p) = (&problem.sets, problem.sets.len(), problem.p);
    let (_, risk, spans) = risks(problem, beta);
    let mut raw = Raw { martingale: vec![0.0; n], score: vec![0.0; n * p], schoenfeld: vec![0.0; n * p] };
    let (mut total, mut sum, mut event_sum) = (0.0, vec![0.0; p], vec![0.0; p]);
    // Per block: the hazard, and its integral of the mean, that it adds for rows that stay and for its events.
    let mut growth = Vec::with_capacity(sets.blocks.len());
    for span in &spans {
        total *= span.carry;
        sum.iter_mut().for_each(|s| *s *= span.carry);
        for block in &sets.blocks[span.blocks.clone()] {
            let (mut event_total, mut own) = (0.0, Growth::zero(p));
            event_sum.fill(0.0);
            for i in block.rows.clone() {
                total += risk[i];
                sum.iter_mut().zip(problem.row(i)).for_each(|(s, x)| *s += risk[i] * x);
            }
            for i in block.event_rows() {
                event_total += risk[i];
                event_sum.iter_mut().zip(problem.row(i)).for_each(|(s, x)| *s += risk[i] * x);
            }
            if block.events > 0 {
                let all: Vec<_> = terms(ties == Ties::Efron, block.events, block.event_weight, total, event_total).collect();
                let share = 1.0 / all.len() as f64;
                for term in all {
                    let denominator = total - term.gone * event_total;
                    own.stay += term.hazard;
                    own.leave += term.hazard * (1.0 - term.gone);
                    for j in 0..p {
                        let mean = (sum[j] - term.gone * event_sum[j]) / denominator;
                        own.stay_mean[j] += term.hazard * mean;
                        own.leave_mean[j] += term.hazard * (1.0 - term.gone) * mean;
                        own.mean[j] += share * mean;
                    }
                }
            }
            growth.push(own);
        }
    }
    let (mut hazard, mut hazard_mean) = (0.0, vec![0.0; p]);
    for span in spans.iter().rev() {
        for (block, own) in sets.blocks[span.blocks.clone()].iter().zip(&growth[span.blocks.clone()]).rev() {
            for i in block.rows.clone() {
                let event = sets.event[i];
                let r = risk[i] / sets.weight[i];
                let (grown, grown_mean) = if event { (own.leave, &own.leave_mean) } else { (own.stay, &own.stay_mean) };
                raw.martingale[i] = f64::from(event) - r * (hazard + grown);
                for j in 0..p {
                    let x = problem.row(i)[j];
                    let observed = if event { x - own.mean[j] } else { 0.0 };
                    raw.schoenfeld[i * p + j] = observed;
                    raw.score[i * p + j] = observed - r * (x * (hazard + grown) - hazard_mean[j] - grown_mean[j]);
                }
            }
            hazard += own.stay;
            hazard_mean.iter_mut().zip(&own.stay_mean).for_each(|(h, m)| *h += m);
        }
        hazard *= span.carry;
        hazard_mean.iter_mut().for_each(|h| *h *= span.carry);
    }
    raw
}

struct Growth {
    stay: f64,
    leave: f64,
    stay_mean: Vec<f64>,
    leave_mean: Vec<f64>,
    mean: Vec<f64>,
}

impl Growth {
    fn zero(p: usize) -> Self {
        Self { stay: 0.0, leave: 0.0, stay_mean: vec![0.0; p], leave_mean: vec![0.0; p], mean: vec![0.0; p] }
    }
}

/// Sum over clusters (rows, without) of the outer products of their weighted dfbeta, on the scaled columns.
pub(crate) fn robust_variance(problem: &Problem, beta: &[f64], ties: Ties, variance: &[f64], cluster: Option<&[u32]>) -> Vec<f64> {
    let (sets, p) = (&problem.sets, problem.p);
    let raw = compute(problem, beta, ties);
    let group = |i: usize| cluster.map_or(sets.row[i], |c| c[sets.row[i] as usize]);
    let mut order: Vec<usize> = (0..sets.len()).collect();
    order.sort_by_key(|&i| (group(i), sets.row[i]));
    let mut robust = vec![0.0; p * p];
    let (mut score, mut change) = (vec![0.0; p], vec![0.0; p]);
    for members in order.chunk_by(|&a, &b| group(a) == group(b)) {
        score.fill(0.0);
        for &i in members {
            (0..p).for_each(|j| score[j] += sets.weight[i] * raw.score[i * p + j]);
        }
        times_matrix(&mut change, &score, variance);
        super::likelihood::add_outer(&mut robust, 1.0, &change);
    }
    super::likelihood::mirror(&mut robust, p);
    robust
}
