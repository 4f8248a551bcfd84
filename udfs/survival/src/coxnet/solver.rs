//! The solution at one lambda: Newton steps on the coefficients that are not 0, whose signs are held until one reaches 0.
//!
//! On a fixed support with fixed signs the objective is smooth, so that a few steps reach its optimum to rounding where
//! coordinate descent needs sweeps by the thousand on correlated columns. The information is kept from one lambda to the next:
//! it changes little along a path, and a stale one costs a few more steps (each `n x columns`) while a new one costs
//! `n x columns^2`. A column is appended to its Cholesky factor when it enters and taken out when it leaves. Rosset & Zhu, Ann
//! Statist 2007;35:1012; Tibshirani et al., J R Stat Soc B 2012;74:245 (the sequential strong rule).

use ndarray::Array2;

use super::design::Design;
use super::factor::Factor;
use super::likelihood::Likelihood;
use crate::simd::{combine, dot, dots};

/// Steps of one lambda with a stale information that are not held against it.
const FREE_STEPS: usize = 3;
/// Relative change of the objective that counts as rounding.
const ROUNDING: f64 = 1e-13;

/// The penalty at one lambda.
pub(crate) struct Penalty<'a> {
    pub design: &'a Design,
    pub lambda: f64,
    pub alpha: f64,
}

impl Penalty<'_> {
    /// Of |b| and of b^2 / 2.
    fn parts(&self, j: usize) -> Option<(f64, f64)> {
        self.design.penalty[j].map(|f| (self.lambda * self.alpha * f, self.lambda * (1.0 - self.alpha) * f))
    }

    fn value(&self, j: usize, beta: f64) -> f64 {
        match self.parts(j) {
            // An infinite penalty times 0 is 0.
            Some((l1, l2)) if beta != 0.0 => l1 * beta.abs() + l2 / 2.0 * beta * beta,
            _ => 0.0,
        }
    }
}

/// The quadratic model that the steps are made with: the information of the support at some earlier linear predictor.
struct Model {
    at: Likelihood,
    factor: Factor,
    lambda: f64,
    /// Whether it is that of the present linear predictor and lambda.
    fresh: bool,
    /// Work spent on steps that a fresh model would have saved.
    debt: f64,
}

/// Where the path stands; the next lambda starts from here.
pub(crate) struct State {
    /// On the standardised columns.
    pub beta: Vec<f64>,
    pub eta: Vec<f64>,
    pub likelihood: Likelihood,
    /// Of loglik / total weight. That of a column that is not at work is as of `seen`.
    pub gradient: Vec<f64>,
    /// The columns of coefficients that are not 0, or about to move, in the order of the factor, and their signs.
    support: Vec<usize>,
    sign: Vec<f64>,
    in_support: Vec<bool>,
    /// Columns outside the support whose gradient is followed.
    waiting: Vec<usize>,
    is_waiting: Vec<bool>,
    model: Model,
    /// Length of the way the residual has gone, and where on it each gradient was made. A gradient changes by no more than the
    /// column's norm times the way since.
    travel: f64,
    seen: Vec<f64>,
    residual_before: Vec<f64>,
    lambda_before: f64,
    trial: Trial,
}

/// Memory for the steps.
#[derive(Default)]
struct Trial {
    eta: Vec<f64>,
    likelihood: Likelihood,
    change: Vec<f64>,
}

impl State {
    pub fn zero(design: &Design) -> Self {
        let eta = vec![0.0; design.n];
        let likelihood = Likelihood::at(&design.sets, design.total_weight, &eta);
        let model = Model { at: likelihood.clone(), factor: Factor::default(), lambda: f64::INFINITY, fresh: false, debt: 0.0 };
        let mut state = Self {
            beta: vec![0.0; design.p],
            eta,
            residual_before: likelihood.residual.clone(),
            likelihood,
            gradient: vec![0.0; design.p],
            support: vec![],
            sign: vec![],
            in_support: vec![false; design.p],
            waiting: vec![],
            is_waiting: vec![false; design.p],
            model,
            travel: 0.0,
            seen: vec![0.0; design.p],
            lambda_before: f64::INFINITY,
            trial: Trial::default(),
        };
        state.full_gradient(design);
        state
    }

