//! A Cholesky factor that grows and shrinks by one column at a time.

use crate::simd::{axpy, dot_inline, vectorized};

/// A pivot below this share of its diagonal is raised to it: a column that depends on those before it moves along the null
/// direction until a coefficient reaches 0, instead of dividing by rounding error.
const SMALLEST_PIVOT: f64 = 1e-10;

/// Rows of the lower triangle L of `L L' = A`.
#[derive(Default)]
pub(crate) struct Factor {
    rows: Vec<Vec<f64>>,
}

impl Factor {
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn clear(&mut self) {
        self.rows.clear();
    }

    /// Appends a row and column to A: `row` holds its values against those already there, then its diagonal.
    pub fn push(&mut self, mut row: Vec<f64>) {
        let m = self.len();
        let before = &self.rows;
        let pivot = vectorized(
            #[inline(always)]
            || {
                for (k, before) in before.iter().enumerate() {
                    row[k] = (row[k] - dot_inline(&before[..k], &row[..k])) / before[k];
                }
                row[m] - dot_inline(&row[..m], &row[..m])
            },
        );
        row[m] = pivot.max(SMALLEST_PIVOT * row[m]).max(f64::MIN_POSITIVE).sqrt();
        self.rows.push(row);
    }

    /// Takes row and column `at` out of A. Givens rotations make the rest a triangle again.
    pub fn remove(&mut self, at: usize) {
        self.rows.remove(at);
        for k in at..self.len() {
            let (a, b) = (self.rows[k][k], self.rows[k][k + 1]);
            let length = a.hypot(b);
            let (cos, sin) = (a / length, b / length);
            for row in &mut self.rows[k..] {
                let (left, right) = (row[k], row[k + 1]);
                row[k] = cos * left + sin * right;
                row[k + 1] = cos * right - sin * left;
            }
            self.rows[k].truncate(k + 1);
        }
    }

    /// `A^-1 b`, in place.
    pub fn solve(&self, b: &mut [f64]) {
        vectorized(
            #[inline(always)]
            || {
                for (k, row) in self.rows.iter().enumerate() {
                    b[k] = (b[k] - dot_inline(&row[..k], &b[..k])) / row[k];
                }
                for (k, row) in self.rows.iter().enumerate().rev() {
                    b[k] /= row[k];
                    let value = b[k];
                    axpy(&mut b[..k], -value, &row[..k]);
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_after_columns_come_and_go() {
        let n = 7;
        let a = |i: usize, j: usize| if i == j { 4.0 + i as f64 } else { 1.0 / (1.0 + i as f64 + j as f64) };
        let mut factor = Factor::default();
        let mut kept: Vec<usize> = Vec::new();
        for i in 0..n {
            kept.push(i);
            factor.push(kept.iter().map(|&j| a(i, j)).collect());
        }
        for at in [2, 0, 4, 3] {
            kept.remove(at);
            factor.remove(at);
            let b: Vec<f64> = kept.iter().map(|&k| k as f64 - 2.5).collect();
            let mut x = b.clone();
            factor.solve(&mut x);
            for (row, &i) in kept.iter().enumerate() {
                let product: f64 = kept.iter().zip(&x).map(|(&j, x)| a(i, j) * x).sum();
                assert!((product - b[row]).abs() < 1e-12, "{product} {}", b[row]);
            }
        }
    }
}
