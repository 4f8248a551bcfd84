//! Cubic B-spline coefficients of a volume, and samples of the spline along a row of a grid.
//!
//! The coefficients come from Unser's recursive prefilter (Unser, Aldroubi & Eden, IEEE Trans. Signal Process.
//! 1993;41:821) with mirrored borders, in ITK's order of operations. Lines run side by side, which leaves the
//! arithmetic of each as it is.

use std::ops::Range;

use ndarray::Array3;

use crate::grid::Row;

/// Pole of the cubic B-spline prefilter, sqrt(3) - 2 as f64 arithmetic gives it.
const POLE: f64 = 1.732_050_807_568_877_2 - 2.0;

/// Terms of the causal start: the pole to this power is below 1e-10.
const HORIZON: usize = 18;

/// Cubic B-spline at the four taps around a sample that lies `t` (in [0, 1)) behind the second.
pub(crate) fn cubic_weights(t: f64) -> [f64; 4] {
    let w3 = (1.0 / 6.0) * t * t * t;
    let w0 = (1.0 / 6.0) + 0.5 * t * (t - 1.0) - w3;
    let w2 = t + w0 - 2.0 * w3;
    [w0, 1.0 - w0 - w2 - w3, w2, w3]
}

/// Voxel that stands for position `i` beyond the borders of an axis of `n` voxels; the edge is not repeated.
pub(crate) fn mirror(i: isize, n: usize) -> usize {
    if n == 1 {
        return 0;
    }
    let last = n as isize - 1;
    let i = if i < 0 { -i } else { i };
    let i = if i > last { 2 * last - i } else { i };
    i.clamp(0, last) as usize
}

/// The four taps around a fractional coordinate on an axis of `n` voxels, and their weights.
///
/// ITK finds the taps by the coordinate in float32, so that one a hair below a voxel's centre counts as on it.
pub(crate) fn taps(coordinate: f64, n: usize) -> ([usize; 4], [f64; 4]) {
    let floor = f64::from((coordinate as f32).floor());
    (std::array::from_fn(|k| mirror(floor as isize - 1 + k as isize, n)), cubic_weights(coordinate - floor))
}

/// Replaces values `[z, y, x]` by their cubic B-spline coefficients, axis by axis: x, y, z.
pub fn prefilter(values: &mut Array3<f64>) {
    let (nz, ny, nx) = values.dim();
    *values = coefficients(std::mem::take(values), [0..nz, 0..ny, 0..nx]);
}

/// The coefficients of the voxels `keep` (z, y, x). Each line is filtered whole, but lines that no kept voxel reads are
/// dropped on the way.
pub(crate) fn coefficients(values: Array3<f64>, keep: [Range<usize>; 3]) -> Array3<f64> {
    let (nz, ny, nx) = values.dim();
    let [z, y, x] = keep;
    let dim = (z.len(), y.len(), x.len());
    let values = values.as_standard_layout();
    let flat = along(values.as_slice().unwrap_or(&[]), [nz * ny, nx, 1], x.clone());
    drop(values);
    let flat = along(&flat, [nz, ny, x.len()], y.clone());
    let flat = along(&flat, [1, nz, y.len() * x.len()], z);
    // The three lengths make the product, so the shape fits.
    Array3::from_shape_vec(dim, flat).unwrap_or_default()
}