    /// Makes the gradient of every column.
    pub fn full_gradient(&mut self, design: &Design) {
        self.go();
        for j in 0..design.p {
            self.see(design, j);
        }
    }

    /// The gradients of the support and the waiting columns.
    fn follow(&mut self, design: &Design) {
        for columns in [&self.support, &self.waiting] {
            dots(columns, |j| design.column(j), &self.likelihood.residual, |j, sum| self.gradient[j] = sum);
        }
    }

    fn see(&mut self, design: &Design, j: usize) {
        self.gradient[j] = dot(design.column(j), &self.likelihood.residual);
        self.seen[j] = self.travel;
    }

    /// Notes the way that the residual has gone.
    fn go(&mut self) {
        let squares = self.residual_before.iter().zip(&self.likelihood.residual).map(|(a, b)| (a - b) * (a - b));
        self.travel += squares.sum::<f64>().sqrt();
        self.residual_before.clone_from(&self.likelihood.residual);
    }

    /// The largest that |gradient| of a column can be now.
    fn bound(&self, design: &Design, j: usize) -> f64 {
        self.gradient[j].abs() + design.norm[j] * (self.travel - self.seen[j])
    }

    /// Goes to the optimum. False when `max_iter` steps do not reach it.
    pub fn solve(&mut self, penalty: &Penalty, tolerance: f64, max_iter: usize) -> bool {
        for j in std::mem::take(&mut self.waiting) {
            self.is_waiting[j] = false;
        }
        // The strong rule: a column stays out unless its gradient outruns the penalty.
        let speed = 2.0 - self.lambda_before / penalty.lambda;
        self.wait_for(penalty, if speed.is_finite() { speed.clamp(0.3, 1.0) } else { 1.0 }, tolerance);
        self.lambda_before = penalty.lambda;
        self.model.fresh &= self.model.lambda == penalty.lambda;
        if penalty.alpha < 1.0 && self.model.lambda > 2.0 * penalty.lambda {
            self.refresh(penalty);
        }
        let mut steps = 0;
        loop {
            if !self.descend(penalty, tolerance, &mut steps, max_iter) {
                return false;
            }
            // Every column is held to the conditions before the solution counts.
            self.go();
            for &j in self.support.iter().chain(&self.waiting) {
                self.seen[j] = self.travel;
            }
            if !self.wait_for(penalty, 1.0, tolerance) {
                return true;
            }
        }
    }

    /// Follows the columns whose gradient exceeds `share` of their penalty. False when there are no new ones.
    fn wait_for(&mut self, penalty: &Penalty, share: f64, tolerance: f64) -> bool {
        let before = self.waiting.len();
        for j in 0..penalty.design.p {
            let Some((l1, _)) = penalty.parts(j) else { continue };
            let limit = share * l1 + tolerance;
            if self.in_support[j] || self.is_waiting[j] || self.bound(penalty.design, j) <= limit {
                continue;
            }
            self.see(penalty.design, j);
            if self.gradient[j].abs() > limit {
                self.waiting.push(j);
                self.is_waiting[j] = true;
            }
        }
        self.waiting.len() > before
    }

