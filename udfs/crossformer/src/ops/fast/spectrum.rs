//! Products of cells with large windows by frequency: along a row of cells a window's sum is a correlation, which a discrete Fourier
//! transform turns into one product for each frequency. Eight cells wide, it takes a fourth of the arithmetic.
//!
//! Two rows of cells are the real and the imaginary part of one. Frequencies f and L - f see conjugate weights; the upper one's values
//! are kept conjugate, so that both are multiplied with the same panel.

use super::cells::Grid;
use super::gemm::{Panels, Rows, Then, multiply};
use super::pool::{Buffer, Pool};
use super::simd::vectorized;
use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, Layout, Result};
use rayon::prelude::*;
use std::f64::consts::TAU;

/// Values that are transformed side by side.
const SIDE: usize = 16;

type Line = [f32; SIDE];

/// The transform of rows of `length`, a power of two: by decimation in frequency, and back by decimation in time, so that nothing is
/// put in order in between.
struct Transform {
    length: usize,
    /// e^(-2 pi i j / length) for j below a half.
    turns: Vec<(f32, f32)>,
    /// The frequency at each place of a transformed row.
    frequency: Vec<usize>,
}

impl Transform {
    fn new(length: usize) -> Self {
        let turn = |j: usize| {
            let (sin, cos) = (-TAU * j as f64 / length as f64).sin_cos();
            (cos as f32, sin as f32)
        };
        let bits = length.trailing_zeros();
        let frequency = |k: usize| if bits == 0 { 0 } else { k.reverse_bits() >> (usize::BITS - bits) };
        Self { length, turns: (0..length / 2).map(turn).collect(), frequency: (0..length).map(frequency).collect() }
    }

    /// Sign of the imaginary part that is kept of a frequency.
    fn sign(&self, frequency: usize) -> f32 {
        if frequency > self.length / 2 { -1.0 } else { 1.0 }
    }

    /// Of rows of cells, `width` values each, two at a time: [pairs, frequency, real and imaginary, width].
    fn spectrum(&self, grid: &Grid, rows: &[f32], width: usize, pool: &Pool) -> Buffer {
        let (row, image) = (grid.columns() * width, grid.rows() * grid.columns() * width);
        let pairs: Vec<&[f32]> = rows.chunks_exact(image).flat_map(|image| image.chunks(2 * row)).collect();
        let mut spectrum = pool.take(pairs.len() * self.length * 2 * width);
        spectrum.par_chunks_mut(self.length * 2 * width).zip(pairs).for_each(|(to, pair)| forward(self, pair, row, width, to));
        spectrum
    }
}

#[inline(always)]
fn line(values: &[f32], at: usize) -> Line {
    let mut line = [0.0; SIDE];
    line.copy_from_slice(&values[at..at + SIDE]);
    line
}

#[inline(always)]
fn scaled(mut line: Line, scale: f32) -> Line {
    for v in &mut line {
        *v *= scale;
    }
    line
}

/// Combines values that are `half` apart: their sum and their turned difference, or, back, the sum and difference of one and the
/// other turned back.
#[inline(always)]
fn pass<const BACK: bool>(t: &Transform, half: usize, re: &mut [Line], im: &mut [Line]) {
    for (re, im) in re.chunks_exact_mut(2 * half).zip(im.chunks_exact_mut(2 * half)) {
        let ((re_low, re_high), (im_low, im_high)) = (re.split_at_mut(half), im.split_at_mut(half));
        for j in 0..half {
            let (cos, sin) = t.turns[j * (t.length / 2 / half)];
            let (a, b, c, d) = (re_low[j], im_low[j], re_high[j], im_high[j]);
            for l in 0..SIDE {
                let (x, y) = if BACK { (c[l] * cos + d[l] * sin, d[l] * cos - c[l] * sin) } else { (c[l], d[l]) };
                let (p, q) = (a[l] - x, b[l] - y);
                re_low[j][l] = a[l] + x;
                im_low[j][l] = b[l] + y;
                (re_high[j][l], im_high[j][l]) = if BACK { (p, q) } else { (p * cos - q * sin, p * sin + q * cos) };
            }
        }
    }
}

