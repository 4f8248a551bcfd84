//! What an extraction saw: sizes, spacings and intensities of image and mask at each step, as PyRadiomics' diagnostics.

use esccsql_imaging::{Geometry, Region, Volume, Voxels};
use ndarray::Array3;
use sha2::{Digest, Sha256};

use crate::prepare::{Frame, check, labelled, placed, resegment};
use crate::source::Source;
use crate::{RadiomicsError, Settings};

/// The image at one step.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageInfo {
    /// mm along x, y, z.
    pub spacing: [f64; 3],
    pub size: [usize; 3],
    pub mean: f64,
    pub minimum: f64,
    pub maximum: f64,
}

/// The mask at one step.
#[derive(Debug, Clone, PartialEq)]
pub struct MaskInfo {
    /// mm along x, y, z.
    pub spacing: [f64; 3],
    pub size: [usize; 3],
    /// First voxel of the region's box, then the box's size: x, y, z.
    pub bounding_box: [usize; 6],
    pub voxels: usize,
    /// Parts that do not touch at faces, edges or corners.
    pub volumes: usize,
    /// Mean voxel of the region: x, y, z.
    pub center_of_mass_index: [f64; 3],
    /// The same place in mm.
    pub center_of_mass: [f64; 3],
    /// Mean, minimum and maximum of the image in the region, where the two share a grid by then.
    pub intensities: Option<[f64; 3]>,
}

/// PyRadiomics' diagnostics. A step that the settings do not ask for is absent.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostics {
    /// SHA-256 of the image's voxels in their stored type, little-endian, x fastest. Likewise of the mask's.
    pub image_sha256: String,
    pub mask_sha256: String,
    pub image_original: ImageInfo,
    pub mask_original: MaskInfo,
    /// After resampling, with what it crops.
    pub image_interpolated: Option<ImageInfo>,
    pub mask_interpolated: Option<MaskInfo>,
    /// After `correct_mask` brought a mask onto the image's grid.
    pub mask_corrected: Option<MaskInfo>,
    pub mask_resegmented: Option<MaskInfo>,
}

/// Diagnostics of an extraction with these settings; `window` limits the intensities first.
///
/// # Errors
/// As [`extract`](crate::extract).
pub fn diagnostics(image: &Volume, window: Option<[f64; 2]>, mask: &Volume, settings: &Settings) -> Result<Diagnostics, RadiomicsError> {
    settings.validate()?;
    let roi = labelled(mask, settings.label)?;
    let mask_original = mask_info(&mask.geometry, &roi, None);
    // The original image is described before it is normalised.
    let plain = Source::new(image, window, &Settings { normalize: false, ..settings.clone() })?;
    let image_original = image_info(&image.geometry, plain.slices(|slice| summary(slice.iter().copied())));
    let source = Source::new(image, window, settings)?;
    let resamples = settings.resampled_pixel_spacing.is_some() && settings.interpolator.is_some();
    let corrects = !resamples && settings.correct_mask && !image.geometry.matches(&mask.geometry, settings.geometry_tolerance);
    let (frame, geometry, region) = placed(source, &mask.geometry, roi, settings)?;
    let moved = || mask_info(&geometry, &region, Some(&frame));
    let image_interpolated = resamples.then(|| image_info(&geometry, vec![summary(whole(&frame).iter().copied())]));
    let mask_interpolated = resamples.then(moved);
    let mask_corrected = corrects.then(moved);
    check(&region, settings)?;
    let (narrowed, _) = resegment(&frame, region.clone(), settings)?;
    let mask_resegmented = settings.resegment_range.is_some().then(|| mask_info(&geometry, &narrowed, Some(&frame)));
    Ok(Diagnostics {
        image_sha256: hash(&image.voxels),
        mask_sha256: hash(&mask.voxels),
        image_original,
        mask_original,
        image_interpolated,
        mask_interpolated,
        mask_corrected,
        mask_resegmented,
    })
}

