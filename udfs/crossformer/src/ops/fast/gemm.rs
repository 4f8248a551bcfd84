//! Products of tokens with weights, with what follows them (bias, GELU, residual) done while a tile is in the nearest cache.
//!
//! Each value is one sum over the inner axis in its order, so its bits depend neither on the tile that it falls into nor on the
//! number of rows or threads. Rows are read where they are; the weights are laid out once in panels of columns.

use super::pool::{Buffer, Pool};
use super::simd::{gelu, gelu_slope, vectorized};
use pulp::Simd;
use rayon::prelude::*;

/// Columns of a panel.
const PANEL: usize = 64;
/// Rows of a tile at most: its sums, four vectors wide, with a row of the panel and one value are 29 of 32 registers. One more row
/// makes 33, and sums that pass through memory wait for it at every step.
const TILE: usize = 6;
/// Rows that one thread multiplies with a panel before it takes the next panel, at most.
const PIECE: usize = 128 * TILE;

/// A matrix [k, n] as [n / PANEL, k, PANEL], with zeros beyond column n.
pub struct Panels {
    k: usize,
    n: usize,
    values: Buffer,
}

impl Panels {
    /// Of the transpose of `w`, [n, k].
    pub fn transposed(w: &[f32], n: usize, k: usize, pool: &Pool) -> Self {
        let mut values = pool.take(n.div_ceil(PANEL) * k * PANEL);
        values.par_chunks_mut(k * PANEL).zip(w.par_chunks(PANEL * k)).for_each(|(panel, w)| turn(w, k, panel));
        Self { k, n, values }
    }

    /// Of `w`, [k, n].
    pub fn straight(w: &[f32], k: usize, n: usize, pool: &Pool) -> Self {
        let mut values = pool.take(n.div_ceil(PANEL) * k * PANEL);
        values.par_chunks_mut(k * PANEL).enumerate().for_each(|(p, panel)| {
            let columns = p * PANEL..n.min((p + 1) * PANEL);
            for (to, from) in panel.chunks_exact_mut(PANEL).zip(w.chunks_exact(n)) {
                to[..columns.len()].copy_from_slice(&from[columns.clone()]);
                to[columns.len()..].fill(0.0);
            }
        });
        Self { k, n, values }
    }

    pub fn columns(&self) -> usize {
        self.n
    }
}

