//! Exact Shapley values of a Cox model, polynomial in the number of features.
//!
//! With `a_j = coef_j (x_j - b_j)` the relative hazard of (x in S, b elsewhere) is `y_S = H0(t) exp(lp_b + sum_{j in S} a_j)`.
//! - linear predictor: `coef_j (x_j - mean_b b_j)`;
//! - cumulative hazard: `y_S` is a product over the features, see [`ProductGame`];
//! - survival: `exp(-y_S)` is no product, but an integral of products (Cahen and Mellin),
//!   `exp(-y) - 1 = 1/(2 pi i) integral of Gamma(z) y^-z dz along Re z = -1/2`, whose integrand falls off as `exp(-pi |Im z| / 2)`.
//!   The trapezoid rule converges exponentially here (Trefethen & Weideman, SIAM Rev 2014;56:385): its step follows from the
//!   largest `y_S` so that its error is below 1e-13. The integrals for all times share their sums over the background.

use nalgebra::Complex;
use ndarray::{Array2, ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use super::Output;
use super::quadrature::{ProductGame, gauss_legendre};
use crate::cox::CoxFit;
use crate::error::SurvivalError;

/// Real part of the line of integration: between the poles of Gamma at -1 and 0.
const LINE: f64 = -0.5;
/// Natural logarithm of the accuracy asked of the trapezoid rule.
const DIGITS: f64 = 32.0;

/// A Cox model as far as its curves need it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoxCurves {
    /// One per feature; 0 where a fit gave none.
    pub coef: Vec<f64>,
    /// Features of the row whose cumulative hazard is given below.
    pub means: Vec<f64>,
    /// Ascending, with the cumulative hazard from each on.
    pub times: Vec<f64>,
    pub cumulative_hazard: Vec<f64>,
}

impl CoxCurves {
    /// From a fit.
    ///
    /// # Errors
    /// A fit with strata, which has no one baseline.
    pub fn of(fit: &CoxFit) -> Result<Self, SurvivalError> {
        let baseline = fit.baseline(None)?;
        Ok(Self {
            coef: fit.effects().collect(),
            means: fit.means.clone(),
            times: baseline.time.clone(),
            cumulative_hazard: baseline.cumulative_hazard.clone(),
        })
    }

    fn linear_predictor(&self, x: ArrayView1<f64>) -> f64 {
        x.iter().zip(&self.means).zip(&self.coef).map(|((x, m), b)| (x - m) * b).sum()
    }

    /// Predictions of rows x features at `times`: rows x times, one column for [`Output::Risk`].
    pub fn predict(&self, x: ArrayView2<f64>, times: &[f64], output: Output) -> Array2<f64> {
        let hazard = if output == Output::Risk { vec![1.0] } else { self.baseline(times) };
        let risk: Vec<f64> = x.rows().into_iter().map(|row| self.linear_predictor(row)).collect();
        Array2::from_shape_fn((risk.len(), hazard.len()), |(i, k)| match output {
            Output::Risk => risk[i],
            Output::CumulativeHazard => hazard[k] * risk[i].exp(),
            Output::Survival => (-hazard[k] * risk[i].exp()).exp(),
        })
    }

    /// Shares of the features in the prediction of x, features x columns.
    pub(super) fn values(&self, x: ArrayView1<f64>, background: ArrayView2<f64>, times: &[f64], output: Output) -> Array2<f64> {
        match output {
            Output::Risk => self.linear_predictor_values(x, background),
            Output::CumulativeHazard => self.cumulative_hazard_values(x, background, &self.baseline(times)),
            Output::Survival => self.survival_values(x, background, &self.baseline(times)),
        }
    }

    /// Baseline cumulative hazard at each time: a step function, 0 before its first time.
    fn baseline(&self, times: &[f64]) -> Vec<f64> {
        let at = |t: f64| self.times.partition_point(|&u| u <= t).checked_sub(1).map_or(0.0, |k| self.cumulative_hazard[k]);
        times.iter().map(|&t| at(t)).collect()
    }

    /// What each feature adds to the linear predictor of b when it is taken from x.
    fn steps(&self, x: ArrayView1<f64>, b: ArrayView1<f64>) -> Vec<f64> {
        x.iter().zip(&b).zip(&self.coef).map(|((x, b), coef)| coef * (x - b)).collect()
    }

