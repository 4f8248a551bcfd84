//! One Cox model per column.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::fit::{DEPENDENT, certain, settled};
use super::likelihood::terms;
use super::problem::Centring;
use super::{Coefficient, CoxData, CoxOptions, Ties};
use crate::columns::called;
use crate::error::SurvivalError;
use crate::outcome::check_rows;
use crate::risk_sets::RiskSets;
use crate::special::{chi_square_tail, normal_two_sided};

/// The model of one column; NaN where it is constant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScreenRow {
    pub coef: f64,
    pub se: f64,
    pub z: f64,
    pub p: f64,
    pub loglik: f64,
    pub likelihood_ratio: f64,
    pub likelihood_ratio_p: f64,
    pub score: f64,
    pub score_p: f64,
    pub status: Coefficient,
    pub converged: bool,
    pub iterations: usize,
}

/// Fits a Cox model to each column of x alone: the numbers of [`super::fit`], at the price of one sort for all of them. Columns
/// run in parallel. A constant or separating column is flagged in its row, and stops nothing.
///
/// # Errors
/// Those of [`super::fit`]; exact ties and robust variances are not offered here.
pub fn screen(data: &CoxData, options: &CoxOptions) -> Result<Vec<ScreenRow>, SurvivalError> {
    if options.ties == Ties::Exact {
        let found = "'exact'".into();
        return Err(SurvivalError::BadOption { option: "ties", expected: "'efron' or 'breslow' in a screen", found });
    }
    if options.robust || data.cluster.is_some() {
        let found = "true".into();
        return Err(SurvivalError::BadOption { option: "robust", expected: "false in a screen", found });
    }
    let (n, p) = data.x.dim();
    check_rows("x", data.time.len(), n)?;
    if p == 0 {
        return Err(SurvivalError::NoColumns);
    }
    for ((row, column), &value) in data.x.indexed_iter() {
        if !value.is_finite() {
            return Err(SurvivalError::NotFinite { what: called(data.names, &[column]), row, value });
        }
    }
    let sets = RiskSets::new(data.time, data.event, data.weights, data.strata, data.offset)?;
    let null = Column { sets: &sets, x: vec![0.0; n], efron: options.ties == Ties::Efron }.evaluate(0.0, &mut vec![0.0; n]).loglik;
    Ok((0..p)
        .into_par_iter()
        .map(|j| {
            let column = data.x.column(j);
            let mut x = sets.arrange(|row| column[row]);
            let centring = Centring::of(&x, &sets.weight);
            x.iter_mut().for_each(|v| *v = (*v - centring.center) / centring.scale);
            Column { sets: &sets, x, efron: options.ties == Ties::Efron }.fit(options, centring.scale, null)
        })
        .collect())
}

struct Column<'a> {
    sets: &'a RiskSets,
    x: Vec<f64>,
    efron: bool,
}

struct Values {
    loglik: f64,
    gradient: f64,
    information: f64,
}

impl Column<'_> {
    fn fit(&self, options: &CoxOptions, scale: f64, null: f64) -> ScreenRow {
        let mut buffer = vec![0.0; self.x.len()];
        let (mut beta, mut at) = (0.0, self.evaluate(0.0, &mut buffer));
        let start = at.information;
        let aliased = start <= DEPENDENT;
        let score = at.gradient * at.gradient / start;
        let (mut iterations, mut converged) = (0, aliased);
        while !converged && iterations < options.max_iter && at.information > start * DEPENDENT {
            let mut step = at.gradient / at.information;
            loop {
                iterations += 1;
                let next = self.evaluate(beta + step, &mut buffer);
                let change = next.loglik - at.loglik;
                converged = settled(change, next.loglik, null, options.tolerance);
                if converged || change > 0.0 {
                    beta += step;
                    at = next;
                    break;
                }
                if iterations >= options.max_iter {
                    break;
                }
                step /= 2.0;
            }
        }
        let step = (at.gradient / at.information).abs();
        let diverging = at.information <= start * DEPENDENT || certain(at.loglik, null) || (step > 1e-6 && step > 1e-4 * beta.abs());
        let status = match (aliased, diverging) {
            (true, _) => Coefficient::Aliased,
            (false, true) => Coefficient::Diverging,
            (false, false) => Coefficient::Estimated,
        };
        let known = |v: f64| if aliased { f64::NAN } else { v };
        let wald = |v: f64| if status == Coefficient::Estimated { v } else { f64::NAN };
        let z = beta * at.information.sqrt();
        let likelihood_ratio = 2.0 * (at.loglik - null);
        ScreenRow {
            coef: known(beta / scale),
            se: wald(1.0 / (at.information.sqrt() * scale)),
            z: wald(z),
            p: wald(normal_two_sided(z)),
            loglik: at.loglik,
            likelihood_ratio: known(likelihood_ratio),
            likelihood_ratio_p: known(chi_square_tail(likelihood_ratio, 1.0)),
            score: known(score),
            score_p: known(chi_square_tail(score, 1.0)),
            status,
            converged,
            iterations,
        }
    }

    fn evaluate(&self, beta: f64, risk: &mut [f64]) -> Values {
        let sets = self.sets;
        let mut values = Values { loglik: 0.0, gradient: 0.0, information: 0.0 };
        for (risk, (offset, x)) in risk.iter_mut().zip(sets.offset.iter().zip(&self.x)) {
            *risk = offset + beta * x;
        }
        let (mut s0, mut s1, mut s2) = (0.0, 0.0, 0.0);
        for span in &sets.spans(risk) {
            for b in span.blocks.clone() {
                for i in sets.blocks[b].event_rows() {
                    values.loglik += sets.weight[i] * (risk[i] - span.shift);
                    values.gradient += sets.weight[i] * self.x[i];
                }
            }
            span.rows.clone().for_each(|i| risk[i] = sets.weight[i] * (risk[i] - span.shift).exp());
            (s0, s1, s2) = (s0 * span.carry, s1 * span.carry, s2 * span.carry);
            for block in &sets.blocks[span.blocks.clone()] {
                let (mut e0, mut e1, mut e2) = (0.0, 0.0, 0.0);
                for i in block.rows.clone() {
                    let (r, x) = (risk[i], self.x[i]);
                    s0 += r;
                    s1 += r * x;
                    s2 += r * x * x;
                    if sets.event[i] {
                        e0 += r;
                        e1 += r * x;
                        e2 += r * x * x;
                    }
                }
                if block.events == 0 {
                    continue;
                }
                for term in terms(self.efron, block.events, block.event_weight, s0, e0) {
                    let denominator = s0 - term.gone * e0;
                    let weight = term.hazard * denominator;
                    let mean = (s1 - term.gone * e1) / denominator;
                    values.loglik -= weight * denominator.ln();
                    values.gradient -= weight * mean;
                    values.information += weight * ((s2 - term.gone * e2) / denominator - mean * mean);
                }
            }
        }
        values
    }
}