    /// Brings the support and the waiting columns to their conditions.
    fn descend(&mut self, penalty: &Penalty, tolerance: f64, steps: &mut usize, max_iter: usize) -> bool {
        let design = penalty.design;
        // After a column had to leave as soon as it entered, columns enter one at a time, into a solved support.
        let mut careful = false;
        let (mut within, mut last) = (0, f64::INFINITY);
        self.follow(design);
        loop {
            let mut slope = self.slope(penalty);
            let off = slope.iter().fold(0.0f64, |a, s| a.max(s.abs()));
            let over = |state: &Self, j: usize| penalty.parts(j).map_or(0.0, |(l1, _)| state.gradient[j].abs() - l1);
            let worst = self.waiting.iter().map(|&j| over(self, j)).fold(0.0, f64::max);
            if off.max(worst) <= tolerance {
                return true;
            }
            if *steps == max_iter {
                return false;
            }
            *steps += 1;
            if worst > tolerance && (off <= tolerance || if careful { off <= 1e-3 * worst } else { off <= worst }) {
                let limit = if careful { worst } else { tolerance.max(off) };
                for j in std::mem::take(&mut self.waiting) {
                    if over(self, j) >= limit {
                        self.is_waiting[j] = false;
                        self.enter(penalty, j);
                    } else {
                        self.waiting.push(j);
                    }
                }
                slope = self.slope(penalty);
            }
            // A stale model that does not halve the error, or has cost as much as a new one, is made anew.
            if !self.model.fresh && (off > 0.5 * last && within > 2 * FREE_STEPS || self.model.debt > self.cost_of_refresh(design)) {
                self.refresh(penalty);
                within = 0;
            }
            last = off;
            within += 1;
            if within > FREE_STEPS && !self.model.fresh {
                self.model.debt += (design.n * (2 * self.support.len() + self.waiting.len() + 20)) as f64;
            }
            match self.step(penalty, slope) {
                Step::Moved => {}
                Step::Blocked => careful = true,
                Step::Failed if self.model.fresh => return false,
                Step::Failed => self.refresh(penalty),
            }
        }
    }

    /// What the objective falls by, per unit of each coefficient of the support, while its sign is held.
    fn slope(&self, penalty: &Penalty) -> Vec<f64> {
        let of = |(&j, sign): (&usize, &f64)| match penalty.parts(j) {
            Some((l1, l2)) => self.gradient[j] - l2 * self.beta[j] - l1 * sign,
            None => 0.0,
        };
        self.support.iter().zip(&self.sign).map(of).collect()
    }

    fn enter(&mut self, penalty: &Penalty, j: usize) {
        let design = penalty.design;
        let (mut y, mut sums) = (vec![0.0; design.n], vec![0.0; design.sets.blocks.len()]);
        self.model.at.information_times(&design.sets, design.column(j), &mut y, &mut sums);
        self.support.push(j);
        self.sign.push(self.gradient[j].signum());
        self.in_support[j] = true;
        let mut row = Vec::with_capacity(self.support.len());
        dots(&self.support, |k| design.column(k), &y, |_, sum| row.push(sum));
        if let (Some(diagonal), Some((_, l2))) = (row.last_mut(), penalty.parts(j)) {
            *diagonal += l2;
        }
        if self.model.factor.len() == 0 {
            self.model.lambda = penalty.lambda;
        }
        self.model.factor.push(row);
    }

    fn leave(&mut self, k: usize) {
        let j = self.support.remove(k);
        self.sign.remove(k);
        self.model.factor.remove(k);
        self.beta[j] = 0.0;
        self.in_support[j] = false;
        self.is_waiting[j] = true;
        self.waiting.push(j);
    }

    fn cost_of_refresh(&self, design: &Design) -> f64 {
        let (n, m) = (design.n as f64, self.support.len() as f64);
        m * (n * (m / 2.0 + 8.0) + m * m / 6.0)
    }