/// Filters the middle axis of `[outer, n, inner]` and keeps a part of it. An axis of one voxel has nothing to filter.
fn along(values: &[f64], [outer, n, inner]: [usize; 3], keep: Range<usize>) -> Vec<f64> {
    let kept = keep.len();
    if n < 2 {
        return values.to_vec();
    }
    let mut out = vec![0.0; outer * kept * inner];
    if inner == 1 {
        const LINES: usize = 8;
        let mut lanes = vec![[0.0; LINES]; n];
        for first in (0..outer).step_by(LINES) {
            let lines = LINES.min(outer - first);
            for line in 0..lines {
                let from = (first + line) * n;
                for (lane, v) in lanes.iter_mut().zip(&values[from..from + n]) {
                    lane[line] = *v;
                }
            }
            recursion(&mut lanes);
            for line in 0..lines {
                let to = (first + line) * kept;
                for (v, lane) in out[to..to + kept].iter_mut().zip(&lanes[keep.clone()]) {
                    *v = lane[line];
                }
            }
        }
        return out;
    }
    const LINES: usize = 32;
    let mut lanes = vec![[0.0; LINES]; n];
    for o in 0..outer {
        for first in (0..inner).step_by(LINES) {
            let lines = LINES.min(inner - first);
            for (i, lane) in lanes.iter_mut().enumerate() {
                let from = (o * n + i) * inner + first;
                lane[..lines].copy_from_slice(&values[from..from + lines]);
            }
            recursion(&mut lanes);
            for (i, lane) in lanes[keep.clone()].iter().enumerate() {
                let to = (o * kept + i) * inner + first;
                out[to..to + lines].copy_from_slice(&lane[..lines]);
            }
        }
    }
    out
}

/// The filter along lines that run side by side: `lanes[i]` holds voxel `i` of each, of which there are at least two.
fn recursion<const N: usize>(lanes: &mut [[f64; N]]) {
    let n = lanes.len();
    let gain = (1.0 - POLE) * (1.0 - 1.0 / POLE);
    for lane in lanes.iter_mut() {
        lane.iter_mut().for_each(|v| *v *= gain);
    }
    lanes[0] = causal_start(lanes);
    for i in 1..n {
        let previous = lanes[i - 1];
        for (v, p) in lanes[i].iter_mut().zip(previous) {
            *v += POLE * p;
        }
    }
    let factor = POLE / (POLE * POLE - 1.0);
    let previous = lanes[n - 2];
    for (v, p) in lanes[n - 1].iter_mut().zip(previous) {
        *v = factor * (POLE * p + *v);
    }
    for i in (0..n - 1).rev() {
        let next = lanes[i + 1];
        for (v, next) in lanes[i].iter_mut().zip(next) {
            *v = POLE * (next - *v);
        }
    }
}

/// First causal coefficient of each line: the mirrored signal's whole past, cut after [`HORIZON`] terms.
fn causal_start<const N: usize>(lanes: &[[f64; N]]) -> [f64; N] {
    let n = lanes.len();
    let mut sum = lanes[0];
    let mut add = |factor: f64, lane: &[f64; N]| {
        for (s, v) in sum.iter_mut().zip(lane) {
            *s += factor * v;
        }
    };
    let mut power = POLE;
    if HORIZON < n {
        for lane in &lanes[1..HORIZON] {
            add(power, lane);
            power *= POLE;
        }
        return sum;
    }
    let inverse = 1.0 / POLE;
    let mut back = POLE.powi(n as i32 - 1);
    add(back, &lanes[n - 1]);
    back = back * (back * inverse);
    for lane in &lanes[1..n - 1] {
        add(power + back, lane);
        power *= POLE;
        back *= inverse;
    }
    sum.map(|s| s / (1.0 - power * power))
}

/// Samples rows whose y and z do not change: the taps along x serve all rows that start and step alike.
#[derive(Default)]
pub(crate) struct RowSampler {
    start_and_step: Option<(f64, f64)>,
    /// Position in the target row, first tap less the offset of the coefficients, the taps where mirrored, weights.
    samples: Vec<Sample>,
    sums: Vec<f64>,
}

struct Sample {
    x: usize,
    taps: [usize; 4],
    weights: [f64; 4],
}

