//! Gauss-Legendre quadrature on 0..1, and the Shapley values of a product.

use std::f64::consts::PI;

/// Nodes and weights that integrate polynomials of this degree over 0..1 exactly. Newton's method on the Legendre recurrence.
pub(super) fn gauss_legendre(degree: usize) -> Vec<(f64, f64)> {
    let n = degree / 2 + 1;
    (0..n)
        .map(|i| {
            let mut z = (PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
            let (mut value, mut slope) = legendre(n, z);
            for _ in 0..100 {
                let step = value / slope;
                z -= step;
                (value, slope) = legendre(n, z);
                if step.abs() < 1e-16 {
                    break;
                }
            }
            (0.5 * (1.0 + z), 1.0 / ((1.0 - z * z) * slope * slope))
        })
        .collect()
}

/// The Legendre polynomial of degree n and its derivative.
fn legendre(n: usize, z: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, z);
    for k in 2..=n {
        let k = k as f64;
        (before, value) = (value, ((2.0 * k - 1.0) * z * value - (k - 1.0) * before) / k);
    }
    (value, n as f64 * (z * value - before) / (z * z - 1.0))
}

/// Shapley values of the game `v(S) = prod_{k in S} inside_k * prod_{k not in S} outside_k`, exact, in O(players^2).
///
/// The multilinear extension of a product is a product, so that value k is
/// `(inside_k - outside_k) * integral over q in 0..1 of prod_{j != k} ((1 - q) outside_j + q inside_j)`: a polynomial of degree
/// players - 1. Owen, Management Science 1972;18:P64.
pub(super) struct ProductGame {
    rules: Vec<Vec<(f64, f64)>>,
    below: Vec<f64>,
}

impl ProductGame {
    pub fn new() -> Self {
        Self { rules: Vec::new(), below: Vec::new() }
    }

    /// Adds `weight` times the value of each player to `add(player, ..)`.
    pub fn values(&mut self, inside: &[f64], outside: &[f64], weight: f64, mut add: impl FnMut(usize, f64)) {
        let players = inside.len();
        while self.rules.len() <= players {
            self.rules.push(gauss_legendre(self.rules.len().saturating_sub(1)));
        }
        for &(q, rule) in &self.rules[players] {
            let factor = |k: usize| (1.0 - q) * outside[k] + q * inside[k];
            // Products of the factors before each player; those behind it follow on the way back.
            self.below.clear();
            let mut product = weight * rule;
            for k in 0..players {
                self.below.push(product);
                product *= factor(k);
            }
            let mut above = 1.0;
            for k in (0..players).rev() {
                add(k, (inside[k] - outside[k]) * self.below[k] * above);
                above *= factor(k);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_are_integrated_exactly() {
        for degree in 0..60 {
            let rule = gauss_legendre(degree);
            for power in 0..=degree as i32 {
                let sum: f64 = rule.iter().map(|&(z, w)| w * z.powi(power)).sum();
                assert!((sum - 1.0 / f64::from(power + 1)).abs() < 1e-14, "degree {degree}, power {power}: {sum}");
            }
        }
    }

    #[test]
    fn the_values_of_a_product_sum_to_its_change() {
        let (inside, outside) = ([1.0, 0.0, 1.0, 2.5, 0.3], [0.25, 0.5, 0.125, 1.5, 0.7]);
        let mut values = [0.0; 5];
        ProductGame::new().values(&inside, &outside, 2.0, |k, v| values[k] += v);
        let change = inside.iter().product::<f64>() - outside.iter().product::<f64>();
        assert!((values.iter().sum::<f64>() - 2.0 * change).abs() < 1e-15);
        // Two players by hand: the mean of both orders.
        let mut two = [0.0; 2];
        ProductGame::new().values(&[2.0, 5.0], &[1.0, 3.0], 1.0, |k, v| two[k] += v);
        assert!((two[0] - 4.0).abs() < 1e-14 && (two[1] - 3.0).abs() < 1e-14, "{two:?}");
    }
}
