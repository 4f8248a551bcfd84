//! The image's intensities as the pipeline sees them, read crop by crop.
//!
//! A CT of 512 x 512 x 300 voxels takes 600 MB as float64. The window and the z-score are functions of one voxel, so
//! they are applied to the voxels that are needed and the whole image is only read for its mean and deviation.

use esccsql_imaging::{Geometry, Volume, Voxels, crop_f64};
use ndarray::Array3;

use crate::{RadiomicsError, Settings};

/// Type of the values that PyRadiomics would hold at this point: results of interpolation return to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Pixel {
    /// Integers from the first to the second bound.
    Integer(f64, f64),
    Float32,
    Float64,
}

impl Pixel {
    fn of(voxels: &Voxels) -> Pixel {
        match voxels {
            Voxels::U8(_) => Pixel::Integer(u8::MIN.into(), u8::MAX.into()),
            Voxels::I8(_) => Pixel::Integer(i8::MIN.into(), i8::MAX.into()),
            Voxels::U16(_) => Pixel::Integer(u16::MIN.into(), u16::MAX.into()),
            Voxels::I16(_) => Pixel::Integer(i16::MIN.into(), i16::MAX.into()),
            Voxels::U32(_) => Pixel::Integer(u32::MIN.into(), u32::MAX.into()),
            Voxels::I32(_) => Pixel::Integer(i32::MIN.into(), i32::MAX.into()),
            Voxels::U64(_) => Pixel::Integer(u64::MIN as f64, u64::MAX as f64),
            Voxels::I64(_) => Pixel::Integer(i64::MIN as f64, i64::MAX as f64),
            Voxels::F32(_) => Pixel::Float32,
            Voxels::F64(_) => Pixel::Float64,
        }
    }

    /// An interpolated value in this type: ITK cuts integers toward zero.
    pub(crate) fn cast(self, value: f64) -> f64 {
        match self {
            Pixel::Integer(low, high) => value.clamp(low, high).trunc(),
            Pixel::Float32 => value as f32 as f64,
            Pixel::Float64 => value,
        }
    }
}

/// An image with its window and normalisation.
pub(crate) struct Source<'a> {
    volume: &'a Volume,
    window: Option<[f64; 2]>,
    zscore: Option<ZScore>,
    pub(crate) pixel: Pixel,
}

/// `scale * (x - mean) / sd`, limited to `outliers` standard deviations before scaling.
#[derive(Debug, Clone, Copy)]
struct ZScore {
    mean: f64,
    inverse_sd: f64,
    outliers: Option<f64>,
    scale: f64,
}

impl ZScore {
    fn apply(self, x: f64) -> f64 {
        let z = (x - self.mean) * self.inverse_sd;
        let z = self.outliers.map_or(z, |k| {
            if z > k {
                k
            } else if z < -k {
                -k
            } else {
                z
            }
        });
        z * self.scale
    }
}

impl<'a> Source<'a> {
    /// Reads the whole image for its mean and standard deviation (n - 1) when `settings` normalise.
    ///
    /// `window` limits every voxel to `[lower, upper]` first.
    pub(crate) fn new(volume: &'a Volume, window: Option<[f64; 2]>, settings: &Settings) -> Result<Source<'a>, RadiomicsError> {
        let mut source = Source { volume, window, zscore: None, pixel: Pixel::of(&volume.voxels) };
        if window.is_some() {
            source.pixel = Pixel::Float64;
        }
        if settings.normalize {
            let (mean, sd) = source.mean_and_sd();
            if sd.is_nan() || sd <= 0.0 {
                return Err(RadiomicsError::ConstantImage { value: mean });
            }
            let (outliers, scale) = (settings.remove_outliers, settings.normalize_scale);
            source.zscore = Some(ZScore { mean, inverse_sd: 1.0 / sd, outliers, scale });
            source.pixel = Pixel::Float64;
        }
        Ok(source)
    }

    pub(crate) fn geometry(&self) -> &Geometry {
        &self.volume.geometry
    }

    /// Voxels `lower..upper` (z, y, x).
    pub(crate) fn region(&self, lower: [usize; 3], upper: [usize; 3]) -> Array3<f64> {
        let mut values = crop_f64(&self.volume.voxels, lower, upper);
        if let Some([low, high]) = self.window {
            values.mapv_inplace(|v| v.clamp(low, high));
        }
        if let Some(zscore) = self.zscore {
            values.mapv_inplace(|v| zscore.apply(v));
        }
        values
    }

    /// Folds every voxel, slice by slice: `per_slice` reduces one z-slice, the results come in order.
    pub(crate) fn slices<T>(&self, per_slice: impl Fn(&Array3<f64>) -> T) -> Vec<T> {
        let (nz, ny, nx) = self.volume.geometry.shape();
        (0..nz).map(|z| per_slice(&self.region([z, 0, 0], [z + 1, ny, nx]))).collect()
    }

    /// ITK's formulas, whose last bits decide where a saturated region's rounding noise falls.
    fn mean_and_sd(&self) -> (f64, f64) {
        let n = self.volume.geometry.size.iter().product::<usize>() as f64;
        let sums = self.slices(|s| (compensated_sum(s.iter().copied()), compensated_sum(s.iter().map(|v| v * v))));
        let sum = compensated_sum(sums.iter().map(|s| s.0));
        let squares = compensated_sum(sums.iter().map(|s| s.1));
        let variance = (squares - sum * sum / n) / (n - 1.0);
        (sum / n, variance.sqrt())
    }
}

/// Sum with Neumaier's compensation.
fn compensated_sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut total, mut lost) = (0.0_f64, 0.0);
    for v in values {
        let next = total + v;
        lost += if total.abs() >= v.abs() { (total - next) + v } else { (v - next) + total };
        total = next;
    }
    total + lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_keep_what_a_large_term_would_swallow() {
        assert_eq!(compensated_sum([1.0, 1e100, 1.0, -1e100].into_iter()), 2.0);
    }

    /// PyRadiomics' mean and deviation of the clipped image, which are ITK's.
    #[test]
    fn statistics_of_a_clipped_ct_equal_the_reference() {
        let folder = std::path::PathBuf::from("../../../shared/reference/radiomics");
        if !folder.is_dir() {
            println!("skipped: ../shared is not here");
            return;
        }
        let goldens: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(folder.join("goldens/goldens.json")).unwrap()).unwrap();
        for case in ["lung1", "sts019"] {
            let volume = esccsql_imaging::read_volume(folder.join(format!("cases/{case}_image.nrrd"))).unwrap();
            let settings = Settings { normalize: true, normalize_scale: 100.0, ..Settings::default() };
            let source = Source::new(&volume, Some([-125.0, 225.0]), &settings).unwrap();
            let zscore = source.zscore.unwrap();
            let near = |found: f64, key: &str| {
                let expected = goldens[case][key].as_f64().unwrap();
                assert!((found / expected - 1.0).abs() < 1e-13, "{case} {key}: {found} {expected}");
            };
            near(zscore.mean, "clipped_mean");
            near(1.0 / zscore.inverse_sd, "clipped_sd_n_minus_1");
            near(source.region([0; 3], [1; 3])[[0, 0, 0]], "normalised_first_voxel");
        }
    }
}