vectorized! {
    /// One pair of rows, the second of which may be missing.
    fn forward<'a>[_simd](t: &'a Transform, pair: &'a [f32], row: usize, width: usize, to: &'a mut [f32]) {
        let (first, second) = pair.split_at(row.min(pair.len()));
        let (mut re, mut im) = (vec![[0.0; SIDE]; t.length], vec![[0.0; SIDE]; t.length]);
        for lane in (0..width).step_by(SIDE) {
            for (x, at) in (lane..row).step_by(width).enumerate() {
                re[x] = line(first, at);
                im[x] = if second.is_empty() { [0.0; SIDE] } else { line(second, at) };
            }
            re[row / width..].fill([0.0; SIDE]);
            im[row / width..].fill([0.0; SIDE]);
            let mut half = t.length / 2;
            while half > 0 {
                pass::<false>(t, half, &mut re, &mut im);
                half /= 2;
            }
            for (k, &frequency) in t.frequency.iter().enumerate() {
                let to = &mut to[2 * frequency * width..][..2 * width];
                to[lane..lane + SIDE].copy_from_slice(&re[k]);
                to[width + lane..width + lane + SIDE].copy_from_slice(&scaled(im[k], t.sign(frequency)));
            }
        }
    }
}

vectorized! {
    /// Back to one pair of rows, from values [frequency, pairs, real and imaginary, width] at the place of the pair.
    fn inverse<'a>[_simd](t: &'a Transform, from: &'a [f32], place: (usize, usize), row: usize, width: usize, to: &'a mut [f32]) {
        let (pair, pairs) = place;
        let (first, second) = to.split_at_mut(row.min(to.len()));
        let (mut re, mut im) = (vec![[0.0; SIDE]; t.length], vec![[0.0; SIDE]; t.length]);
        for lane in (0..width).step_by(SIDE) {
            for (k, &frequency) in t.frequency.iter().enumerate() {
                let from = &from[(frequency * pairs + pair) * 2 * width..][..2 * width];
                re[k] = line(from, lane);
                im[k] = scaled(line(from, width + lane), t.sign(frequency));
            }
            let mut half = 1;
            while half < t.length {
                pass::<true>(t, half, &mut re, &mut im);
                half *= 2;
            }
            for (x, at) in (lane..row).step_by(width).enumerate() {
                first[at..at + SIDE].copy_from_slice(&re[x]);
                if !second.is_empty() {
                    second[at..at + SIDE].copy_from_slice(&im[x]);
                }
            }
        }
    }
}

/// Weights [n x cell, columns] by frequency.
pub struct Spectrum {
    transform: Transform,
    columns: usize,
    /// For each frequency up to half the length: [real and imaginary, cell] by [real and imaginary, columns].
    panels: Vec<Panels>,
}

/// Cells along a window from which on the detour is shorter.
const LARGE: usize = 4;

/// Whether windows of `n` cells are multiplied by frequency.
pub fn pays(n: usize, cell: usize, columns: usize) -> bool {
    n >= LARGE && cell.is_multiple_of(SIDE) && columns.is_multiple_of(SIDE)
}

/// Length of the transform of a row.
fn length(grid: &Grid) -> usize {
    grid.columns().next_power_of_two()
}

impl Spectrum {
    pub fn new(weights: &[f32], columns: usize, grid: &Grid, pool: &Pool) -> Self {
        let (cell, length) = (grid.cell(), length(grid));
        let panel = |f: usize| {
            let mut matrix = pool.take(2 * cell * 2 * columns);
            turn_weights(weights, columns, (f, length), &mut matrix);
            Panels::straight(&matrix, 2 * cell, 2 * columns, pool)
        };
        Self { transform: Transform::new(length), columns, panels: (0..=length / 2).into_par_iter().map(panel).collect() }
    }

    /// Whether these are the weights for rows of such a grid.
    pub fn fits(&self, grid: &Grid) -> bool {
        self.transform.length == length(grid)
    }

    /// The sum of the window that begins at each cell, [cells, columns]; what would reach beyond a row holds anything.
    pub fn product(&self, grid: &Grid, cells: &[f32], pool: &Pool) -> Buffer {
        let (t, width, n) = (&self.transform, 2 * grid.cell(), self.columns);
        let spectrum = t.spectrum(grid, cells, grid.cell(), pool);
        let pairs = spectrum.len() / (t.length * width);
        let mut products = pool.take(t.length * pairs * 2 * n);
        products.par_chunks_mut(pairs * 2 * n).enumerate().for_each(|(f, to)| {
            let rows = Rows { values: &spectrum[f * width..], step: t.length * width };
            multiply(rows, &self.panels[f.min(t.length - f)], Then::Nothing, to);
        });
        let (row, image) = (grid.columns() * n, grid.rows() * grid.columns() * n);
        let mut sums = pool.take(grid.cells() * n);
        let parts: Vec<&mut [f32]> = sums.chunks_exact_mut(image).flat_map(|image| image.chunks_mut(2 * row)).collect();
        parts.into_par_iter().enumerate().for_each(|(pair, to)| inverse(t, &products, (pair, pairs), row, n, to));
        sums
    }
}

