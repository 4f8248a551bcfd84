//! Products of tokens with weights, with what follows them (bias, GELU, residual) done while a tile is in the nearest cache.
//!
//! Each value is one sum over the inner axis in its order, so its bits depend neither on the tile that it falls into nor on the
//! number of rows or threads. The weights are laid out once in panels of columns.

use super::pool::{Buffer, Pool};
use super::simd::{gelu, gelu_slope, lanes, vectorized};
use pulp::Simd;
use rayon::prelude::*;

mod narrow;
mod wide;

/// Columns of a panel where sixteen vectors of eight values are all that the registers hold.
const NARROW: usize = 16;
/// Columns of a panel elsewhere.
const WIDE: usize = 64;
/// Rows of a tile at most: its sums, two or four vectors wide, with a row of the panel and one value are 15 of 16 or 29 of 32
/// registers. One more row is too much, and sums that pass through memory wait for it at every step.
const TILE: usize = 6;
/// Rows that one thread multiplies with a panel before it takes the next panel, at most.
const PIECE: usize = 128 * TILE;

/// Columns of a panel on this machine.
fn width() -> usize {
    if lanes() == 8 { NARROW } else { WIDE }
}

/// A matrix [k, n] as [n / width, k, width], with zeros beyond column n.
pub struct Panels {
    k: usize,
    n: usize,
    width: usize,
    values: Buffer,
}

impl Panels {
    /// With values to be written.
    fn of(k: usize, n: usize, width: usize, pool: &Pool) -> Self {
        Self { k, n, width, values: pool.take(n.div_ceil(width) * k * width) }
    }

    /// Of the transpose of `w`, [n, k].
    pub fn transposed(w: &[f32], n: usize, k: usize, pool: &Pool) -> Self {
        let width = width();
        let mut panels = Self::of(k, n, width, pool);
        panels.values.par_chunks_mut(k * width).zip(w.par_chunks(width * k)).for_each(|(panel, w)| match width {
            NARROW => turn_narrow(w, k, panel),
            _ => turn_wide(w, k, panel),
        });
        panels
    }

    /// Of `w`, [k, n].
    pub fn straight(w: &[f32], k: usize, n: usize, pool: &Pool) -> Self {
        Self::straight_of(w, k, n, width(), pool)
    }

    fn straight_of(w: &[f32], k: usize, n: usize, width: usize, pool: &Pool) -> Self {
        let mut panels = Self::of(k, n, width, pool);
        panels.values.par_chunks_mut(k * width).enumerate().for_each(|(p, panel)| match width {
            NARROW => lay::<NARROW>(w, n, p, panel),
            _ => lay::<WIDE>(w, n, p, panel),
        });
        panels
    }

    pub fn columns(&self) -> usize {
        self.n
    }
}

/// The p'th W columns of rows of `n`; zeros where there are fewer.
fn lay<const W: usize>(w: &[f32], n: usize, p: usize, panel: &mut [f32]) {
    let columns = n.min((p + 1) * W) - p * W;
    for (to, from) in panel.as_chunks_mut::<W>().0.iter_mut().zip(w.chunks_exact(n)) {
        match from[p * W..].first_chunk() {
            Some(whole) => *to = *whole,
            None => {
                to[..columns].copy_from_slice(&from[p * W..]);
                to[columns..].fill(0.0);
            }
        }
    }
}

vectorized! {
    fn turn_narrow<'a>[_simd](w: &'a [f32], k: usize, panel: &'a mut [f32]) {
        turn::<NARROW>(w, k, panel);
    }
}

vectorized! {
    fn turn_wide<'a>[_simd](w: &'a [f32], k: usize, panel: &'a mut [f32]) {
        turn::<WIDE>(w, k, panel);
    }
}

/// Rows of `w` become the W columns of a panel, sixteen rows by four cache lines at a time.
#[inline(always)]
fn turn<const W: usize>(w: &[f32], k: usize, panel: &mut [f32]) {
    const SIDE: usize = 16;
    const RUN: usize = 64;
    if w.len() < W * k {
        panel.fill(0.0);
    }
    let panel = panel.as_chunks_mut::<W>().0;
    let mut block = [[0.0f32; RUN]; SIDE];
    for (group, rows) in w.chunks(SIDE * k).enumerate() {
        for first in (0..k).step_by(RUN) {
            let last = k.min(first + RUN);
            for (held, row) in block.iter_mut().zip(rows.chunks_exact(k)) {
                held[..last - first].copy_from_slice(&row[first..last]);
            }
            for row in &mut block[rows.len() / k..] {
                row.fill(0.0);
            }
            for (i, line) in panel[first..last].iter_mut().enumerate() {
                for (to, held) in line[group * SIDE..][..SIDE].iter_mut().zip(&block) {
                    *to = held[i];
                }
            }
        }
    }
}

