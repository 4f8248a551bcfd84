//! Operations on images: windowing, z-scoring, resampling to a spacing, cropping, and whether two grids are the same.

use ndarray::{Array3, s};
use rayon::prelude::*;

use crate::error::{ImageError, Result};
use crate::volume::with_voxels;
use crate::{Geometry, Interpolator, Region, Volume, Voxels, resample};

/// Largest difference of two grids that count as one: PyRadiomics' and ITK's `geometryTolerance`.
pub const GEOMETRY_TOLERANCE: f64 = 1e-6;

/// Clamps values to `[center - width / 2, center + width / 2]`, in their own unit (HU), as float64.
pub fn window(volume: &Volume, center: f64, width: f64) -> Result<Volume> {
    if !(center.is_finite() && width.is_finite() && width > 0.0) {
        return Err(ImageError::Operation(format!("window center {center}, width {width}: expected finite numbers and a width above 0")));
    }
    let (low, high) = (center - width / 2.0, center + width / 2.0);
    let mut values = volume.voxels.to_f64();
    values.par_mapv_inplace(|v| v.clamp(low, high));
    Ok(Volume { geometry: volume.geometry.clone(), voxels: Voxels::F64(values) })
}

/// `(value - mean) / sd` over all voxels, sd with n - 1, as float64: SimpleITK's `Normalize`.
pub fn zscore(volume: &Volume) -> Result<Volume> {
    let mut values = volume.voxels.to_f64();
    let n = values.len() as f64;
    // Sums per slice, added in slice order: the same bits on any number of threads.
    let total = |f: &(dyn Fn(f64) -> f64 + Sync)| -> f64 {
        let slices: Vec<f64> = values.outer_iter().into_par_iter().map(|slice| slice.iter().map(|v| f(*v)).sum()).collect();
        slices.iter().sum()
    };
    let mean = total(&|v| v) / n;
    let sd = (total(&|v| (v - mean) * (v - mean)) / (n - 1.0)).sqrt();
    if !(sd.is_finite() && sd > 0.0) {
        let why = if sd == 0.0 { "all voxels are equal" } else { "it has one voxel, or voxels that are not finite" };
        return Err(ImageError::Operation(format!("an image cannot be z-scored: {why}")));
    }
    values.par_mapv_inplace(|v| (v - mean) / sd);
    Ok(Volume { geometry: volume.geometry.clone(), voxels: Voxels::F64(values) })
}

/// The grid with another spacing over the same part of space.
///
/// The outer corner of the first voxel stays, as in PyRadiomics; along each axis there are as many voxels as have
/// their centre inside the old grid, ceil(n s / t - 1/2) for n voxels of spacing s and new spacing t. A spacing of 0
/// keeps the axis.
pub fn grid_with_spacing(grid: &Geometry, spacing: [f64; 3]) -> Result<Geometry> {
    if !spacing.iter().all(|t| t.is_finite() && *t >= 0.0) {
        return Err(ImageError::Operation(format!("spacing {spacing:?} mm: expected finite numbers above 0 (or 0 to keep an axis)")));
    }
    let mut out = grid.clone();
    let mut first = [0.0; 3];
    for axis in 0..3 {
        let (n, s, t) = (grid.size[axis] as f64, grid.spacing[axis], spacing[axis]);
        if t == 0.0 || t == s {
            continue;
        }
        let voxels = (n * s / t - 0.5).ceil();
        if voxels < 1.0 {
            let extent = n * s;
            return Err(ImageError::Operation(format!("spacing {t} mm along axis {axis} leaves no voxel of an image {extent} mm thick")));
        }
        // Float to integer conversion is limited to the type's range; the check below refuses what is too large.
        out.size[axis] = voxels as usize;
        out.spacing[axis] = t;
        first[axis] = 0.5 * (t - s) / s;
    }
    out.origin = grid.map().point(first);
    out.check().map_err(|e| ImageError::Operation(e.to_string()))?;
    Ok(out)
}