    fn linear_predictor_values(&self, x: ArrayView1<f64>, background: ArrayView2<f64>) -> Array2<f64> {
        let rows = background.nrows() as f64;
        Array2::from_shape_fn((x.len(), 1), |(j, _)| self.coef[j] * (x[j] - background.column(j).sum() / rows))
    }

    fn cumulative_hazard_values(&self, x: ArrayView1<f64>, background: ArrayView2<f64>, hazard: &[f64]) -> Array2<f64> {
        let mut relative = vec![0.0; x.len()];
        let mut game = ProductGame::new();
        let outside = vec![1.0; x.len()];
        for b in background.rows() {
            let inside: Vec<f64> = self.steps(x, b).into_iter().map(f64::exp).collect();
            let weight = self.linear_predictor(b).exp() / background.nrows() as f64;
            game.values(&inside, &outside, weight, |j, value| relative[j] += value);
        }
        Array2::from_shape_fn((x.len(), hazard.len()), |(j, k)| relative[j] * hazard[k])
    }

    /// Shares in the survival, features x times.
    fn survival_values(&self, x: ArrayView1<f64>, background: ArrayView2<f64>, hazard: &[f64]) -> Array2<f64> {
        let mut values = Array2::zeros((x.len(), hazard.len()));
        let highest = hazard.iter().copied().fold(0.0, f64::max);
        if highest == 0.0 {
            return values;
        }
        let mut rows: Vec<Row> = background.rows().into_iter().map(|b| Row::new(self.linear_predictor(b), &self.steps(x, b))).collect();
        let largest = highest.ln() + rows.iter().map(|row| row.highest).fold(f64::NEG_INFINITY, f64::max);
        let step = std::f64::consts::PI / (DIGITS + largest.max(0.0));
        // Gamma falls by exp(-pi/2) per unit, products on the line grow as sqrt(y).
        let last = ((2.0 / std::f64::consts::PI) * (DIGITS + 4.0 + largest.max(0.0) / 2.0) / step).ceil() as usize;
        let rules: Vec<Vec<(f64, f64)>> = (0..=x.len()).map(|players| gauss_legendre(players.saturating_sub(1))).collect();
        let mut shares = vec![Complex::new(0.0, 0.0); x.len()];
        let mut game = ComplexGame::default();
        rows.iter_mut().for_each(|row| row.start(step));
        for m in 0..=last {
            let z = Complex::new(LINE, m as f64 * step);
            shares.fill(Complex::new(0.0, 0.0));
            for row in &mut rows {
                game.add(row, &rules[row.feature.len()], &mut shares);
                row.advance();
            }
            // The other half of the line is the conjugate.
            let both = if m == 0 { 1.0 } else { 2.0 };
            let factor = gamma(z) * (both * step / (2.0 * std::f64::consts::PI) / rows.len() as f64);
            for (k, &h) in hazard.iter().enumerate().filter(|&(_, &h)| h > 0.0) {
                let at = factor * (-z * h.ln()).exp();
                for (j, share) in shares.iter().enumerate() {
                    values[(j, k)] += (at * share).re;
                }
            }
        }
        values
    }
}

/// A background row's game at one point z of the line: `weight` times the product over its features of `exp(-z a)` inside and 1
/// outside.
struct Row {
    linear_predictor: f64,
    /// Largest logarithm of the relative hazard over all sets.
    highest: f64,
    /// Features that make a difference and their steps a.
    feature: Vec<usize>,
    step: Vec<f64>,
    /// The factors at z, and by what they change to the next z.
    weight: [Complex<f64>; 2],
    inside: Vec<[Complex<f64>; 2]>,
}

impl Row {
    fn new(linear_predictor: f64, steps: &[f64]) -> Self {
        let (feature, step): (Vec<usize>, Vec<f64>) = steps.iter().copied().enumerate().filter(|&(_, a)| a != 0.0).unzip();
        let highest = linear_predictor + step.iter().map(|a| a.max(0.0)).sum::<f64>();
        Self { linear_predictor, highest, feature, step, weight: [Complex::new(0.0, 0.0); 2], inside: Vec::new() }
    }

