//! Tiles of rows that are copied first, for vectors of eight values of which sixteen fit the registers.
//!
//! What the innermost loop reads lies one after the other and at distances that it knows: of a panel, a part that stays in the
//! nearest cache from tile to tile, and of the rows a tile. Without an address to compute, two instructions of three are products,
//! which tells on a core whose other half works for somebody else.

// Loops over rows and vectors by number are unrolled, and the sums stay in registers.
#![allow(clippy::needless_range_loop)]

use super::super::simd::vectorized;
use super::{NARROW, Panels, Place, Rows, TILE, Then, apply, part, put};
use pulp::Simd;

/// Part of the inner length that is summed at a time.
const DEPTH: usize = 256;
/// Values of the rows of a piece at most: half of a core's second cache.
const PIECE: usize = 1 << 16;
/// Steps of the innermost loop that are written out.
const STEPS: usize = 4;
/// A tile is kept as its first four rows and its last two: copies that interleave four or two rows are vectorised, of six not.
const FOUR: usize = 4;
const TWO: usize = TILE - FOUR;
/// Vectors in a row of a panel.
const VECTORS: usize = 2;

type Tile<'a> = (&'a [[f32; FOUR]], &'a [[f32; TWO]]);

/// Rows to multiply with one panel before the next, at most.
pub fn piece(k: usize) -> usize {
    (PIECE / k).max(1).next_multiple_of(TILE)
}

/// Rows of `y`, the first of which is the `first_row`th of all.
pub fn strip(a: Rows, b: &Panels, then: Then, first_row: usize, y: &mut [f32]) {
    let tiles = y.len().div_ceil(b.n * TILE) * b.k;
    let [mut fours, mut twos] = [FOUR, TWO].map(|rows| b.values.beside(rows * tiles));
    run(a, b, then, first_row, y, [&mut fours, &mut twos]);
}

vectorized! {
    fn run<'a>[simd](a: Rows<'a>, b: &'a Panels, then: Then<'a>, first_row: usize, y: &'a mut [f32], tiles: [&'a mut [f32]; 2]) {
        let rows = y.len() / b.n;
        let [fours, twos] = tiles;
        let (fours, twos) = (fours.as_chunks_mut::<FOUR>().0, twos.as_chunks_mut::<TWO>().0);
        for (i, (fours, twos)) in fours.chunks_exact_mut(b.k).zip(twos.chunks_exact_mut(b.k)).enumerate() {
            copy(&a.values[i * TILE * a.step..], a.step, rows - i * TILE, fours, twos);
        }
        for (p, panel) in b.values.chunks_exact(b.k * NARROW).enumerate() {
            let columns = (p * NARROW, b.n.min((p + 1) * NARROW));
            for (d, panel) in panel.as_chunks::<NARROW>().0.chunks(DEPTH).enumerate() {
                let from = d * DEPTH;
                for (i, (fours, twos)) in fours.chunks_exact(b.k).zip(twos.chunks_exact(b.k)).enumerate() {
                    let y = &mut y[i * TILE * b.n..];
                    let tile = (&fours[from..from + panel.len()], &twos[from..from + panel.len()]);
                    let at = Place { row: first_row + i * TILE, rows: TILE.min(rows - i * TILE), first: columns.0, last: columns.1, n: b.n };
                    let part = Part { begun: d > 0, then: (from + panel.len() == b.k).then_some(then) };
                    // A closure here would be compiled without the instruction set.
                    match at.rows {
                        1 => sums::<S, 1>(simd, tile, panel, part, at, y),
                        2 => sums::<S, 2>(simd, tile, panel, part, at, y),
                        3 => sums::<S, 3>(simd, tile, panel, part, at, y),
                        4 => sums::<S, 4>(simd, tile, panel, part, at, y),
                        5 => sums::<S, 5>(simd, tile, panel, part, at, y),
                        _ => sums::<S, 6>(simd, tile, panel, part, at, y),
                    }
                }
            }
        }
    }
}

/// A part of the inner length: whether it is not the first, and what follows the last.
#[derive(Clone, Copy)]
struct Part<'a> {
    begun: bool,
    then: Option<Then<'a>>,
}

/// Rows `step` apart as columns of a tile; what it has beyond them holds anything.
#[inline(always)]
fn copy(a: &[f32], step: usize, rows: usize, fours: &mut [[f32; FOUR]], twos: &mut [[f32; TWO]]) {
    let k = fours.len();
    let row = |r: usize| &a[r.min(rows - 1) * step..][..k];
    let (r0, r1, r2, r3, r4, r5) = (row(0), row(1), row(2), row(3), row(4), row(5));
    for (to, (((a, b), c), d)) in fours.iter_mut().zip(r0.iter().zip(r1).zip(r2).zip(r3)) {
        *to = [*a, *b, *c, *d];
    }
    for (to, (a, b)) in twos.iter_mut().zip(r4.iter().zip(r5)) {
        *to = [*a, *b];
    }
}

/// The first R rows of a tile by a panel's part, into `y`.
#[inline(always)]
fn sums<S: Simd, const R: usize>(simd: S, (fours, twos): Tile, panel: &[[f32; NARROW]], of: Part, at: Place, y: &mut [f32]) {
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; R];
    if of.begun {
        for r in 0..R {
            let row = part(&y[r * at.n + at.first..r * at.n + at.last], 0);
            sums[r].copy_from_slice(&S::as_simd_f32s(&row).0[..VECTORS]);
        }
    }
    let ((fours, fours_rest), (twos, twos_rest)) = (fours.as_chunks::<STEPS>(), twos.as_chunks::<STEPS>());
    let (panel, panel_rest) = panel.as_chunks::<STEPS>();
    for ((fours, twos), b) in fours.iter().zip(twos).zip(panel) {
        for s in 0..STEPS {
            add::<S, R>(simd, &fours[s], &twos[s], &b[s], &mut sums);
        }
    }
    for ((fours, twos), b) in fours_rest.iter().zip(twos_rest).zip(panel_rest) {
        add::<S, R>(simd, fours, twos, b, &mut sums);
    }
    let mut rows = [[0.0f32; NARROW]; R];
    for r in 0..R {
        S::as_mut_simd_f32s(&mut rows[r]).0[..VECTORS].copy_from_slice(&sums[r]);
    }
    if let Some(then) = of.then {
        apply::<S>(then, at, at.first, &mut rows);
    }
    for r in 0..R {
        put(&rows[r], &mut y[r * at.n + at.first..r * at.n + at.last]);
    }
}

#[inline(always)]
fn add<S: Simd, const R: usize>(simd: S, fours: &[f32; FOUR], twos: &[f32; TWO], b: &[f32; NARROW], sums: &mut [[S::f32s; VECTORS]; R]) {
    let b = S::as_simd_f32s(b).0;
    let b: [S::f32s; VECTORS] = [b[0], b[1]];
    for r in 0..R {
        let a = simd.splat_f32s(if r < FOUR { fours[r] } else { twos[r - FOUR] });
        for v in 0..VECTORS {
            sums[r][v] = simd.mul_add_f32s(a, b[v], sums[r][v]);
        }
    }
}
