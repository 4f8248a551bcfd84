//! Breslow's partial likelihood on the linear predictor.

use crate::risk_sets::RiskSets;

/// Breslow's log partial likelihood at a linear predictor, and what its first two derivatives need.
#[derive(Clone)]
pub(crate) struct Likelihood {
    /// Sum over the events, as it is usually written.
    pub loglik: f64,
    /// d(loglik / total weight) / d eta.
    pub residual: Vec<f64>,
    /// Expected events / total weight: the diagonal part of the information on eta.
    expected: Vec<f64>,
    /// weight * exp(eta), shifted.
    risk: Vec<f64>,
    /// Per block: `(d / S, d / S^2)` over the total weight; the first is the growth of the hazard.
    growth: Vec<(f64, f64)>,
}

impl Likelihood {
    /// `eta` by position, without the offset.
    pub fn at(sets: &RiskSets, eta: &[f64]) -> Self {
        let n = sets.len();
        let total_weight: f64 = sets.weight.iter().sum();
        let mut out = Self {
            loglik: 0.0,
            residual: vec![0.0; n],
            expected: vec![0.0; n],
            risk: vec![0.0; n],
            growth: vec![(0.0, 0.0); sets.blocks.len()],
        };
        for stratum in &sets.strata {
            let shift = stratum.rows.clone().map(|i| eta[i] + sets.offset[i]).fold(f64::NEG_INFINITY, f64::max);
            let mut sum = 0.0;
            for b in stratum.blocks.clone() {
                let block = &sets.blocks[b];
                for i in block.rows.clone() {
                    out.risk[i] = sets.weight[i] * (eta[i] + sets.offset[i] - shift).exp();
                    sum += out.risk[i];
                }
                if block.events > 0 {
                    for i in block.event_rows() {
                        out.loglik += sets.weight[i] * (eta[i] + sets.offset[i] - shift);
                    }
                    out.loglik -= block.event_weight * sum.ln();
                    let hazard = block.event_weight / (sum * total_weight);
                    out.growth[b] = (hazard, hazard / sum);
                }
            }
            let mut hazard = 0.0;
            for b in stratum.blocks.clone().rev() {
                hazard += out.growth[b].0;
                for i in sets.blocks[b].rows.clone() {
                    out.expected[i] = out.risk[i] * hazard;
                    out.residual[i] = if sets.event[i] { sets.weight[i] / total_weight } else { 0.0 } - out.expected[i];
                }
            }
        }
        out
    }

    /// The information on eta times a vector: `y = expected * v - risk * sum over past events of d / S^2 * sum of risk * v`.
    pub fn information_times(&self, sets: &RiskSets, v: &[f64], y: &mut [f64], sums: &mut [f64]) {
        for stratum in &sets.strata {
            let mut sum = 0.0;
            for b in stratum.blocks.clone() {
                for i in sets.blocks[b].rows.clone() {
                    sum += self.risk[i] * v[i];
                }
                sums[b] = sum;
            }
            let mut past = 0.0;
            for b in stratum.blocks.clone().rev() {
                past += self.growth[b].1 * sums[b];
                for i in sets.blocks[b].rows.clone() {
                    y[i] = self.expected[i] * v[i] - self.risk[i] * past;
                }
            }
        }
    }
}

/// `2 (l_saturated - l)`.
pub(crate) fn deviance(sets: &RiskSets, loglik: f64) -> f64 {
    2.0 * (saturated(sets) - loglik)
}

/// Log-likelihood when each event has all the risk of its time: `-sum d log d`, not 0 with ties or weights.
fn saturated(sets: &RiskSets) -> f64 {
    -sets.blocks.iter().filter(|b| b.events > 0).map(|b| b.event_weight * b.event_weight.ln()).sum::<f64>()
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Eight running sums, so that the compiler can use vector registers.
    let mut sums = [0.0; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a8.remainder().iter().zip(b8.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a8.zip(b8) {
        for k in 0..8 {
            sums[k] += x[k] * y[k];
        }
    }
    sums.iter().sum::<f64>() + rest
}

pub(crate) fn axpy(to: &mut [f64], factor: f64, x: &[f64]) {
    to.iter_mut().zip(x).for_each(|(t, x)| *t += factor * x);
}
