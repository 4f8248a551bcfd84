//! The solution at one lambda: Newton's method outside, coordinate descent on the quadratic model inside.

use super::design::Design;
use crate::risk_sets::RiskSets;

/// Breslow's log partial likelihood at a linear predictor, and what its first two derivatives need.
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
    fn information_times(&self, sets: &RiskSets, v: &[f64], y: &mut [f64], sums: &mut [f64]) {
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

fn axpy(to: &mut [f64], factor: f64, x: &[f64]) {
    to.iter_mut().zip(x).for_each(|(t, x)| *t += factor * x);
}

/// Where the descent stands; the next lambda starts from here.
pub(crate) struct State {
    /// On the standardised columns.
    pub beta: Vec<f64>,
    pub eta: Vec<f64>,
    pub likelihood: Likelihood,
    /// Of loglik / total weight, for every column.
    pub gradient: Vec<f64>,
    /// Columns that take part in the descent: those that were not 0 once, or had reason to move.
    active: Vec<usize>,
    is_active: Vec<bool>,
}

/// The penalty at one lambda.
pub(crate) struct Penalty<'a> {
    pub design: &'a Design,
    pub lambda: f64,
    pub alpha: f64,
}

impl Penalty<'_> {
    fn parts(&self, j: usize) -> Option<(f64, f64)> {
        self.design.penalty[j].map(|f| (self.lambda * self.alpha * f, self.lambda * (1.0 - self.alpha) * f))
    }

    fn value(&self, beta: &[f64], active: &[usize]) -> f64 {
        let term = |&j: &usize| match self.parts(j) {
            // An infinite penalty times 0 is 0.
            Some((l1, l2)) if beta[j] != 0.0 => l1 * beta[j].abs() + l2 / 2.0 * beta[j] * beta[j],
            _ => 0.0,
        };
        active.iter().map(term).sum()
    }

    /// How far a column is from optimal.
    pub fn violation(&self, j: usize, beta: f64, gradient: f64) -> f64 {
        match self.parts(j) {
            None => 0.0,
            Some((l1, _)) if beta == 0.0 => (gradient.abs() - l1).max(0.0),
            Some((l1, l2)) => (gradient - l2 * beta - l1 * beta.signum()).abs(),
        }
    }
}

impl State {
    pub fn zero(design: &Design) -> Self {
        let eta = vec![0.0; design.n];
        let likelihood = Likelihood::at(&design.sets, &eta);
        let mut state = Self {
            beta: vec![0.0; design.p],
            eta,
            likelihood,
            gradient: vec![0.0; design.p],
            active: Vec::new(),
            is_active: vec![false; design.p],
        };
        state.full_gradient(design);
        state
    }

    fn full_gradient(&mut self, design: &Design) {
        for j in 0..design.p {
            self.gradient[j] = dot(design.column(j), &self.likelihood.residual);
        }
    }

    /// Descends to the optimum. False when `max_iter` Newton steps do not reach it.
    pub fn solve(&mut self, penalty: &Penalty, tolerance: f64, max_iter: usize) -> bool {
        let design = penalty.design;
        let mut iterations = 0;
        loop {
            // Every column is held to the conditions before the solution counts.
            let mut added = false;
            for j in 0..design.p {
                if !self.is_active[j] && penalty.violation(j, self.beta[j], self.gradient[j]) > tolerance {
                    self.active.push(j);
                    self.is_active[j] = true;
                    added = true;
                }
            }
            let violation = self.violation(penalty);
            if !added && violation <= tolerance {
                return true;
            }
            let mut violation = violation;
            while violation > tolerance {
                if iterations == max_iter {
                    return false;
                }
                iterations += 1;
                if !self.newton_step(penalty, (violation * violation.min(0.1)).max(0.1 * tolerance)) {
                    // No progress within rounding.
                    break;
                }
                for &j in &self.active {
                    self.gradient[j] = dot(design.column(j), &self.likelihood.residual);
                }
                violation = self.violation(penalty);
            }
            self.full_gradient(design);
            if violation > tolerance {
                return false;
            }
        }
    }

    fn violation(&self, penalty: &Penalty) -> f64 {
        self.active.iter().map(|&j| penalty.violation(j, self.beta[j], self.gradient[j])).fold(0.0, f64::max)
    }

