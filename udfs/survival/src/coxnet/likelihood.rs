//! Breslow's partial likelihood on the linear predictor.

use crate::risk_sets::{RiskSets, Span};

/// Breslow's log partial likelihood at a linear predictor, and what its first two derivatives need.
#[derive(Clone, Default)]
pub(crate) struct Likelihood {
    /// Sum over the events, as it is usually written.
    pub loglik: f64,
    /// d(loglik / total weight) / d eta.
    pub residual: Vec<f64>,
    /// Expected events / total weight: the diagonal part of the information on eta.
    expected: Vec<f64>,
    /// weight * exp(eta), shifted.
    risk: Vec<f64>,
    spans: Vec<Span>,
    /// Per block: `(d / S, d / S^2)` over the total weight; the first is the growth of the hazard.
    growth: Vec<(f64, f64)>,
}

impl Likelihood {
    /// `eta` by position, without the offset.
    pub fn at(sets: &RiskSets, total_weight: f64, eta: &[f64]) -> Self {
        let mut out = Self::default();
        out.move_to(sets, total_weight, eta);
        out
    }

    /// [`Likelihood::at`] in memory that is there already.
    pub fn move_to(&mut self, sets: &RiskSets, total_weight: f64, eta: &[f64]) {
        let n = sets.len();
        self.growth.clear();
        self.growth.resize(sets.blocks.len(), (0.0, 0.0));
        for values in [&mut self.residual, &mut self.expected, &mut self.risk] {
            values.resize(n, 0.0);
        }
        (self.loglik, self.spans) = loglik_with(sets, eta, &mut self.risk, |b, sum| {
            let hazard = sets.blocks[b].event_weight / (sum * total_weight);
            self.growth[b] = (hazard, hazard / sum);
        });
        let mut hazard = 0.0;
        for span in self.spans.iter().rev() {
            for b in span.blocks.clone().rev() {
                hazard += self.growth[b].0;
                for i in sets.blocks[b].rows.clone() {
                    self.expected[i] = self.risk[i] * hazard;
                    self.residual[i] = if sets.event[i] { sets.weight[i] / total_weight } else { 0.0 } - self.expected[i];
                }
            }
            hazard *= span.carry;
        }
    }

    /// The information on eta times a vector: `y = expected * v - risk * sum over past events of d / S^2 * sum of risk * v`.
    pub fn information_times(&self, sets: &RiskSets, v: &[f64], y: &mut [f64], sums: &mut [f64]) {
        let mut sum = 0.0;
        for span in &self.spans {
            sum *= span.carry;
            for b in span.blocks.clone() {
                for i in sets.blocks[b].rows.clone() {
                    sum += self.risk[i] * v[i];
                }
                sums[b] = sum;
            }
        }
        let mut past = 0.0;
        for span in self.spans.iter().rev() {
            for b in span.blocks.clone().rev() {
                past += self.growth[b].1 * sums[b];
                for i in sets.blocks[b].rows.clone() {
                    y[i] = self.expected[i] * v[i] - self.risk[i] * past;
                }
            }
            past *= span.carry;
        }
    }
}

/// Breslow's log partial likelihood alone; `risk` is for its work.
pub(crate) fn loglik(sets: &RiskSets, eta: &[f64], risk: &mut Vec<f64>) -> f64 {
    risk.resize(sets.len(), 0.0);
    loglik_with(sets, eta, risk, |_, _| {}).0
}

/// Leaves weight * exp(eta), shifted by span, in `risk`, and gives each block with events the sum of its risk set.
fn loglik_with(sets: &RiskSets, eta: &[f64], risk: &mut [f64], mut at_events: impl FnMut(usize, f64)) -> (f64, Vec<Span>) {
    for (risk, (eta, offset)) in risk.iter_mut().zip(eta.iter().zip(&sets.offset)) {
        *risk = eta + offset;
    }
    let spans = sets.spans(risk);
    let (mut loglik, mut sum) = (0.0, 0.0);
    for span in &spans {
        sum *= span.carry;
        span.rows.clone().for_each(|i| risk[i] = sets.weight[i] * (risk[i] - span.shift).exp());
        for b in span.blocks.clone() {
            let block = &sets.blocks[b];
            for &risk in &risk[block.rows.clone()] {
                sum += risk;
            }
            if block.events > 0 {
                for i in block.event_rows() {
                    loglik += sets.weight[i] * (eta[i] + sets.offset[i] - span.shift);
                }
                loglik -= block.event_weight * sum.ln();
                at_events(b, sum);
            }
        }
    }
    (loglik, spans)
}

/// Log-likelihood when each event has all the risk of its time: `-sum d log d`, not 0 with ties or weights. The deviance is
/// `2 (l_saturated - l)`.
pub(crate) fn saturated(sets: &RiskSets) -> f64 {
    -sets.blocks.iter().filter(|b| b.events > 0).map(|b| b.event_weight * b.event_weight.ln()).sum::<f64>()
}
