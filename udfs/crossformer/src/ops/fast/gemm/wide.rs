//! Tiles of rows that are read where they are, for vectors of which 32 fit the registers.

use super::super::simd::vectorized;
use super::{NARROW, Panels, Place, Rows, TILE, Then, WIDE, apply, part, put};
use pulp::Simd;

vectorized! {
    /// Rows of `y`, the first of which is the `first_row`th of all.
    pub fn strip<'a>[simd](a: Rows<'a>, b: &'a Panels, then: Then<'a>, first_row: usize, y: &'a mut [f32]) {
        let rows = y.len() / b.n;
        for (p, panel) in b.values.chunks_exact(b.k * WIDE).enumerate() {
            let panel = &panel.as_chunks::<WIDE>().0[..b.k];
            let (first, last) = (p * WIDE, b.n.min((p + 1) * WIDE));
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
                finish::<S>(then, Place { row: first_row + i, rows: TILE.min(rows - i), first, last, n: b.n }, y);
            }
        }
    }
}

/// Applies `then` to columns of the first rows of `y`.
#[inline(always)]
fn finish<S: Simd>(then: Then, at: Place, y: &mut [f32]) {
    if let Then::Nothing = then {
        return;
    }
    for column in (at.first..at.last).step_by(NARROW) {
        let mut sums = [[0.0; NARROW]; TILE];
        let sums = &mut sums[..at.rows];
        let place = |r: usize| r * at.n + column..r * at.n + at.last.min(column + NARROW);
        for (r, sums) in sums.iter_mut().enumerate() {
            *sums = part(&y[place(r)], 0);
        }
        apply::<S>(then, at, column, sums);
        for (r, sums) in sums.iter().enumerate() {
            put(sums, &mut y[place(r)]);
        }
    }
}

#[derive(Clone, Copy)]
struct Tile<'a> {
    panel: &'a [[f32; WIDE]],
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
        let vectors = if left >= 4 {
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