    /// One step to the minimum of the quadratic model, halved until the objective does not rise. False when it stays.
    fn newton_step(&mut self, penalty: &Penalty, tolerance: f64) -> bool {
        let design = penalty.design;
        let total_weight: f64 = design.sets.weight.iter().sum();
        let moved = if self.active.len() <= design.n {
            self.descend_covariance(penalty, tolerance)
        } else {
            self.descend_residual(penalty, tolerance)
        };
        let before = -self.likelihood.loglik / total_weight + penalty.value(&self.beta, &self.active);
        let mut change = vec![0.0; design.n];
        for (&j, &target) in self.active.iter().zip(&moved) {
            if target != self.beta[j] {
                axpy(&mut change, target - self.beta[j], design.column(j));
            }
        }
        let start: Vec<f64> = self.active.iter().map(|&j| self.beta[j]).collect();
        let eta = self.eta.clone();
        let mut share = 1.0;
        for _ in 0..30 {
            for ((&j, &from), &to) in self.active.iter().zip(&start).zip(&moved) {
                self.beta[j] = if share == 1.0 { to } else { from + share * (to - from) };
            }
            self.eta.iter_mut().zip(&eta).zip(&change).for_each(|((e, from), c)| *e = from + share * c);
            let likelihood = Likelihood::at(&design.sets, &self.eta);
            let after = -likelihood.loglik / total_weight + penalty.value(&self.beta, &self.active);
            if after <= before + 1e-14 * before.abs() {
                self.likelihood = likelihood;
                return true;
            }
            share /= 2.0;
        }
        self.active.iter().zip(&start).for_each(|(&j, &from)| self.beta[j] = from);
        self.eta = eta;
        false
    }

    /// Coordinate descent on the quadratic model, by the information between the active columns; a column of it is made when its
    /// coefficient first moves. Returns the coefficients of the active columns.
    fn descend_covariance(&self, penalty: &Penalty, tolerance: f64) -> Vec<f64> {
        let (design, active) = (penalty.design, &self.active);
        let m = active.len();
        let (mut y, mut sums) = (vec![0.0; design.n], vec![0.0; design.sets.blocks.len()]);
        let mut information = vec![0.0; m * m];
        for k in 0..m {
            let column = design.column(active[k]);
            self.likelihood.information_times(&design.sets, column, &mut y, &mut sums);
            for l in 0..=k {
                let value = dot(design.column(active[l]), &y);
                information[k * m + l] = value;
                information[l * m + k] = value;
            }
        }
        let mut beta: Vec<f64> = active.iter().map(|&j| self.beta[j]).collect();
        let mut gradient: Vec<f64> = active.iter().map(|&j| self.gradient[j]).collect();
        descend(penalty, active, tolerance, &mut beta, |k, moved| {
            if moved == 0.0 {
                return (gradient[k], information[k * m + k]);
            }
            axpy(&mut gradient, -moved, &information[k * m..(k + 1) * m]);
            (0.0, 0.0)
        });
        beta
    }

    /// The same by the residual of the model: less memory and time where there are more active columns than rows.
    fn descend_residual(&self, penalty: &Penalty, tolerance: f64) -> Vec<f64> {
        let (design, active) = (penalty.design, &self.active);
        let n = design.n;
        let mut sums = vec![0.0; design.sets.blocks.len()];
        let mut products = vec![0.0; active.len() * n];
        let mut curvature = vec![0.0; active.len()];
        for (k, &j) in active.iter().enumerate() {
            let y = &mut products[k * n..(k + 1) * n];
            self.likelihood.information_times(&design.sets, design.column(j), y, &mut sums);
            curvature[k] = dot(design.column(j), y);
        }
        let mut residual = self.likelihood.residual.clone();
        let mut beta: Vec<f64> = active.iter().map(|&j| self.beta[j]).collect();
        descend(penalty, active, tolerance, &mut beta, |k, moved| {
            if moved == 0.0 {
                return (dot(design.column(active[k]), &residual), curvature[k]);
            }
            axpy(&mut residual, -moved, &products[k * n..(k + 1) * n]);
            (0.0, 0.0)
        });
        beta
    }
}

/// Sweeps until no coordinate moves its gradient by more than `tolerance`; between full sweeps only the coefficients that are not
/// 0 are visited. `model(k, 0)` gives gradient and curvature of coordinate k, `model(k, d)` takes note of a move by d.
fn descend(penalty: &Penalty, active: &[usize], tolerance: f64, beta: &mut [f64], mut model: impl FnMut(usize, f64) -> (f64, f64)) {
    let mut full = true;
    for _ in 0..100_000 {
        let mut largest: f64 = 0.0;
        for k in 0..active.len() {
            if !full && beta[k] == 0.0 {
                continue;
            }
            let Some((l1, l2)) = penalty.parts(active[k]) else { continue };
            let (gradient, curvature) = model(k, 0.0);
            if curvature + l2 <= 0.0 {
                continue;
            }
            let wish = gradient + curvature * beta[k];
            let target = if wish.abs() > l1 { (wish.abs() - l1).copysign(wish) / (curvature + l2) } else { 0.0 };
            let moved = target - beta[k];
            if moved != 0.0 {
                beta[k] = target;
                model(k, moved);
                largest = largest.max(moved.abs() * (curvature + l2));
            }
        }
        if largest <= tolerance {
            if full {
                return;
            }
            full = true;
        } else {
            full = false;
        }
    }
}