vectorized! {
    /// Rows of `w` become the columns of a panel, sixteen rows by four cache lines at a time.
    fn turn<'a>[_simd](w: &'a [f32], k: usize, panel: &'a mut [f32]) {
        const SIDE: usize = 16;
        if w.len() < PANEL * k {
            panel.fill(0.0);
        }
        let panel = panel.as_chunks_mut::<PANEL>().0;
        let mut block = [[0.0f32; PANEL]; SIDE];
        for (group, rows) in w.chunks(SIDE * k).enumerate() {
            for first in (0..k).step_by(PANEL) {
                let last = k.min(first + PANEL);
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
    // Any cut gives the same bits.
    let share = rows.div_ceil(2 * rayon::current_num_threads());
    let piece = if rayon::current_num_threads() == 1 { PIECE } else { share.next_multiple_of(TILE).min(PIECE) };
    y.par_chunks_mut(piece * b.n).enumerate().for_each(|(i, y)| {
        let a = Rows { values: &a.values[i * piece * a.step..], step: a.step };
        strip(a, b, then, i * piece, y);
    });
}

vectorized! {
    /// `y` begins at row `first_row`.
    fn strip<'a>[simd](a: Rows<'a>, b: &'a Panels, then: Then<'a>, first_row: usize, y: &'a mut [f32]) {
        let rows = y.len() / b.n;
        for (p, panel) in b.values.chunks_exact(b.k * PANEL).enumerate() {
            let panel = &panel.as_chunks::<PANEL>().0[..b.k];
            let (first, last) = (p * PANEL, b.n.min((p + 1) * PANEL));
            for i in (0..rows).step_by(TILE) {
                let y = &mut y[i * b.n..];
                let t = Tile { panel, step: a.step, columns: (first, last), n: b.n };
                let a = &a.values[i * a.step..];
                // A closure here would be compiled without the instruction set.
                match rows - i {
                    1 => tile::<S, 1>(simd, t, a, y),
                    2 => tile::<S, 2>(simd, t, a, y),
                    3 => tile::<S, 3>(simd, t, a, y),
                    4 => tile::<S, 4>(simd, t, a, y),
                    5 => tile::<S, 5>(simd, t, a, y),
                    _ => tile::<S, 6>(simd, t, a, y),
                }
                for r in 0..TILE.min(rows - i) {
                    finish::<S>(then, first_row + i + r, (first, last), b.n, &mut y[r * b.n..]);
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Tile<'a> {
    panel: &'a [[f32; PANEL]],
    /// From a row of `a` to the next.
    step: usize,
    /// First column and the one behind the last.
    columns: (usize, usize),
    /// From a row of `y` to the next.
    n: usize,
}

/// R rows of a panel's columns.
#[inline(always)]
fn tile<S: Simd, const R: usize>(simd: S, t: Tile, a: &[f32], y: &mut [f32]) {
    let k = t.panel.len();
    let rows: [&[f32]; R] = std::array::from_fn(|r| &a[r * t.step..r * t.step + k]);
    let mut column = t.columns.0;
    while column < t.columns.1 {
        let left = (t.columns.1 - column).div_ceil(S::F32_LANES);
        let at = column - t.columns.0;
        // Where vectors are of eight values there are sixteen registers, elsewhere 32.
        let vectors = if left >= 4 && S::F32_LANES != 8 {
            sums::<S, R, 4>(simd, t, rows, at, column, y)
        } else if left >= 2 {
            sums::<S, R, 2>(simd, t, rows, at, column, y)
        } else {
            sums::<S, R, 1>(simd, t, rows, at, column, y)
        };
        column += vectors * S::F32_LANES;
    }
}

/// R rows by V vectors.
#[inline(always)]
fn sums<S: Simd, const R: usize, const V: usize>(simd: S, t: Tile, rows: [&[f32]; R], at: usize, column: usize, y: &mut [f32]) -> usize {
    let lanes = S::F32_LANES;
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    for (i, b) in t.panel.iter().enumerate() {
        let (b, _) = S::as_simd_f32s(&b[at..at + V * lanes]);
        let b: [S::f32s; V] = std::array::from_fn(|v| b[v]);
        for r in 0..R {
            let a = simd.splat_f32s(rows[r][i]);
            for v in 0..V {
                sums[r][v] = simd.mul_add_f32s(a, b[v], sums[r][v]);
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        for (v, sum) in sums.iter().enumerate() {
            let from = column + v * lanes;
            let to = t.columns.1.min(from + lanes);
            let y = &mut y[r * t.n + from..r * t.n + to];
            match S::as_mut_simd_f32s(y).0 {
                [whole] => *whole = *sum,
                _ => simd.partial_store_f32s(y, *sum),
            }
        }
    }
    V
}

/// Applies `then` to columns of one row, the row'th of all.
#[inline(always)]
fn finish<S: Simd>(then: Then, row: usize, (first, last): (usize, usize), n: usize, y: &mut [f32]) {
    let y = &mut y[first..last];
    match then {
        Then::Nothing => {}
        Then::Bias(bias) => y.iter_mut().zip(&bias[first..last]).for_each(|(y, b)| *y += b),
        Then::Gelu(bias) => y.iter_mut().zip(&bias[first..last]).for_each(|(y, b)| *y = gelu::<S>(*y + b)),
        Then::Onto { bias, onto, scales } => {
            let onto = &onto[row * n + first..row * n + last];
            let scale = if scales.values.is_empty() { 1.0 } else { scales.values[(scales.before + row) / scales.each] };
            for ((y, b), x) in y.iter_mut().zip(&bias[first..last]).zip(onto) {
                *y = x + scale * (*y + b);
            }
        }
        Then::Slope(before) => {
            let before = &before[row * n + first..row * n + last];
            y.iter_mut().zip(before).for_each(|(y, x)| *y *= gelu_slope::<S>(*x));
        }
    }
}
