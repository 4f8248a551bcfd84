//! L D L' of a symmetric non-negative definite matrix that may be singular.

/// Factor of a matrix of size `size`, row-major. Columns that depend on those before them are left out: they get a zero
/// row and column in every inverse.
pub(crate) struct Ldl {
    size: usize,
    /// Unit lower triangle below the diagonal, D on it.
    factor: Vec<f64>,
    kept: Vec<bool>,
}

impl Ldl {
    /// A pivot below `tolerance` times the largest diagonal entry marks its column as dependent, as does `candidates` when false.
    pub fn new(matrix: &[f64], size: usize, tolerance: f64, candidates: Option<&[bool]>) -> Self {
        let mut a = matrix.to_vec();
        let largest = (0..size).map(|i| a[i * size + i]).fold(0.0, f64::max);
        let threshold = if largest > 0.0 { largest * tolerance } else { tolerance };
        let mut kept = vec![false; size];
        for i in 0..size {
            let pivot = a[i * size + i];
            kept[i] = pivot >= threshold && pivot.is_finite() && candidates.is_none_or(|c| c[i]);
            if !kept[i] {
                (i..size).for_each(|j| a[j * size + i] = 0.0);
                continue;
            }
            for j in i + 1..size {
                let l = a[j * size + i] / pivot;
                for k in j..size {
                    a[k * size + j] -= l * if k == j { l * pivot } else { a[k * size + i] };
                }
                a[j * size + i] = l;
            }
        }
        Self { size, factor: a, kept }
    }

    /// False for the columns left out.
    pub fn kept(&self) -> &[bool] {
        &self.kept
    }

    /// Solves in place.
    pub fn solve(&self, b: &mut [f64]) {
        let (n, f) = (self.size, &self.factor);
        for i in 0..n {
            let sum: f64 = (0..i).map(|j| f[i * n + j] * b[j]).sum();
            b[i] = if self.kept[i] { b[i] - sum } else { 0.0 };
        }
        for i in (0..n).rev().filter(|&i| self.kept[i]) {
            let sum: f64 = (i + 1..n).map(|j| f[j * n + i] * b[j]).sum();
            b[i] = b[i] / f[i * n + i] - sum;
        }
    }

    /// The (generalised) inverse, row-major.
    pub fn inverse(&self) -> Vec<f64> {
        let n = self.size;
        let mut inverse = vec![0.0; n * n];
        for i in (0..n).filter(|&i| self.kept[i]) {
            inverse[i * n + i] = 1.0;
            self.solve(&mut inverse[i * n..(i + 1) * n]);
        }
        // Rounding must not make it asymmetric.
        for i in 0..n {
            for j in 0..i {
                inverse[i * n + j] = inverse[j * n + i];
            }
        }
        inverse
    }

    /// b' A^-1 b.
    pub fn quadratic(&self, b: &[f64]) -> f64 {
        let mut solved = b.to_vec();
        self.solve(&mut solved);
        b.iter().zip(&solved).map(|(x, y)| x * y).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverts_and_leaves_dependent_columns_out() {
        // The third column is the sum of the first two.
        let a = [4.0, 1.0, 5.0, 1.0, 3.0, 4.0, 5.0, 4.0, 9.0];
        let ldl = Ldl::new(&a, 3, 1e-12, None);
        assert_eq!(ldl.kept(), [true, true, false]);
        let inverse = ldl.inverse();
        for (found, expected) in inverse.iter().zip([3.0, -1.0, 0.0, -1.0, 4.0, 0.0, 0.0, 0.0, 0.0]) {
            assert!((found - expected / 11.0).abs() < 1e-15);
        }
        assert!((ldl.quadratic(&[1.0, 2.0, 3.0]) - 15.0 / 11.0).abs() < 1e-14);
    }
}