fn whole(frame: &Frame<'_>) -> Array3<f64> {
    frame.region([0; 3], frame.dim())
}

/// Count, sum, minimum and maximum.
fn summary(values: impl Iterator<Item = f64>) -> [f64; 4] {
    values.fold([0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY], |[n, sum, low, high], v| [n + 1.0, sum + v, low.min(v), high.max(v)])
}

fn image_info(grid: &Geometry, parts: Vec<[f64; 4]>) -> ImageInfo {
    let [n, sum, minimum, maximum] = (parts.into_iter())
        .fold([0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY], |a, b| [a[0] + b[0], a[1] + b[1], a[2].min(b[2]), a[3].max(b[3])]);
    ImageInfo { spacing: grid.spacing, size: grid.size, mean: sum / n, minimum, maximum }
}

fn mask_info(grid: &Geometry, region: &Region, frame: Option<&Frame<'_>>) -> MaskInfo {
    let upper = region.upper();
    let (mut sums, mut voxels) = ([0u64; 3], 0);
    for ((z, y, x), _) in region.inside.indexed_iter().filter(|(_, inside)| **inside) {
        for (sum, at) in sums.iter_mut().zip([x, y, z]) {
            *sum += at as u64;
        }
        voxels += 1;
    }
    let center: [f64; 3] = std::array::from_fn(|a| sums[a] as f64 / voxels as f64 + region.lower[2 - a] as f64);
    let intensities = frame.map(|frame| {
        let values = frame.region(region.lower, upper);
        let inside = values.iter().zip(&region.inside).filter(|(_, inside)| **inside).map(|(v, _)| *v);
        let [n, sum, low, high] = summary(inside);
        [sum / n, low, high]
    });
    MaskInfo {
        spacing: grid.spacing,
        size: grid.size,
        bounding_box: std::array::from_fn(|k| if k < 3 { region.lower[2 - k] } else { upper[5 - k] - region.lower[5 - k] }),
        voxels,
        volumes: parts(&region.inside),
        center_of_mass_index: center,
        center_of_mass: grid.map().point(center),
        intensities,
    }
}

/// Connected parts, over faces, edges and corners.
fn parts(inside: &Array3<bool>) -> usize {
    let mut left = inside.clone();
    let (dim, mut count, mut front) = (inside.dim(), 0, Vec::new());
    for (start, _) in inside.indexed_iter().filter(|(_, inside)| **inside) {
        if !std::mem::take(&mut left[start]) {
            continue;
        }
        count += 1;
        front.push(start);
        while let Some((z, y, x)) = front.pop() {
            let near = |at: usize, n: usize| at.saturating_sub(1)..(at + 2).min(n);
            for z in near(z, dim.0) {
                for y in near(y, dim.1) {
                    for x in near(x, dim.2) {
                        if std::mem::take(&mut left[[z, y, x]]) {
                            front.push((z, y, x));
                        }
                    }
                }
            }
        }
    }
    count
}

/// SHA-256 of the voxels as stored, little-endian, x fastest.
fn hash(voxels: &Voxels) -> String {
    macro_rules! feed {
        ($($variant:ident),*) => {
            match voxels {
                $(Voxels::$variant(a) => {
                    let mut hash = Sha256::new();
                    for row in a.rows() {
                        let bytes: Vec<u8> = row.iter().flat_map(|v| v.to_le_bytes()).collect();
                        hash.update(&bytes);
                    }
                    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
                })*
            }
        };
    }
    feed!(U8, I8, U16, I16, U32, I32, U64, I64, F32, F64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_touch_at_a_corner_are_one() {
        let mut inside = Array3::from_elem((2, 3, 4), false);
        inside[[0, 0, 0]] = true;
        inside[[1, 1, 1]] = true;
        inside[[1, 1, 3]] = true;
        assert_eq!(parts(&inside), 2);
    }
}
