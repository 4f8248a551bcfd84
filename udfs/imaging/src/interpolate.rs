//! Interpolation of a volume on another grid: nearest voxel, trilinear and cubic B-spline, as ITK 5.4 does it.
//!
//! The B-spline's coefficients come from Unser's recursive prefilter (Unser, Aldroubi & Eden, IEEE Trans. Signal
//! Process. 1993;41:821) with mirrored borders. Its pole decays as 0.268^k, so of a large source only [`SPLINE_MARGIN`]
//! voxels around the sampled part are filtered.

use ndarray::{Array3, s};

use crate::grid::Row;
use crate::volume::with_voxels;
use crate::{Geometry, Volume, Voxels};

/// How values between voxels are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interpolator {
    /// Cubic B-spline, mirrored at the borders.
    BSpline,
    /// Trilinear; beyond the outermost centres the edge voxel continues.
    Linear,
    /// The nearest voxel; halves round up.
    Nearest,
}

/// Voxels around the sampled region that are filtered for a B-spline of a large source. 0.268^30 is below f64's
/// precision; ten more let the rounding settle too.
pub const SPLINE_MARGIN: usize = 40;

/// Sources of at most this many voxels are filtered whole for a B-spline. On a plateau the recursion keeps the rounding
/// of its start, and a saturated region whose value is a bin edge then needs the same start as the whole image has.
const SPLINE_WHOLE: usize = 1 << 21;

/// Pole of the cubic B-spline prefilter, sqrt(3) - 2 as f64 arithmetic gives it.
const POLE: f64 = 1.732_050_807_568_877_2 - 2.0;

/// Terms of the causal start: the pole to this power is below 1e-10.
const HORIZON: usize = 18;

/// `volume` on `grid`, in its own voxel type; `outside` where the grid leaves the volume.
///
/// Values of integer volumes are limited to the type's range and cut toward zero, as ITK casts them.
pub fn resample(volume: &Volume, grid: &Geometry, interpolator: Interpolator, outside: f64) -> Volume {
    let load = |lower: [usize; 3], upper: [usize; 3]| crop_f64(&volume.voxels, lower, upper);
    macro_rules! typed {
        ($variant:ident, $type:ty) => {{
            let mut out = Array3::<$type>::from_elem(grid.shape(), outside as $type);
            if let Some(flat) = out.as_slice_mut() {
                // `as` limits to the type's range and cuts toward zero.
                sample(&volume.geometry, load, grid, interpolator, |at, value| flat[at] = value as $type);
            }
            Voxels::$variant(out)
        }};
    }
    let voxels = match &volume.voxels {
        Voxels::U8(_) => typed!(U8, u8),
        Voxels::I8(_) => typed!(I8, i8),
        Voxels::U16(_) => typed!(U16, u16),
        Voxels::I16(_) => typed!(I16, i16),
        Voxels::U32(_) => typed!(U32, u32),
        Voxels::I32(_) => typed!(I32, i32),
        Voxels::U64(_) => typed!(U64, u64),
        Voxels::I64(_) => typed!(I64, i64),
        Voxels::F32(_) => typed!(F32, f32),
        Voxels::F64(_) => typed!(F64, f64),
    };
    Volume { geometry: grid.clone(), voxels }
}

/// Values `[z, y, x]` on `grid` of a source that hands out crops; `outside` where the grid leaves the source.
///
/// `load(lower, upper)` returns the source's voxels `lower..upper`, both in z, y, x order. It is called once, with
/// the part of the source that `grid` reads, and not at all when the two do not meet.
pub fn resample_values(
    source: &Geometry,
    load: impl FnOnce([usize; 3], [usize; 3]) -> Array3<f64>,
    grid: &Geometry,
    interpolator: Interpolator,
    outside: f64,
) -> Array3<f64> {
    let mut out = Array3::from_elem(grid.shape(), outside);
    if let Some(flat) = out.as_slice_mut() {
        sample(source, load, grid, interpolator, |at, value| flat[at] = value);
    }
    out
}