vectorized! {
    /// The panel of a frequency of so many: the weights' transform over their number, as what multiplies real and imaginary parts.
    fn turn_weights<'a>[_simd](weights: &'a [f32], columns: usize, frequency: (usize, usize), to: &'a mut [f32]) {
        let (f, length) = frequency;
        to.fill(0.0);
        let cell = to.len() / (4 * columns);
        let (upper, lower) = to.split_at_mut(cell * 2 * columns);
        for (dx, weights) in weights.chunks_exact(cell * columns).enumerate() {
            let (cos, sin) = turn(f, dx, length);
            for (to, weights) in upper.chunks_exact_mut(2 * columns).zip(weights.chunks_exact(columns)) {
                let (re, im) = to.split_at_mut(columns);
                re.iter_mut().zip(weights).for_each(|(t, w)| *t += cos * w);
                im.iter_mut().zip(weights).for_each(|(t, w)| *t += sin * w);
            }
        }
        for (to, from) in lower.chunks_exact_mut(2 * columns).zip(upper.chunks_exact(2 * columns)) {
            let ((re, im), (from_re, from_im)) = (to.split_at_mut(columns), from.split_at(columns));
            re.iter_mut().zip(from_im).for_each(|(t, f)| *t = -f);
            im.copy_from_slice(from_re);
        }
    }
}

/// e^(2 pi i f dx / length) / length.
fn turn(f: usize, dx: usize, length: usize) -> (f32, f32) {
    let (sin, cos) = (TAU * (f * dx % length) as f64 / length as f64).sin_cos();
    ((cos / length as f64) as f32, (sin / length as f64) as f32)
}

/// The gradient of weights [n x cell, columns] from cells and the gradient of [`Spectrum::product`], with zeros where it holds anything.
pub fn weight_gradient(grid: &Grid, cells: &[f32], gz: &[f32], n: usize, pool: &Pool) -> Result<Vec<f32>> {
    let (cell, columns) = (grid.cell(), gz.len() / grid.cells());
    let t = Transform::new(length(grid));
    let [a, g] = [(cells, cell), (gz, columns)].map(|(rows, width)| t.spectrum(grid, rows, width, pool));
    let pairs = a.len() / (t.length * 2 * cell);
    let ((a_values, a_start), (g_values, g_start)) = (a.storage(), g.storage());
    let turned = Layout::new((t.length, 2 * cell, pairs).into(), vec![2 * cell, 1, t.length * 2 * cell], a_start);
    let by_row = Layout::new((t.length, pairs, 2 * columns).into(), vec![2 * columns, t.length * 2 * columns, 1], g_start);
    let CpuStorage::F32(products) = a_values.matmul(g_values, (t.length, 2 * cell, 2 * columns, pairs), &turned, &by_row)? else {
        candle_core::bail!("the CPU kernels take float32")
    };
    let mut gradient = vec![0.0; n * cell * columns];
    gradient.par_chunks_mut(cell * columns).enumerate().for_each(|(dx, to)| {
        for (f, products) in products.chunks_exact(4 * cell * columns).enumerate() {
            add_turned(products, turn(f.min(t.length - f), dx, t.length), columns, to);
        }
    });
    Ok(gradient)
}

vectorized! {
    /// Adds the real part of a frequency's products, turned.
    fn add_turned<'a>[_simd](products: &'a [f32], turn: (f32, f32), columns: usize, to: &'a mut [f32]) {
        let (cos, sin) = turn;
        let (upper, lower) = products.split_at(products.len() / 2);
        let rows = upper.chunks_exact(2 * columns).zip(lower.chunks_exact(2 * columns));
        for (to, (upper, lower)) in to.chunks_exact_mut(columns).zip(rows) {
            let ((rr, ri), (ir, ii)) = (upper.split_at(columns), lower.split_at(columns));
            for j in 0..columns {
                to[j] += cos * (rr[j] + ii[j]) - sin * (ir[j] - ri[j]);
            }
        }
    }
}
