//! The log partial likelihood of Efron and Breslow, its gradient and its information.

use super::problem::Problem;
use crate::risk_sets::Span;
use crate::simd::{axpy, vectorized};

/// Values at one coefficient vector, on the centred and scaled columns.
pub(crate) struct Evaluation {
    pub loglik: f64,
    pub gradient: Vec<f64>,
    /// p x p, row-major, lower triangle filled, then mirrored.
    pub information: Vec<f64>,
}

/// One log term of an event time: after a share `gone` of its events has left the risk set.
pub(crate) struct Term {
    pub gone: f64,
    /// weight / denominator: what the cumulative hazard grows by.
    pub hazard: f64,
}

/// The terms of an event time: `ties` of them for Efron, one for Breslow. `event_risk` is the part of `risk` that events hold.
pub(crate) fn terms(efron: bool, events: usize, event_weight: f64, risk: f64, event_risk: f64) -> impl Iterator<Item = Term> {
    let count = if efron { events } else { 1 };
    (0..count).map(move |l| {
        let gone = l as f64 / events as f64;
        Term { gone, hazard: event_weight / count as f64 / (risk - gone * event_risk) }
    })
}

/// The linear predictor, exp of it times the weight, each span shifted, and the spans; the first two by position.
#[inline(always)]
pub(crate) fn risks(problem: &Problem, beta: &[f64]) -> (Vec<f64>, Vec<f64>, Vec<Span>) {
    let sets = &problem.sets;
    let rows = problem.x.chunks_exact(beta.len());
    let eta: Vec<f64> =
        sets.offset.iter().zip(rows).map(|(offset, row)| offset + row.iter().zip(beta).map(|(x, b)| x * b).sum::<f64>()).collect();
    let spans = sets.spans(&eta);
    let mut risk = vec![0.0; eta.len()];
    for span in &spans {
        span.rows.clone().for_each(|i| risk[i] = sets.weight[i] * (eta[i] - span.shift).exp());
    }
    (eta, risk, spans)
}

/// Values at `beta`; each event time counts `time_weight[block]` times (once when absent).
///
/// The information is `sum a_i x_i x_i' - sum w m m'`: `a_i` the expected events of row i, m the risk-weighted mean of each
/// log term. One pass forward for the means and the hazard, one back for `a`: O(n p^2).
pub(crate) fn evaluate(problem: &Problem, beta: &[f64], efron: bool, time_weight: Option<&[f64]>) -> Evaluation {
    // The compiler unrolls the loops over a few columns where it knows their number.
    vectorized(
        #[inline(always)]
        || match problem.p {
            1 => evaluate_columns(problem, 1, beta, efron, time_weight),
            2 => evaluate_columns(problem, 2, beta, efron, time_weight),
            3 => evaluate_columns(problem, 3, beta, efron, time_weight),
            4 => evaluate_columns(problem, 4, beta, efron, time_weight),
            5 => evaluate_columns(problem, 5, beta, efron, time_weight),
            6 => evaluate_columns(problem, 6, beta, efron, time_weight),
            7 => evaluate_columns(problem, 7, beta, efron, time_weight),
            8 => evaluate_columns(problem, 8, beta, efron, time_weight),
            p => evaluate_columns(problem, p, beta, efron, time_weight),
        },
    )
}

#[inline(always)]
fn evaluate_columns(problem: &Problem, p: usize, beta: &[f64], efron: bool, time_weight: Option<&[f64]>) -> Evaluation {
    let sets = &problem.sets;
    let row = |i: usize| &problem.x[i * p..(i + 1) * p];
    let (eta, risk, spans) = risks(problem, &beta[..p]);
    let mut loglik = 0.0;
    let mut gradient = vec![0.0; p];
    let mut information = vec![0.0; p * p];
    let (mut mean, mut sum, mut event_sum) = (vec![0.0; p], vec![0.0; p], vec![0.0; p]);
    let mut expected = vec![0.0; sets.len()];
    // Growth of the hazard at each block, for rows that stay and for its events.
    let mut growth = vec![(0.0, 0.0); sets.blocks.len()];
    let mut total = 0.0;
    for span in &spans {
        total *= span.carry;
        sum.iter_mut().for_each(|s| *s *= span.carry);
        for b in span.blocks.clone() {
            let block = &sets.blocks[b];
            for i in block.rows.clone() {
                total += risk[i];
                axpy(&mut sum, risk[i], row(i));
            }
            if block.events == 0 {
                continue;
            }
            let repeat = time_weight.map_or(1.0, |w| w[b]);
            let mut event_total = 0.0;
            event_sum.fill(0.0);
            for i in block.event_rows() {
                loglik += repeat * sets.weight[i] * (eta[i] - span.shift);
                axpy(&mut gradient, repeat * sets.weight[i], row(i));
                event_total += risk[i];
                axpy(&mut event_sum, risk[i], row(i));
            }
            for term in terms(efron, block.events, block.event_weight, total, event_total) {
                let denominator = total - term.gone * event_total;
                let weight = repeat * term.hazard * denominator;
                loglik -= weight * denominator.ln();
                for ((m, s), e) in mean.iter_mut().zip(&sum).zip(&event_sum) {
                    *m = (s - term.gone * e) / denominator;
                }
                axpy(&mut gradient, -weight, &mean);
                add_outer(&mut information, -weight, &mean);
                growth[b].0 += repeat * term.hazard;
                growth[b].1 += repeat * term.hazard * (1.0 - term.gone);
            }
        }
    }
    let mut hazard = 0.0;
    for span in spans.iter().rev() {
        for b in span.blocks.clone().rev() {
            let block = &sets.blocks[b];
            for i in block.rows.clone() {
                let grown = [growth[b].0, growth[b].1][usize::from(sets.event[i])];
                expected[i] = risk[i] * (hazard + grown);
            }
            hazard += growth[b].0;
        }
        hazard *= span.carry;
    }
    // A loop of its own, that the sums may stay in registers.
    for (i, &a) in expected.iter().enumerate() {
        add_outer(&mut information, a, row(i));
    }
    mirror(&mut information, p);
    Evaluation { loglik, gradient, information }
}

/// Adds `factor * x x'` to the lower triangle.
#[inline(always)]
pub(crate) fn add_outer(to: &mut [f64], factor: f64, x: &[f64]) {
    for (j, row) in to.chunks_exact_mut(x.len()).enumerate() {
        let scaled = factor * x[j];
        row[..=j].iter_mut().zip(x).for_each(|(t, x)| *t += scaled * x);
    }
}

pub(crate) fn mirror(matrix: &mut [f64], p: usize) {
    for i in 0..p {
        for j in 0..i {
            matrix[j * p + i] = matrix[i * p + j];
        }
    }
}
