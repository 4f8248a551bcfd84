//! Second largest eigenvalue of a nearly symmetric matrix.
//!
//! Householder reduction to Hessenberg form, then bisection on the Sturm sequence where the form is tridiagonal, or
//! shifted QR (Francis) where the matrix is not symmetric enough. Golub & Van Loan, Matrix Computations, 7.4 to 8.4.

/// Asymmetry below which the symmetric part has the same eigenvalues: they move by its square.
const SYMMETRIC: f64 = 1e-8;

/// Second largest of the eigenvalues' real parts. `a` is row-major, `n` x `n` with `n` at least 2. NaN when the
/// iteration does not settle.
pub(crate) fn second_largest(mut a: Vec<f64>, n: usize) -> f64 {
    let mut asymmetry = 0.0;
    for i in 0..n {
        for j in 0..i {
            asymmetry += (a[i * n + j] - a[j * n + i]).powi(2);
        }
    }
    let symmetric = asymmetry.sqrt() < SYMMETRIC;
    if symmetric {
        for i in 0..n {
            for j in 0..i {
                let mean = 0.5 * (a[i * n + j] + a[j * n + i]);
                a[i * n + j] = mean;
                a[j * n + i] = mean;
            }
        }
    }
    hessenberg(&mut a, n);
    if symmetric {
        let diagonal: Vec<f64> = (0..n).map(|i| a[i * n + i]).collect();
        let beside: Vec<f64> = (1..n).map(|i| a[i * n + i - 1]).collect();
        return second_of_tridiagonal(&diagonal, &beside);
    }
    let mut real = real_parts(a, n);
    real.sort_by(f64::total_cmp);
    real.get(n - 2).copied().unwrap_or(f64::NAN)
}

/// Orthogonal reduction to zeros below the first subdiagonal.
fn hessenberg(a: &mut [f64], n: usize) {
    let mut v = vec![0.0; n];
    let mut projection = vec![0.0; n];
    for m in 1..n.saturating_sub(1) {
        let norm = (m..n).map(|i| a[i * n + m - 1].powi(2)).sum::<f64>().sqrt();
        if norm == 0.0 {
            continue;
        }
        for i in m..n {
            v[i] = a[i * n + m - 1];
        }
        v[m] += norm.copysign(v[m]);
        let square: f64 = v[m..n].iter().map(|x| x * x).sum();
        // Left: rows m.. lose twice their component along v.
        projection.fill(0.0);
        for i in m..n {
            for j in 0..n {
                projection[j] += v[i] * a[i * n + j];
            }
        }
        for i in m..n {
            let factor = 2.0 * v[i] / square;
            for j in 0..n {
                a[i * n + j] -= factor * projection[j];
            }
        }
        // Right: columns m.. likewise.
        for row in a.chunks_exact_mut(n) {
            let along: f64 = row[m..].iter().zip(&v[m..]).map(|(x, v)| x * v).sum();
            let factor = 2.0 * along / square;
            for (x, v) in row[m..].iter_mut().zip(&v[m..]) {
                *x -= factor * v;
            }
        }
    }
}