/// The volume at another spacing, in its own voxel type (integers are cut toward zero, as ITK does it).
pub fn resample_to_spacing(volume: &Volume, spacing: [f64; 3], interpolator: Interpolator) -> Result<Volume> {
    let grid = grid_with_spacing(&volume.geometry, spacing)?;
    if grid == volume.geometry {
        return Ok(volume.clone());
    }
    Ok(resample(volume, &grid, interpolator, 0.0))
}

/// The part of a volume in the box around a mask (its voxels other than 0) and `pad` voxels more on each side,
/// as far as the volume goes. Both must lie on the same grid.
pub fn crop(volume: &Volume, mask: &Volume, pad: usize) -> Result<Volume> {
    same_grid("the image and the mask to crop to", &volume.geometry, &mask.geometry, GEOMETRY_TOLERANCE)?;
    let region = Region::of_label(&crate::mask::binary(mask).voxels, 1);
    let region = region.ok_or_else(|| ImageError::EmptyMask("there is nothing to crop to".into()))?;
    let (low, high) = (region.lower, region.upper());
    let (nz, ny, nx) = volume.voxels.dim();
    let low = low.map(|l| l.saturating_sub(pad));
    let high = [high[0].saturating_add(pad).min(nz), high[1].saturating_add(pad).min(ny), high[2].saturating_add(pad).min(nx)];
    Ok(cut(volume, low, high))
}

/// Voxels `low..high` (z, y, x).
pub fn cut(volume: &Volume, low: [usize; 3], high: [usize; 3]) -> Volume {
    fn part<T: Clone>(a: &Array3<T>, low: [usize; 3], high: [usize; 3]) -> Array3<T> {
        a.slice(s![low[0]..high[0], low[1]..high[1], low[2]..high[2]]).to_owned()
    }
    macro_rules! each {
        ($($variant:ident),*) => {
            match &volume.voxels {
                $(Voxels::$variant(a) => Voxels::$variant(part(a, low, high)),)*
            }
        };
    }
    let voxels = each!(U8, I8, U16, I16, U32, I32, U64, I64, F32, F64);
    let mut geometry = volume.geometry.clone();
    geometry.origin = volume.geometry.map().voxel_point([low[2], low[1], low[0]]);
    geometry.size = std::array::from_fn(|a| high[2 - a] - low[2 - a]);
    Volume { geometry, voxels }
}

/// Refuses two grids that differ, naming the field. ITK's rule: origin and spacing within `tolerance` of a voxel
/// along x, direction cosines within `tolerance`. `what` names the pair ("the image and the mask").
pub fn same_grid(what: &str, a: &Geometry, b: &Geometry, tolerance: f64) -> Result<()> {
    let limit = tolerance * a.spacing[0];
    let near = |a: &[f64], b: &[f64], limit: f64| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= limit);
    let (field, a, b) = if a.size != b.size {
        ("size", format!("{:?}", a.size), format!("{:?}", b.size))
    } else if !near(&a.spacing, &b.spacing, limit) {
        ("spacing", format!("{:?} mm", a.spacing), format!("{:?} mm", b.spacing))
    } else if !near(&a.origin, &b.origin, limit) {
        ("origin", format!("{:?} mm", a.origin), format!("{:?} mm", b.origin))
    } else if !near(a.direction.as_flattened(), b.direction.as_flattened(), tolerance) {
        ("direction", format!("{:?}", a.direction), format!("{:?}", b.direction))
    } else {
        return Ok(());
    };
    Err(ImageError::GridMismatch { what: what.into(), field, a, b, tolerance })
}

impl Voxels {
    /// Bytes that the voxels take in memory.
    pub fn bytes(&self) -> usize {
        with_voxels!(self, a => a.len() * bytes_each(a))
    }
}