    /// The model at the present linear predictor and lambda.
    fn refresh(&mut self, penalty: &Penalty) {
        let design = penalty.design;
        let (n, m) = (design.n, self.support.len());
        let mut sums = vec![0.0; design.sets.blocks.len()];
        let (mut columns, mut products) = (Array2::zeros((m, n)), Array2::zeros((m, n)));
        self.model.at.clone_from(&self.likelihood);
        for (k, &j) in self.support.iter().enumerate() {
            if let (Some(column), Some(product)) = (columns.row_mut(k).as_slice_mut(), products.row_mut(k).as_slice_mut()) {
                column.copy_from_slice(design.column(j));
                self.likelihood.information_times(&design.sets, column, product, &mut sums);
            }
        }
        let information = columns.dot(&products.t());
        self.model.factor.clear();
        for (k, &j) in self.support.iter().enumerate() {
            let mut row: Vec<f64> = information.row(k).iter().take(k + 1).copied().collect();
            row[k] += penalty.parts(j).map_or(0.0, |(_, l2)| l2);
            self.model.factor.push(row);
        }
        self.model.lambda = penalty.lambda;
        self.model.fresh = true;
        self.model.debt = 0.0;
    }

    /// One step of the model along `slope`, up to the first coefficient that reaches 0, halved while the objective rises.
    fn step(&mut self, penalty: &Penalty, slope: Vec<f64>) -> Step {
        let mut direction = slope;
        self.model.factor.solve(&mut direction);
        let (mut length, mut blocked) = (1.0, None);
        for (k, &j) in self.support.iter().enumerate() {
            let held = penalty.parts(j).is_some_and(|(l1, _)| l1 > 0.0);
            if held && (self.beta[j] + direction[k]) * self.sign[k] <= 0.0 && direction[k] * self.sign[k] <= 0.0 {
                let reach = if self.beta[j] == 0.0 { 0.0 } else { -self.beta[j] / direction[k] };
                if reach < length || (blocked.is_none() && reach <= length) {
                    (length, blocked) = (reach, Some(k));
                }
            }
        }
        if let (Some(k), true) = (blocked, length == 0.0) {
            self.leave(k);
            return Step::Blocked;
        }
        let mut trial = std::mem::take(&mut self.trial);
        let moved = self.search(penalty, &direction, (length, blocked), &mut trial);
        self.trial = trial;
        moved
    }

    fn search(&mut self, penalty: &Penalty, direction: &[f64], (mut length, blocked): (f64, Option<usize>), trial: &mut Trial) -> Step {
        let design = penalty.design;
        trial.change.resize(design.n, 0.0);
        trial.eta.resize(design.n, 0.0);
        combine(&mut trial.change, &self.support, direction, |j| design.column(j));
        let objective = |loglik: f64, beta: &dyn Fn(usize) -> f64| {
            let penalties = self.support.iter().enumerate().map(|(k, &j)| penalty.value(j, beta(k)));
            -loglik / design.total_weight + penalties.sum::<f64>()
        };
        let before = objective(self.likelihood.loglik, &|k| self.beta[self.support[k]]);
        for halving in 0..30 {
            trial.eta.iter_mut().zip(self.eta.iter().zip(&trial.change)).for_each(|(to, (e, c))| *to = e + length * c);
            let to = |k: usize| {
                if halving == 0 && blocked == Some(k) { 0.0 } else { self.beta[self.support[k]] + length * direction[k] }
            };
            trial.likelihood.move_to(&design.sets, design.total_weight, &trial.eta);
            if objective(trial.likelihood.loglik, &to) <= before + ROUNDING * before.abs().max(1.0) {
                let beta: Vec<f64> = (0..self.support.len()).map(to).collect();
                self.support.iter().zip(&beta).for_each(|(&j, &b)| self.beta[j] = b);
                std::mem::swap(&mut self.eta, &mut trial.eta);
                std::mem::swap(&mut self.likelihood, &mut trial.likelihood);
                if let (0, Some(k)) = (halving, blocked) {
                    self.leave(k);
                }
                self.follow(design);
                self.model.fresh = false;
                return Step::Moved;
            }
            if halving == 0 && !self.model.fresh {
                return Step::Failed;
            }
            length /= 2.0;
        }
        Step::Failed
    }
}

enum Step {
    Moved,
    /// A column that had just entered left again: its coefficient would have gone the wrong way.
    Blocked,
    /// The objective would rise.
    Failed,
}
