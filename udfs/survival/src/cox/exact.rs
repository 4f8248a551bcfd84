//! The exact partial likelihood of tied events.

use super::likelihood::{Evaluation, mirror, risks};
use super::problem::Problem;

/// Values at `beta`. At each event time the denominator is the sum over all subsets of the risk set as large as its events, of
/// the product of their risks, by the recursion of Gail, Lubin & Rubinstein (Biometrika 1981;68:703):
/// `B(k, m) = B(k, m-1) + r_m B(k-1, m-1)`, with its first and second derivatives. O(events x rows x p^2) at each time.
pub(crate) fn evaluate(problem: &Problem, beta: &[f64]) -> Evaluation {
    let (sets, p) = (&problem.sets, problem.p);
    let (eta, ..) = risks(problem, beta);
    let mut risk = vec![0.0; eta.len()];
    let mut loglik = 0.0;
    let mut gradient = vec![0.0; p];
    let mut information = vec![0.0; p * p];
    for stratum in &sets.strata {
        for b in stratum.blocks.clone() {
            let block = &sets.blocks[b];
            if block.events == 0 {
                continue;
            }
            let members = stratum.rows.start..block.rows.end;
            let shift = eta[members.clone()].iter().copied().fold(f64::NEG_INFINITY, f64::max);
            members.clone().for_each(|i| risk[i] = (eta[i] - shift).exp());
            for i in block.event_rows() {
                loglik += eta[i] - shift;
                gradient.iter_mut().zip(problem.row(i)).for_each(|(g, x)| *g += x);
            }
            let sums = subset_sums(problem, &risk, members, block.events);
            loglik -= sums.log;
            for j in 0..p {
                gradient[j] -= sums.first[j];
                for k in 0..=j {
                    information[j * p + k] += sums.second[j * p + k] - sums.first[j] * sums.first[k];
                }
            }
        }
    }
    mirror(&mut information, p);
    Evaluation { loglik, gradient, information }
}

/// Log of the sum, and its first two derivatives divided by it.
struct SubsetSums {
    log: f64,
    first: Vec<f64>,
    second: Vec<f64>,
}

fn subset_sums(problem: &Problem, risk: &[f64], members: std::ops::Range<usize>, size: usize) -> SubsetSums {
    let p = problem.p;
    let width = 1 + p + p * p;
    // Row k: value, gradient and second derivatives for subsets of k. Rows are rescaled together against overflow.
    let mut state = vec![0.0; (size + 1) * width];
    state[0] = 1.0;
    let mut log_scale = 0.0;
    for (seen, i) in members.enumerate() {
        let (r, x) = (risk[i], problem.row(i));
        for k in (1..=size.min(seen + 1)).rev() {
            let (below, here) = state.split_at_mut(k * width);
            let (below, here) = (&below[(k - 1) * width..], &mut here[..width]);
            here[0] += r * below[0];
            for j in 0..p {
                here[1 + j] += r * (below[1 + j] + x[j] * below[0]);
                for l in 0..=j {
                    let at = 1 + p + j * p + l;
                    here[at] += r * (below[at] + x[j] * below[1 + l] + x[l] * below[1 + j] + x[j] * x[l] * below[0]);
                }
            }
        }
        let largest = (0..=size).map(|k| state[k * width]).fold(0.0, f64::max);
        if largest > 1e100 {
            state.iter_mut().for_each(|v| *v /= largest);
            log_scale += largest.ln();
        }
    }
    let last = &state[size * width..];
    let value = last[0];
    SubsetSums {
        log: value.ln() + log_scale,
        first: last[1..1 + p].iter().map(|v| v / value).collect(),
        second: last[1 + p..].iter().map(|v| v / value).collect(),
    }
}
