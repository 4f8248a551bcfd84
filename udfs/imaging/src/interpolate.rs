//! Interpolation of a volume on another grid: nearest voxel, trilinear and cubic B-spline, as ITK 5.4 does it.
//!
//! The pole of the B-spline's prefilter decays as 0.268^k, so of a large source only [`SPLINE_MARGIN`] voxels around the
//! sampled part are filtered.

use ndarray::{Array3, s};

use crate::grid::Row;
use crate::spline::{RowSampler, coefficients, taps};
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
    let mut lower = lower;
    if interpolator == Interpolator::BSpline {
        // Four taps, mirrored at the borders, lie within three voxels of the sample.
        let Some((from, to)) = footprint(source, grid, 3) else { return };
        values = coefficients(values, std::array::from_fn(|a| from[a] - lower[a]..to[a] - lower[a]));
        lower = from;
    }
    let lower = [lower[2], lower[1], lower[0]];
    let part = Part { values: &values, lower, size: source.size };
    let mut rows = RowSampler::default();
    let (from, to) = (source.map(), grid.map());
    let [nx, ny, nz] = grid.size;
    for z in 0..nz {
        for y in 0..ny {
            let row = Row::new(&from, &to, nx, y, z);
            if interpolator == Interpolator::BSpline && row.keeps_y_and_z() {
                rows.row(&row, nx, &values, lower, source.size, |x, value| put((z * ny + y) * nx + x, value));
                continue;
            }
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
    crop_map(voxels, lower, upper, |v| v)
}

/// A function of the voxels `lower..upper` (z, y, x).
pub fn crop_map(voxels: &Voxels, lower: [usize; 3], upper: [usize; 3], f: impl Fn(f64) -> f64) -> Array3<f64> {
    let part = s![lower[0]..upper[0], lower[1]..upper[1], lower[2]..upper[2]];
    with_voxels!(voxels, a => {
        let part = a.slice(part);
        let mut values = Vec::with_capacity(part.len());
        for row in part.rows() {
            match row.to_slice() {
                Some(row) => values.extend(row.iter().map(|v| f(*v as f64))),
                None => values.extend(row.iter().map(|v| f(*v as f64))),
            }
        }
        // Rows come in order, so the shape fits.
        Array3::from_shape_vec(part.raw_dim(), values).unwrap_or_default()
    })
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
        let [(xs, wxs), (ys, wys), (zs, wzs)] = [0, 1, 2].map(|a| {
            let (taps, weights) = taps(index[a], self.size[a]);
            (taps.map(|t| t - self.lower[a]), weights)
        });
        let mut sum = 0.0;
        for (z, wz) in zs.into_iter().zip(wzs) {
            for (y, wy) in ys.into_iter().zip(wys) {
                for (x, wx) in xs.into_iter().zip(wxs) {
                    sum += wx * wy * wz * self.values[[z, y, x]];
                }
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spline::prefilter;

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

    /// A row along x takes its samples together, with the bits of single ones.
    #[test]
    fn rows_equal_single_samples() {
        let volume = wavy([19, 21, 9]);
        let mut values = f64s(&volume).clone();
        prefilter(&mut values);
        let part = Part { values: &values, lower: [0; 3], size: volume.geometry.size };
        let mut grid = volume.geometry.clone();
        grid.spacing = [0.61, 0.37, 1.3];
        grid.origin = [-0.7, -1.0, -0.9];
        grid.size = [30, 62, 20];
        let found = resample(&volume, &grid, Interpolator::BSpline, -1.0);
        let (from, to) = (volume.geometry.map(), grid.map());
        for ((z, y, x), v) in f64s(&found).indexed_iter() {
            let index = Row::new(&from, &to, grid.size[0], y, z).at(x);
            let expected = if inside(index, volume.geometry.size) { part.spline(index) } else { -1.0 };
            assert_eq!(v.to_bits(), expected.to_bits(), "{z} {y} {x}: {v} {expected}");
        }
    }
}