/// Second largest eigenvalue of a symmetric tridiagonal matrix by bisection.
fn second_of_tridiagonal(diagonal: &[f64], beside: &[f64]) -> f64 {
    let n = diagonal.len();
    let reach = |i: usize| {
        let left = if i > 0 { beside[i - 1].abs() } else { 0.0 };
        left + beside.get(i).map_or(0.0, |b| b.abs())
    };
    let mut low = (0..n).map(|i| diagonal[i] - reach(i)).fold(f64::INFINITY, f64::min);
    let mut high = (0..n).map(|i| diagonal[i] + reach(i)).fold(f64::NEG_INFINITY, f64::max);
    // Eigenvalues above x: signs of the pivots of T - x.
    let above = |x: f64| {
        let mut pivot = diagonal[0] - x;
        let mut count = usize::from(pivot > 0.0);
        for i in 1..n {
            // A pivot of 0 counts as just below.
            let divisor = if pivot == 0.0 { -f64::MIN_POSITIVE } else { pivot };
            pivot = diagonal[i] - x - beside[i - 1] * beside[i - 1] / divisor;
            count += usize::from(pivot > 0.0);
        }
        count
    };
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if above(middle) >= 2 {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Real parts of the eigenvalues of a Hessenberg matrix; empty when the iteration does not settle.
fn real_parts(mut a: Vec<f64>, n: usize) -> Vec<f64> {
    let mut real = vec![0.0; n];
    let norm: f64 = a.iter().map(|v| v.abs()).sum();
    // The active block ends before `end`.
    let mut end = n;
    let mut turns = 0;
    let mut moved = 0.0;
    while end > 0 {
        let last = end - 1;
        // The block starts after the last negligible subdiagonal.
        let mut start = last;
        while start > 0 {
            let size = a[(start - 1) * n + start - 1].abs() + a[start * n + start].abs();
            let size = if size == 0.0 { norm } else { size };
            if a[start * n + start - 1].abs() <= f64::EPSILON * size {
                a[start * n + start - 1] = 0.0;
                break;
            }
            start -= 1;
        }
        let mut x = a[last * n + last];
        if start == last {
            real[last] = x + moved;
            end -= 1;
            turns = 0;
            continue;
        }
        let mut y = a[(last - 1) * n + last - 1];
        let mut w = a[last * n + last - 1] * a[(last - 1) * n + last];
        if start + 1 == last {
            let half = 0.5 * (y - x);
            let square = half * half + w;
            (real[last - 1], real[last]) = if square >= 0.0 {
                let z = half + square.sqrt().copysign(half);
                (x + moved + z, if z == 0.0 { x + moved } else { x + moved - w / z })
            } else {
                (x + moved + half, x + moved + half)
            };
            end -= 2;
            turns = 0;
            continue;
        }
        if turns == 60 {
            return Vec::new();
        }
        if turns > 0 && turns % 10 == 0 {
            // An exceptional shift breaks cycles.
            moved += x;
            (0..end).for_each(|i| a[i * n + i] -= x);
            let s = a[last * n + last - 1].abs() + a[(last - 1) * n + last - 2].abs();
            (x, y, w) = (0.75 * s, 0.75 * s, -0.4375 * s * s);
        }
        turns += 1;
        double_step(&mut a, n, start, last, [x, y, w]);
    }
    real
}

/// One implicit double-shift QR step on rows and columns `start..=last`.
fn double_step(a: &mut [f64], n: usize, start: usize, last: usize, [x, y, w]: [f64; 3]) {
    let mut m = last - 2;
    let (mut p, mut q, mut r);
    loop {
        let z = a[m * n + m];
        let (dx, dy) = (x - z, y - z);
        p = (dx * dy - w) / a[(m + 1) * n + m] + a[m * n + m + 1];
        q = a[(m + 1) * n + m + 1] - z - dx - dy;
        r = a[(m + 2) * n + m + 1];
        let s = p.abs() + q.abs() + r.abs();
        (p, q, r) = (p / s, q / s, r / s);
        if m == start {
            break;
        }
        let small = a[m * n + m - 1].abs() * (q.abs() + r.abs());
        let large = p.abs() * (a[(m - 1) * n + m - 1].abs() + z.abs() + a[(m + 1) * n + m + 1].abs());
        if small <= f64::EPSILON * large {
            break;
        }
        m -= 1;
    }
    for i in m + 2..=last {
        a[i * n + i - 2] = 0.0;
        if i > m + 2 {
            a[i * n + i - 3] = 0.0;
        }
    }
    for k in m..last {
        let three = k + 1 < last;
        let mut scale = 1.0;
        if k > m {
            p = a[k * n + k - 1];
            q = a[(k + 1) * n + k - 1];
            r = if three { a[(k + 2) * n + k - 1] } else { 0.0 };
            scale = p.abs() + q.abs() + r.abs();
            if scale != 0.0 {
                (p, q, r) = (p / scale, q / scale, r / scale);
            }
        }
        let s = (p * p + q * q + r * r).sqrt().copysign(p);
        if s == 0.0 {
            continue;
        }
        if k > m {
            a[k * n + k - 1] = -s * scale;
        } else if start != m {
            a[k * n + k - 1] = -a[k * n + k - 1];
        }
        p += s;
        let reflect = [p / s, q / s, r / s];
        (q, r) = (q / p, r / p);
        for j in k..=last {
            let mut along = a[k * n + j] + q * a[(k + 1) * n + j];
            if three {
                along += r * a[(k + 2) * n + j];
                a[(k + 2) * n + j] -= along * reflect[2];
            }
            a[(k + 1) * n + j] -= along * reflect[1];
            a[k * n + j] -= along * reflect[0];
        }
        for i in start..=last.min(k + 3) {
            let row = &mut a[i * n..(i + 1) * n];
            let mut along = reflect[0] * row[k] + reflect[1] * row[k + 1];
            if three {
                along += reflect[2] * row[k + 2];
                row[k + 2] -= along * r;
            }
            row[k + 1] -= along * q;
            row[k] -= along;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A matrix with the given eigenvalues: similar to their diagonal by a unit triangular matrix and its inverse.
    fn similar_to(values: &[f64]) -> Vec<f64> {
        let n = values.len();
        let mut a = vec![0.0; n * n];
        (0..n).for_each(|i| a[i * n + i] = values[i]);
        for (i, j, f) in [(1, 0, 0.5), (2, 1, -0.3), (3, 0, 0.7), (0, 3, 0.4), (2, 3, 0.6), (1, 2, -0.8)] {
            for k in 0..n {
                a[i * n + k] += f * a[j * n + k];
            }
            for k in 0..n {
                a[k * n + j] -= f * a[k * n + i];
            }
        }
        a
    }

    #[test]
    fn real_eigenvalues_of_a_general_matrix() {
        for values in [[1.0, 0.9, 0.2, -0.1], [0.3, 0.3, 0.1, 0.0], [1.0, 0.25, 0.5, 0.125]] {
            let mut sorted = values;
            sorted.sort_by(f64::total_cmp);
            let found = second_largest(similar_to(&values), 4);
            assert!((found - sorted[2]).abs() < 1e-7, "{values:?}: {found}");
        }
    }

    #[test]
    fn blocks_and_repeated_eigenvalues() {
        let h = 0.5;
        let blocks = vec![h, h, 0.0, 0.0, h, h, 0.0, 0.0, 0.0, 0.0, h, h, 0.0, 0.0, h, h];
        assert!((second_largest(blocks, 4) - 1.0).abs() < 1e-14);
        assert!((second_largest(vec![1.0, 0.0, 0.0, 1.0], 2) - 1.0).abs() < 1e-14);
        assert!(second_largest(vec![h, h, h, h], 2).abs() < 1e-14);
    }

    #[test]
    fn symmetric_matrices_by_both_ways() {
        let n = 12;
        let mut a: Vec<f64> = (0..n * n).map(|k| ((k % n) as f64 * (k / n) as f64 + 1.0).sqrt() % 1.0).collect();
        let mut general = a.clone();
        hessenberg(&mut general, n);
        let mut real = real_parts(general, n);
        real.sort_by(f64::total_cmp);
        assert!((second_largest(a.clone(), n) - real[n - 2]).abs() < 1e-13);
        a[1] += 1e-7;
        assert!((second_largest(a, n) - real[n - 2]).abs() < 1e-6);
    }
}