impl RowSampler {
    /// Calls `put` with the position in the row and the value of each of the `length` samples inside the source.
    ///
    /// `values` are coefficients from voxel `lower` on in a source of `size` voxels (both x, y, z). The sum over the 64
    /// taps runs as for a single sample: z, y, x.
    pub(crate) fn row(
        &mut self,
        row: &Row,
        length: usize,
        values: &Array3<f64>,
        lower: [usize; 3],
        size: [usize; 3],
        mut put: impl FnMut(usize, f64),
    ) {
        let index = row.at(0);
        let inside = |i: f64, n: usize| i >= -0.5 && i < n as f64 - 0.5;
        if !inside(index[1], size[1]) || !inside(index[2], size[2]) {
            return;
        }
        if self.start_and_step != Some(row.along_x()) {
            self.start_and_step = Some(row.along_x());
            self.samples.clear();
            self.samples.extend((0..length).map(|x| (x, row.at(x)[0])).filter(|(_, i)| inside(*i, size[0])).map(|(x, i)| {
                let (taps, weights) = taps(i, size[0]);
                Sample { x, taps: taps.map(|t| t - lower[0]), weights }
            }));
        }
        self.sums.clear();
        self.sums.resize(self.samples.len(), 0.0);
        let [(ys, wys), (zs, wzs)] = [1, 2].map(|a| taps(index[a], size[a]));
        let (_, ny, nx) = values.dim();
        let Some(flat) = values.as_slice() else { return };
        for (z, wz) in zs.into_iter().zip(wzs) {
            for (y, wy) in ys.into_iter().zip(wys) {
                let line = &flat[((z - lower[2]) * ny + y - lower[1]) * nx..][..nx];
                for (sum, sample) in self.sums.iter_mut().zip(&self.samples) {
                    let [a, b, c, d] = sample.taps;
                    let near = if d == a + 3 && c == a + 2 {
                        [line[a], line[a + 1], line[a + 2], line[d]]
                    } else {
                        [line[a], line[b], line[c], line[d]]
                    };
                    let terms: [f64; 4] = std::array::from_fn(|k| sample.weights[k] * wy * wz * near[k]);
                    for term in terms {
                        *sum += term;
                    }
                }
            }
        }
        for (sample, sum) in self.samples.iter().zip(&self.sums) {
            put(sample.x, *sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The filter line by line, axis by axis.
    fn simple(values: &mut Array3<f64>) {
        for axis in [2, 1, 0] {
            for mut line in values.lanes_mut(ndarray::Axis(axis)) {
                let mut lanes: Vec<[f64; 1]> = line.iter().map(|v| [*v]).collect();
                if lanes.len() > 1 {
                    recursion(&mut lanes);
                }
                line.iter_mut().zip(lanes).for_each(|(v, [c])| *v = c);
            }
        }
    }

    #[test]
    fn lines_side_by_side_equal_single_lines() {
        for dim in [(1, 1, 1), (3, 1, 40), (1, 37, 5), (21, 18, 33), (2, 9, 17)] {
            let values = Array3::from_shape_fn(dim, |(z, y, x)| ((z * 31 + y * 17 + x * 7) % 23) as f64 - 5.5);
            let mut expected = values.clone();
            simple(&mut expected);
            let mut found = values.clone();
            prefilter(&mut found);
            assert_eq!(found, expected);
            let keep = [0..dim.0, dim.1 / 2..dim.1, dim.2 / 3..dim.2.div_ceil(2).max(dim.2 / 3 + 1)];
            let part = coefficients(values, keep.clone());
            let [z, y, x] = keep;
            assert_eq!(part, expected.slice(ndarray::s![z, y, x]));
        }
    }

    #[test]
    fn coefficients_reproduce_a_short_and_a_long_line() {
        for n in [2, 3, 17, 18, 19, 60] {
            let values = Array3::from_shape_fn((1, 1, n), |(_, _, x)| (x * x % 7) as f64);
            let mut c = values.clone();
            prefilter(&mut c);
            for x in 0..n {
                let (l, r) = (mirror(x as isize - 1, n), mirror(x as isize + 1, n));
                let back = (c[[0, 0, l]] + 4.0 * c[[0, 0, x]] + c[[0, 0, r]]) / 6.0;
                assert!((back - values[[0, 0, x]]).abs() < 1e-8, "n {n} x {x}: {back}");
            }
        }
    }
}
