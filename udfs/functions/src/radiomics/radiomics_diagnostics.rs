//! What an extraction saw, step by step: PyRadiomics' diagnostics columns as one STRUCT.
//!
//! `diagnostics_Image-original_Mean` is `image_original.mean`, `diagnostics_Mask-interpolated_VoxelNum` is
//! `mask_interpolated.voxel_num`, and so on. The versions are ours, and hashes are SHA-256 where PyRadiomics has SHA-1.

use esccsql_radiomics::{ImageInfo, MaskInfo, diagnostics};

use super::region::region;
use super::settings::Options;
use crate::shape::{Function, Kind, Problem, each, record};

record! {
    /// The image at one step.
    struct ImageStep {
        spacing: Vec<f64>,
        size: Vec<i64>,
        mean: f64,
        minimum: f64,
        maximum: f64,
    }
}

record! {
    /// The mask at one step: x, y, z throughout.
    struct MaskStep {
        spacing: Vec<f64>,
        size: Vec<i64>,
        bounding_box: Vec<i64>,
        voxel_num: i64,
        volume_num: i64,
        center_of_mass_index: Vec<f64>,
        center_of_mass: Vec<f64>,
        mean: Option<f64>,
        minimum: Option<f64>,
        maximum: Option<f64>,
    }
}

record! {
    struct Diagnostics {
        version_esccsql: String,
        version_pyradiomics: String,
        configuration: String,
        image_original_hash: String,
        image_original_dimensionality: String,
        image_original: ImageStep,
        mask_original_hash: String,
        mask_original: MaskStep,
        image_interpolated: Option<ImageStep>,
        mask_interpolated: Option<MaskStep>,
        mask_corrected: Option<MaskStep>,
        mask_resegmented: Option<MaskStep>,
    }
}

pub fn radiomics_diagnostics() -> Function {
    each("radiomics_diagnostics", "What radiomics saw of image and mask at each step, as PyRadiomics' diagnostics columns: version of esccsql and of the PyRadiomics that its numbers follow, settings, SHA-256 of the voxels, then sizes, spacings and intensities of the original, the interpolated, the corrected and the resegmented image and mask. A step that the options do not ask for is NULL. Boxes are first voxel and size, lengths mm, x before y before z.")
        .arg("image", Kind::Image, "the image")
        .arg("mask", Kind::Mask, "the region")
        .options::<Options>()
        .heavy()
        .recoverable()
        .source("PyRadiomics 3.1, generalinfo")
        .example("SELECT radiomics_diagnostics('scan.nii.gz', 'gtv.nii.gz', {'resampled_pixel_spacing': [2, 2, 2]}).mask_interpolated.voxel_num")
        .returns(|row, options| {
            let settings = options.settings()?;
            if settings.ibsi.is_some() {
                return Err(Problem::user("the profile 'ibsi' has its diagnostics in radiomics: add 'feature_classes': ['diag'] there"));
            }
            let seen = region(row, settings)?;
            let found = diagnostics(&seen.image, seen.window, &seen.mask, settings);
            let found = found.map_err(Problem::user).map_err(|problem| problem.at(row.text(1)))?;
            Ok(Diagnostics {
                version_esccsql: env!("CARGO_PKG_VERSION").into(),
                version_pyradiomics: "3.1.0".into(),
                configuration: options.given(),
                image_original_hash: found.image_sha256,
                image_original_dimensionality: "3D".into(),
                image_original: image(found.image_original),
                mask_original_hash: found.mask_sha256,
                mask_original: mask(found.mask_original),
                image_interpolated: found.image_interpolated.map(image),
                mask_interpolated: found.mask_interpolated.map(mask),
                mask_corrected: found.mask_corrected.map(mask),
                mask_resegmented: found.mask_resegmented.map(mask),
            })
        })
}

fn whole(numbers: &[usize]) -> Vec<i64> {
    numbers.iter().map(|n| *n as i64).collect()
}

fn image(info: ImageInfo) -> ImageStep {
    let ImageInfo { spacing, size, mean, minimum, maximum } = info;
    ImageStep { spacing: spacing.into(), size: whole(&size), mean, minimum, maximum }
}

fn mask(info: MaskInfo) -> MaskStep {
    let intensity = |k: usize| info.intensities.map(|all| all[k]);
    MaskStep {
        spacing: info.spacing.into(),
        size: whole(&info.size),
        bounding_box: whole(&info.bounding_box),
        voxel_num: info.voxels as i64,
        volume_num: info.volumes as i64,
        center_of_mass_index: info.center_of_mass_index.into(),
        center_of_mass: info.center_of_mass.into(),
        mean: intensity(0),
        minimum: intensity(1),
        maximum: intensity(2),
    }
}