/// Visits every voxel of `grid` that lies inside the source with its flat position and value.
fn sample(
    source: &Geometry,
    load: impl FnOnce([usize; 3], [usize; 3]) -> Array3<f64>,
    grid: &Geometry,
    interpolator: Interpolator,
    mut put: impl FnMut(usize, f64),
) {
    let margin = match interpolator {
        Interpolator::BSpline if source.size.iter().product::<usize>() <= SPLINE_WHOLE => SPLINE_WHOLE,
        Interpolator::BSpline => SPLINE_MARGIN + 2,
        Interpolator::Linear | Interpolator::Nearest => 1,
    };
    let Some((lower, upper)) = footprint(source, grid, margin) else { return };
    let mut values = load(lower, upper);
    if interpolator == Interpolator::BSpline {
        prefilter(&mut values);
    }
    let part = Part { values: &values, lower: [lower[2], lower[1], lower[0]], size: source.size };
    let (from, to) = (source.map(), grid.map());
    let [nx, ny, nz] = grid.size;
    for z in 0..nz {
        for y in 0..ny {
            let row = Row::new(&from, &to, nx, y, z);
            for x in 0..nx {
                let index = row.at(x);
                if !inside(index, source.size) {
                    continue;
                }
                let value = match interpolator {
                    Interpolator::BSpline => part.spline(index),
                    Interpolator::Linear => part.linear(index),
                    Interpolator::Nearest => part.nearest(index),
                };
                put((z * ny + y) * nx + x, value);
            }
        }
    }
}

/// Whether a fractional index lies in the volume that the voxels fill: [-0.5, size - 0.5) along each axis.
pub(crate) fn inside(index: [f64; 3], size: [usize; 3]) -> bool {
    index.iter().zip(size).all(|(&i, n)| i >= -0.5 && i < n as f64 - 0.5)
}

/// The voxel that is nearest to a fractional coordinate inside an axis of `n` voxels; halves round up.
pub(crate) fn nearest(coordinate: f64, n: usize) -> usize {
    ((coordinate + 0.5).floor().max(0.0) as usize).min(n - 1)
}

/// The part of `source` that `grid` covers, `margin` voxels more on each side, as (lower, upper) in z, y, x order.
/// `None` when the two lie further apart.
pub fn footprint(source: &Geometry, grid: &Geometry, margin: usize) -> Option<([usize; 3], [usize; 3])> {
    if source.size.contains(&0) || grid.size.contains(&0) {
        return None;
    }
    let (from, to) = (source.map(), grid.map());
    let (mut low, mut high) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
    for corner in 0..8 {
        let voxel = std::array::from_fn(|a| if corner >> a & 1 == 1 { grid.size[a] - 1 } else { 0 });
        let index = from.index(to.voxel_point(voxel));
        for a in 0..3 {
            low[a] = low[a].min(index[a]);
            high[a] = high[a].max(index[a]);
        }
    }
    let (mut lower, mut upper) = ([0; 3], [0; 3]);
    for a in 0..3 {
        let n = source.size[a] as f64;
        let (from, to) = (low[a].floor() - margin as f64, high[a].ceil() + margin as f64);
        if !(to >= 0.0 && from <= n - 1.0) {
            return None;
        }
        lower[2 - a] = from.max(0.0) as usize;
        upper[2 - a] = (to as usize).saturating_add(1).min(source.size[a]);
    }
    Some((lower, upper))
}

/// Voxels `lower..upper` (z, y, x) as float64.
pub fn crop_f64(voxels: &Voxels, lower: [usize; 3], upper: [usize; 3]) -> Array3<f64> {
    let part = s![lower[0]..upper[0], lower[1]..upper[1], lower[2]..upper[2]];
    with_voxels!(voxels, a => a.slice(part).mapv(|v| v as f64))
}

/// A loaded part of a source: values (or spline coefficients) from voxel `lower` on, in a source of `size` voxels.
/// `lower` and `size` are in x, y, z order, `values` is `[z, y, x]`.
struct Part<'a> {
    values: &'a Array3<f64>,
    lower: [usize; 3],
    size: [usize; 3],
}