/// Rows of the inner length, each `step` values after the one before: rows may overlap.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    pub values: &'a [f32],
    pub step: usize,
}

/// Factors of `each` rows, counted from `before` rows before the first; none is 1.
#[derive(Clone, Copy)]
pub struct Scales<'a> {
    pub values: &'a [f32],
    pub each: usize,
    pub before: usize,
}

/// What becomes of a value z of the product.
#[derive(Clone, Copy)]
pub enum Then<'a> {
    /// z
    Nothing,
    /// z + bias of its column
    Bias(&'a [f32]),
    /// gelu(z + bias)
    Gelu(&'a [f32]),
    /// onto + scale (z + bias)
    Onto { bias: &'a [f32], onto: &'a [f32], scales: Scales<'a> },
    /// z gelu'(before)
    Slope(&'a [f32]),
}

/// y = a b, then `then`; as many rows as `y` has.
pub fn multiply(a: Rows, b: &Panels, then: Then, y: &mut [f32]) {
    let rows = y.len() / b.n;
    let piece = share(rows, if b.width == NARROW { narrow::piece(b.k) } else { PIECE });
    y.par_chunks_mut(piece * b.n).enumerate().for_each(|(i, y)| {
        let a = Rows { values: &a.values[i * piece * a.step..], step: a.step };
        match b.width {
            NARROW => narrow::strip(a, b, then, i * piece, y),
            _ => wide::strip(a, b, then, i * piece, y),
        }
    });
}

/// Rows that one thread takes at a time, `most` at most; any cut gives the same bits. As many pieces for each thread, and two where the
/// tiles that are cut at their ends are few among all.
fn share(rows: usize, most: usize) -> usize {
    let threads = rayon::current_num_threads();
    if threads == 1 {
        return most;
    }
    let rounds = rows.div_ceil(threads * most).max(if rows < 8 * threads * TILE { 1 } else { 2 });
    rows.div_ceil(rounds * threads)
}

/// Columns of rows from the `row`th of all.
#[derive(Clone, Copy)]
struct Place {
    row: usize,
    rows: usize,
    first: usize,
    last: usize,
    /// Columns of a whole row.
    n: usize,
}

/// Applies `then` to rows of sums, from the column on. By values, of a known length: no check and no other pointer keeps them from
/// being vectors. Columns beyond the last of a row come to nothing.
#[inline(always)]
fn apply<S: Simd>(then: Then, at: Place, column: usize, sums: &mut [[f32; NARROW]]) {
    match then {
        Then::Nothing => {}
        Then::Bias(bias) => {
            let bias = part(bias, column);
            for z in sums {
                for i in 0..NARROW {
                    z[i] += bias[i];
                }
            }
        }
        Then::Gelu(bias) => {
            let bias = part(bias, column);
            for z in sums {
                for i in 0..NARROW {
                    z[i] = gelu::<S>(z[i] + bias[i]);
                }
            }
        }
        Then::Onto { bias, onto, scales } => {
            let bias = part(bias, column);
            for (r, z) in sums.iter_mut().enumerate() {
                let row = at.row + r;
                let onto = part(onto, row * at.n + column);
                let scale = if scales.values.is_empty() { 1.0 } else { scales.values[(scales.before + row) / scales.each] };
                for i in 0..NARROW {
                    z[i] = onto[i] + scale * (z[i] + bias[i]);
                }
            }
        }
        Then::Slope(before) => {
            for (r, z) in sums.iter_mut().enumerate() {
                let before = part(before, (at.row + r) * at.n + column);
                for i in 0..NARROW {
                    z[i] *= gelu_slope::<S>(before[i]);
                }
            }
        }
    }
}

/// The values from `at` on, and zeros where there are fewer.
#[inline(always)]
fn part(values: &[f32], at: usize) -> [f32; NARROW] {
    let values = &values[at..];
    match values.first_chunk() {
        Some(whole) => *whole,
        None => {
            let mut part = [0.0; NARROW];
            part[..values.len()].copy_from_slice(values);
            part
        }
    }
}

/// As many of the values as `to` has.
#[inline(always)]
fn put(values: &[f32; NARROW], to: &mut [f32]) {
    match to.first_chunk_mut() {
        Some(whole) => *whole = *values,
        None => to.copy_from_slice(&values[..to.len()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers between -1 and 1.
    fn numbers(n: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..n).map(next).collect()
    }

    /// What becomes of a sum at a row and a column.
    type Simply<'a> = dyn Fn(f64, usize, usize) -> f64 + 'a;

    fn gelu_of(x: f64) -> f64 {
        x * 0.5 * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2))
    }

    fn slope_of(x: f64) -> f64 {
        (gelu_of(x + 1e-6) - gelu_of(x - 1e-6)) / 2e-6
    }

    #[test]
    fn products_of_both_kernels_are_the_sums_by_definition() {
        let pool = Pool::default();
        // Rows, inner length, columns, step: whole and cut tiles, panels and parts of the inner length; rows that overlap; one row
        // that is longer than a piece.
        let sizes = [
            (1, 1, 1, 1),
            (7, 30, 17, 30),
            (6, 256, 16, 256),
            (13, 300, 65, 300),
            (20, 700, 130, 700),
            (9, 24, 32, 8),
            (7, 70_000, 3, 70_000),
        ];
        for (m, k, n, step) in sizes {
            let (a, w) = (numbers((m - 1) * step + k, 1), numbers(k * n, 2));
            let (bias, onto, factors) = (numbers(n, 3), numbers(m * n, 4), numbers(m + 1, 5));
            let scales = Scales { values: &factors, each: 1, before: 1 };
            let cases: [(Then, &Simply); 5] = [
                (Then::Nothing, &|z, _, _| z),
                (Then::Bias(&bias), &|z, _, j| z + f64::from(bias[j])),
                (Then::Gelu(&bias), &|z, _, j| gelu_of(z + f64::from(bias[j]))),
                (Then::Onto { bias: &bias, onto: &onto, scales }, &|z, i, j| {
                    f64::from(onto[i * n + j]) + f64::from(factors[i + 1]) * (z + f64::from(bias[j]))
                }),
                (Then::Slope(&onto), &|z, i, j| z * slope_of(f64::from(onto[i * n + j]))),
            ];
            for (then, simply) in cases {
                let kernels = [NARROW, WIDE].map(|width| {
                    // The narrow kernel's vectors are of eight values.
                    if width == NARROW && lanes() != 8 {
                        return None;
                    }
                    let mut y = vec![f32::NAN; m * n];
                    multiply(Rows { values: &a, step }, &Panels::straight_of(&w, k, n, width, &pool), then, &mut y);
                    Some(y)
                });
                for y in kernels.iter().flatten() {
                    for (at, &y) in y.iter().enumerate() {
                        let (i, j) = (at / n, at % n);
                        let terms = (0..k).map(|l| f64::from(a[i * step + l]) * f64::from(w[l * n + j]));
                        let (z, size) = terms.fold((0.0, 1.0), |(z, size), t| (z + t, size + t.abs()));
                        let want = simply(z, i, j);
                        assert!((f64::from(y) - want).abs() < 2e-6 * size, "{m} {k} {n}, row {i}, column {j}: {y} {want}");
                    }
                }
                if let [Some(narrow), Some(wide)] = kernels {
                    assert!(narrow.iter().zip(&wide).all(|(a, b)| a.to_bits() == b.to_bits()), "{m} {k} {n}");
                }
            }
        }
    }

    #[test]
    fn a_transpose_gives_the_same_panels() {
        let pool = Pool::default();
        for (k, n) in [(1, 1), (5, 16), (70, 17), (100, 130)] {
            let w = numbers(k * n, 6);
            let turned: Vec<f32> = (0..n * k).map(|i| w[i % k * n + i / k]).collect();
            assert_eq!(&*Panels::transposed(&turned, n, k, &pool).values, &*Panels::straight(&w, k, n, &pool).values, "{k} {n}");
        }
    }
}