fn bytes_each<T>(_: &Array3<T>) -> usize {
    size_of::<T>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(size: [usize; 3]) -> Volume {
        let geometry = Geometry { spacing: [0.5, 1.0, 3.0], origin: [10.0, -5.0, 2.0], ..Geometry::identity(size) };
        let voxels = Array3::from_shape_fn(geometry.shape(), |(z, y, x)| (100 * z + 10 * y + x) as i16);
        Volume { geometry, voxels: Voxels::I16(voxels) }
    }

    fn f64s(volume: &Volume) -> Array3<f64> {
        volume.voxels.to_f64()
    }

    #[test]
    fn a_window_clamps_to_its_edges() {
        let out = f64s(&window(&ramp([4, 3, 2]), 50.0, 80.0).unwrap());
        assert_eq!((out[[0, 0, 0]], out[[0, 2, 2]], out[[1, 0, 0]]), (10.0, 22.0, 90.0));
        assert!(window(&ramp([1, 1, 1]), 50.0, 0.0).unwrap_err().to_string().contains("width"));
        assert!(window(&ramp([1, 1, 1]), f64::NAN, 1.0).is_err());
    }

    #[test]
    fn a_z_score_has_mean_0_and_sample_sd_1() {
        let out = f64s(&zscore(&ramp([4, 3, 2])).unwrap());
        let n = out.len() as f64;
        assert!(out.sum().abs() < 1e-12);
        assert!((out.iter().map(|v| v * v).sum::<f64>() / (n - 1.0) - 1.0).abs() < 1e-12);
        let mut flat = ramp([2, 2, 2]);
        flat.voxels = Voxels::U8(Array3::ones((2, 2, 2)));
        assert!(zscore(&flat).unwrap_err().to_string().contains("equal"));
    }

    #[test]
    fn a_new_spacing_keeps_the_corner_and_stays_inside() {
        let grid = ramp([4, 3, 2]).geometry;
        let new = grid_with_spacing(&grid, [1.0, 0.0, 2.0]).unwrap();
        assert_eq!(new.size, [2, 3, 3]);
        assert_eq!(new.spacing, [1.0, 1.0, 2.0]);
        // Corners: 10 - 0.25 = 10.25 - 0.5; 2 - 1.5 = 1.5 - 1.
        assert_eq!(new.origin, [10.25, -5.0, 1.5]);
        assert_eq!(grid_with_spacing(&grid, grid.spacing).unwrap(), grid);
        assert!(grid_with_spacing(&grid, [5.0, 1.0, 1.0]).unwrap_err().to_string().contains("no voxel"));
        assert!(grid_with_spacing(&grid, [-1.0, 1.0, 1.0]).is_err());
        assert!(grid_with_spacing(&grid, [1e-300, 1.0, 1.0]).is_err());
    }

    #[test]
    fn a_crop_keeps_every_voxel_in_its_place() {
        let volume = ramp([6, 5, 4]);
        let mut mask = Array3::<u8>::zeros((4, 5, 6));
        mask[[2, 3, 4]] = 7;
        mask[[2, 2, 4]] = 1;
        let mask = Volume { geometry: volume.geometry.clone(), voxels: Voxels::U8(mask) };
        let out = crop(&volume, &mask, 1).unwrap();
        assert_eq!(out.geometry.size, [3, 4, 3]);
        assert_eq!(out.geometry.origin, [10.0 + 3.0 * 0.5, -5.0 + 1.0, 2.0 + 3.0]);
        assert_eq!(f64s(&out)[[0, 0, 0]], 113.0);
        let empty = Volume { geometry: volume.geometry.clone(), voxels: Voxels::U8(Array3::zeros((4, 5, 6))) };
        assert!(matches!(crop(&volume, &empty, 1), Err(ImageError::EmptyMask(_))));
        assert_eq!(crop(&volume, &mask, usize::MAX).unwrap(), volume);
    }

    #[test]
    fn a_grid_that_differs_is_named() {
        let a = ramp([4, 3, 2]).geometry;
        let mut b = a.clone();
        b.origin[2] += 0.4e-6;
        assert!(same_grid("a and b", &a, &b, 1e-6).is_ok());
        b.origin[2] += 0.4e-6;
        let message = same_grid("a and b", &a, &b, 1e-6).unwrap_err().to_string();
        assert!(message.contains("origin") && message.contains("1e-6"), "{message}");
        b = a.clone();
        b.direction[0][1] = 1e-5;
        assert!(same_grid("a and b", &a, &b, 1e-6).unwrap_err().to_string().contains("direction"));
        b.size[0] = 9;
        assert!(same_grid("a and b", &a, &b, 1e-6).unwrap_err().to_string().contains("size"));
    }
}