impl Part<'_> {
    fn value(&self, x: usize, y: usize, z: usize) -> f64 {
        self.values[[z - self.lower[2], y - self.lower[1], x - self.lower[0]]]
    }

    fn nearest(&self, index: [f64; 3]) -> f64 {
        let [x, y, z] = std::array::from_fn(|a| nearest(index[a], self.size[a]));
        self.value(x, y, z)
    }

    fn linear(&self, index: [f64; 3]) -> f64 {
        let mut near = [0; 3];
        let mut far = [0; 3];
        let mut distance = [0.0; 3];
        for a in 0..3 {
            let base = index[a].floor().max(0.0);
            near[a] = base as usize;
            far[a] = (near[a] + 1).min(self.size[a] - 1);
            distance[a] = (index[a] - base).max(0.0);
        }
        let along_x = |y: usize, z: usize| {
            let v = self.value(near[0], y, z);
            v + (self.value(far[0], y, z) - v) * distance[0]
        };
        let along_y = |z: usize| {
            let v = along_x(near[1], z);
            v + (along_x(far[1], z) - v) * distance[1]
        };
        let v = along_y(near[2]);
        v + (along_y(far[2]) - v) * distance[2]
    }

    fn spline(&self, index: [f64; 3]) -> f64 {
        let mut taps = [[0usize; 4]; 3];
        let mut weights = [[0.0; 4]; 3];
        for a in 0..3 {
            // ITK finds the taps by the index in float32, so that one a hair below a voxel's centre counts as on it.
            let floor = f64::from((index[a] as f32).floor());
            weights[a] = cubic_weights(index[a] - floor);
            for (k, tap) in taps[a].iter_mut().enumerate() {
                *tap = mirror(floor as isize - 1 + k as isize, self.size[a]) - self.lower[a];
            }
        }
        let mut sum = 0.0;
        for (z, wz) in taps[2].into_iter().zip(weights[2]) {
            for (y, wy) in taps[1].into_iter().zip(weights[1]) {
                for (x, wx) in taps[0].into_iter().zip(weights[0]) {
                    sum += wx * wy * wz * self.values[[z, y, x]];
                }
            }
        }
        sum
    }
}

/// Cubic B-spline at the four taps around a sample that lies `t` (in [0, 1)) behind the second.
fn cubic_weights(t: f64) -> [f64; 4] {
    let w3 = (1.0 / 6.0) * t * t * t;
    let w0 = (1.0 / 6.0) + 0.5 * t * (t - 1.0) - w3;
    let w2 = t + w0 - 2.0 * w3;
    [w0, 1.0 - w0 - w2 - w3, w2, w3]
}

/// Voxel that stands for position `i` beyond the borders of an axis of `n` voxels; the edge is not repeated.
fn mirror(i: isize, n: usize) -> usize {
    if n == 1 {
        return 0;
    }
    let last = n as isize - 1;
    let i = if i < 0 { -i } else { i };
    let i = if i > last { 2 * last - i } else { i };
    i.clamp(0, last) as usize
}

/// Replaces values `[z, y, x]` by their cubic B-spline coefficients, axis by axis: x, y, z.
pub fn prefilter(values: &mut Array3<f64>) {
    let (nz, ny, nx) = values.dim();
    let Some(flat) = values.as_slice_mut() else { return };
    prefilter_axis(flat, nx, 1);
    prefilter_axis(flat, ny, nx);
    prefilter_axis(flat, nz, nx * ny);
}

/// Filters along an axis of `n` voxels that lie `stride` apart; the `stride` lines side by side run together.
fn prefilter_axis(values: &mut [f64], n: usize, stride: usize) {
    if n < 2 {
        return;
    }
    let gain = (1.0 - POLE) * (1.0 - 1.0 / POLE);
    for block in values.chunks_exact_mut(n * stride) {
        block.iter_mut().for_each(|v| *v *= gain);
        start_causal(block, n, stride);
        for i in 1..n {
            let (before, from) = block.split_at_mut(i * stride);
            let previous = &before[(i - 1) * stride..];
            for (v, p) in from[..stride].iter_mut().zip(previous) {
                *v += POLE * p;
            }
        }
        let factor = POLE / (POLE * POLE - 1.0);
        let (before, last) = block.split_at_mut((n - 1) * stride);
        for (v, p) in last.iter_mut().zip(&before[(n - 2) * stride..]) {
            *v = factor * (POLE * p + *v);
        }
        for i in (0..n - 1).rev() {
            let (upto, after) = block.split_at_mut((i + 1) * stride);
            for (v, next) in upto[i * stride..].iter_mut().zip(&after[..stride]) {
                *v = POLE * (next - *v);
            }
        }
    }
}

