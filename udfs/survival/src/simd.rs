//! Sums over slices, compiled for several instruction sets and chosen at run time.
//!
//! Each sum has one order of additions and no fused multiply-add: the bits do not depend on the machine.

/// Runs `body` compiled for the best instruction set there is; what it calls takes part as far as it is inlined.
#[inline(always)]
pub(crate) fn vectorized<R>(body: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(body)
}

const LANES: usize = 8;

/// `a . b`, in eight interleaved sums.
#[inline(always)]
pub(crate) fn dot_inline(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (x, y) in a.iter().zip(b) {
        for k in 0..LANES {
            sums[k] += x[k] * y[k];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}

/// `a . b`.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    vectorized(
        #[inline(always)]
        || dot_inline(a, b),
    )
}

/// `to += factor * x`.
#[inline(always)]
pub(crate) fn axpy(to: &mut [f64], factor: f64, x: &[f64]) {
    to.iter_mut().zip(x).for_each(|(t, x)| *t += factor * x);
}

/// `out[k] = column(k) . y` for the k of `at`, four columns to a pass; each the same bits as [`dot`].
pub(crate) fn dots<'a>(at: &[usize], column: impl Fn(usize) -> &'a [f64], y: &[f64], mut put: impl FnMut(usize, f64)) {
    vectorized(
        #[inline(always)]
        || {
            let (fours, rest) = at.as_chunks::<4>();
            for four in fours {
                let sums = four_dots(four.map(&column), y);
                four.iter().zip(sums).for_each(|(&k, sum)| put(k, sum));
            }
            rest.iter().for_each(|&k| put(k, dot_inline(column(k), y)));
        },
    )
}

#[inline(always)]
fn four_dots(columns: [&[f64]; 4], y: &[f64]) -> [f64; 4] {
    let (y, y_rest) = y.as_chunks::<LANES>();
    let mut sums = [[0.0; LANES]; 4];
    let chunks = columns.map(|c| &c.as_chunks::<LANES>().0[..y.len()]);
    for (at, y) in y.iter().enumerate() {
        for (sums, chunks) in sums.iter_mut().zip(&chunks) {
            let x = &chunks[at];
            for k in 0..LANES {
                sums[k] += x[k] * y[k];
            }
        }
    }
    let mut out = [0.0; 4];
    for ((out, column), sums) in out.iter_mut().zip(columns).zip(sums) {
        let rest: f64 = column[y.len() * LANES..].iter().zip(y_rest).map(|(x, y)| x * y).sum();
        *out = sums.iter().sum::<f64>() + rest;
    }
    out
}

/// `out = sum of factors[k] * column(at[k])`, added in that order.
pub(crate) fn combine<'a>(out: &mut [f64], at: &[usize], factors: &[f64], column: impl Fn(usize) -> &'a [f64]) {
    vectorized(
        #[inline(always)]
        || {
            out.fill(0.0);
            let n = out.len();
            let ((fours, rest), (by_four, by_rest)) = (at.as_chunks::<4>(), factors.as_chunks::<4>());
            for (four, f) in fours.iter().zip(by_four) {
                let [x, y, z, w] = four.map(|k| &column(k)[..n]);
                for i in 0..n {
                    out[i] = (((out[i] + f[0] * x[i]) + f[1] * y[i]) + f[2] * z[i]) + f[3] * w[i];
                }
            }
            rest.iter().zip(by_rest).for_each(|(&k, &f)| axpy(out, f, column(k)));
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_by_four_are_the_sums_one_by_one() {
        let (n, p) = (37, 11);
        let x: Vec<f64> = (0..n * p).map(|i| (i as f64 * 0.7).sin()).collect();
        let y: Vec<f64> = (0..n).map(|i| (i as f64 * 1.3).cos()).collect();
        let column = |k: usize| &x[k * n..(k + 1) * n];
        let at: Vec<usize> = (0..p).rev().collect();
        let mut sums = vec![0.0; p];
        dots(&at, column, &y, |k, sum| sums[k] = sum);
        let (mut combined, mut expected) = (vec![1.0; n], vec![0.0; n]);
        combine(&mut combined, &at, &sums, column);
        for (k, &j) in at.iter().enumerate() {
            let plain: f64 = column(j).iter().zip(&y).map(|(a, b)| a * b).sum();
            assert_eq!(sums[j], dot(column(j), &y));
            assert!((sums[j] - plain).abs() < 1e-13);
            axpy(&mut expected, sums[k], column(j));
        }
        assert_eq!(combined, expected);
    }
}