    /// Goes to the first point of the line, on the axis.
    fn start(&mut self, step: f64) {
        let factor = |a: f64| [Complex::new((-LINE * a).exp(), 0.0), Complex::from_polar(1.0, -step * a)];
        self.weight = factor(self.linear_predictor);
        self.inside = self.step.iter().map(|&a| factor(a)).collect();
    }

    fn advance(&mut self) {
        for [value, turn] in self.inside.iter_mut().chain([&mut self.weight]) {
            *value *= *turn;
        }
    }
}

/// Shapley values of a [`Row`]'s game as in [`ProductGame`]. Real and imaginary parts lie apart, so that the nodes of the
/// quadrature are computed side by side.
#[derive(Default)]
struct ComplexGame {
    product: [Vec<f64>; 2],
    /// Products of the factors before each feature, one row of nodes per feature.
    below: [Vec<f64>; 2],
}

impl ComplexGame {
    fn add(&mut self, row: &Row, rule: &[(f64, f64)], shares: &mut [Complex<f64>]) {
        let nodes = rule.len();
        let [re, im] = &mut self.product;
        let [below_re, below_im] = &mut self.below;
        re.clear();
        im.clear();
        re.extend(rule.iter().map(|&(_, weight)| row.weight[0].re * weight));
        im.extend(rule.iter().map(|&(_, weight)| row.weight[0].im * weight));
        below_re.clear();
        below_im.clear();
        for &[inside, _] in &row.inside {
            below_re.extend_from_slice(re);
            below_im.extend_from_slice(im);
            times_factors(inside - 1.0, rule, re, im);
        }
        re.fill(1.0);
        im.fill(0.0);
        for (k, &[inside, _]) in row.inside.iter().enumerate().rev() {
            let (below_re, below_im) = (&below_re[k * nodes..(k + 1) * nodes], &below_im[k * nodes..(k + 1) * nodes]);
            let mut sum = Complex::new(0.0, 0.0);
            for q in 0..nodes {
                sum.re += below_re[q] * re[q] - below_im[q] * im[q];
                sum.im += below_re[q] * im[q] + below_im[q] * re[q];
            }
            shares[row.feature[k]] += (inside - 1.0) * sum;
            times_factors(inside - 1.0, rule, re, im);
        }
    }
}

/// Multiplies the products at all nodes q by `1 + q change`.
fn times_factors(change: Complex<f64>, rule: &[(f64, f64)], re: &mut [f64], im: &mut [f64]) {
    for ((re, im), &(q, _)) in re.iter_mut().zip(im).zip(rule) {
        let (a, b) = (1.0 + q * change.re, q * change.im);
        (*re, *im) = (*re * a - *im * b, *re * b + *im * a);
    }
}

/// Gamma at a complex z, by Stirling's series far to the right and the recurrence back.
fn gamma(z: Complex<f64>) -> Complex<f64> {
    const SHIFT: usize = 16;
    // Coefficients B_2k / (2k (2k - 1)).
    const SERIES: [f64; 6] = [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0];
    let far = z + SHIFT as f64;
    let mut log = (far - 0.5) * far.ln() - far + 0.5 * (2.0 * std::f64::consts::PI).ln();
    let mut power = far.inv();
    for coefficient in SERIES {
        log += power * coefficient;
        power /= far * far;
    }
    (0..SHIFT).fold(log.exp(), |value, k| value / (z + k as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gamma_is_right_on_the_line_and_on_the_axis() {
        let root = std::f64::consts::PI.sqrt();
        assert!((gamma(Complex::new(0.5, 0.0)).re - root).abs() < 1e-14);
        assert!((gamma(Complex::new(-0.5, 0.0)).re + 2.0 * root).abs() < 1e-13);
        // |Gamma(1/2 + iy)|^2 = pi / cosh(pi y).
        for y in [0.3, 1.7, 6.0, 15.0] {
            let expected = std::f64::consts::PI / (std::f64::consts::PI * y).cosh();
            let found = gamma(Complex::new(0.5, y)).norm_sqr();
            assert!((found / expected - 1.0).abs() < 1e-12, "{y}: {found} {expected}");
        }
    }
}