/// First causal coefficient of each line: the mirrored signal's whole past, cut after [`HORIZON`] terms.
fn start_causal(block: &mut [f64], n: usize, stride: usize) {
    for j in 0..stride {
        let at = |i: usize| block[i * stride + j];
        let mut power = POLE;
        let start = if HORIZON < n {
            let mut sum = at(0);
            for i in 1..HORIZON {
                sum += power * at(i);
                power *= POLE;
            }
            sum
        } else {
            let inverse = 1.0 / POLE;
            let mut back = POLE.powi(n as i32 - 1);
            let mut sum = at(0) + back * at(n - 1);
            back = back * (back * inverse);
            for i in 1..n - 1 {
                sum += (power + back) * at(i);
                power *= POLE;
                back *= inverse;
            }
            sum / (1.0 - power * power)
        };
        block[j] = start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wavy(size: [usize; 3]) -> Volume {
        let geometry = Geometry { spacing: [0.8, 1.0, 2.5], ..Geometry::identity(size) };
        let voxels = Array3::from_shape_fn(geometry.shape(), |(z, y, x)| {
            100.0 * (0.7 * x as f64).sin() + 50.0 * (0.31 * y as f64 * z as f64).cos() + z as f64
        });
        Volume { geometry, voxels: Voxels::F64(voxels) }
    }

    fn f64s(volume: &Volume) -> &Array3<f64> {
        match &volume.voxels {
            Voxels::F64(a) => a,
            other => panic!("{}", other.dtype()),
        }
    }

    #[test]
    fn own_grid_returns_the_voxels() {
        let volume = wavy([20, 25, 7]);
        for interpolator in [Interpolator::BSpline, Interpolator::Linear, Interpolator::Nearest] {
            let again = resample(&volume, &volume.geometry, interpolator, 0.0);
            for (a, b) in f64s(&volume).iter().zip(f64s(&again)) {
                // The causal start is cut at 1e-10 of the values, as in ITK.
                assert!((a - b).abs() < 1e-10 * 150.0, "{interpolator:?}: {a} {b}");
            }
        }
    }

    #[test]
    fn a_crop_with_margin_equals_the_whole() {
        let volume = wavy([100, 90, 80]);
        let mut grid = volume.geometry.clone();
        grid.spacing = [1.0, 1.0, 1.0];
        grid.size = [78, 88, 190];
        let whole = resample(&volume, &grid, Interpolator::BSpline, 0.0);
        grid.origin = [40.0, 40.0, 100.0];
        grid.size = [5, 6, 7];
        let part = resample(&volume, &grid, Interpolator::BSpline, 0.0);
        let expected = f64s(&whole).slice(s![100..107, 40..46, 40..45]);
        for (a, b) in f64s(&part).iter().zip(expected) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }

    #[test]
    fn outside_the_voxels_is_the_given_value() {
        let volume = wavy([4, 4, 4]);
        let mut grid = volume.geometry.clone();
        grid.origin[0] = -0.8;
        let shifted = resample(&volume, &grid, Interpolator::Linear, -7.0);
        assert_eq!(f64s(&shifted)[[0, 0, 0]], -7.0);
        assert_eq!(f64s(&shifted)[[0, 0, 1]], f64s(&volume)[[0, 0, 0]]);
        grid.origin[0] = 1e6;
        assert!(f64s(&resample(&volume, &grid, Interpolator::BSpline, 3.0)).iter().all(|v| *v == 3.0));
    }

    #[test]
    fn integers_are_cut_toward_zero() {
        let mut geometry = Geometry::identity([2, 1, 1]);
        let voxels = Voxels::I16(Array3::from_shape_vec((1, 1, 2), vec![-3, -4]).unwrap());
        let volume = Volume { geometry: geometry.clone(), voxels };
        geometry.origin[0] = 0.5;
        geometry.size = [1, 1, 1];
        let half = resample(&volume, &geometry, Interpolator::Linear, 0.0);
        assert_eq!(half.voxels, Voxels::I16(Array3::from_elem((1, 1, 1), -3)));
    }

    #[test]
    fn halves_round_up() {
        assert_eq!(nearest(0.5, 3), 1);
        assert_eq!(nearest(-0.5, 3), 0);
        assert_eq!(nearest(2.499, 3), 2);
        assert_eq!(nearest(0.499_999_999_999_999_94, 1), 0);
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
