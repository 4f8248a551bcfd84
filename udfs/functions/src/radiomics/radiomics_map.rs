//! A feature of the neighbourhood of each voxel, as an image: PyRadiomics' voxel-based extraction.
//!
//! The result is a recipe like any other image: it is computed where its voxels are read.

use esccsql_imaging::{Op, Volume};
use esccsql_radiomics::check_map;

use super::region::mask_of;
use super::settings::Options;
use crate::images::source::then;
use crate::shape::{Function, Kind, Options as _, Problem, each};

pub fn radiomics_map() -> Function {
    each("radiomics_map", "A map of a feature: at each voxel of the region the feature of its neighbourhood, elsewhere `init_value`. Grey levels are those of the whole region. The map lies on the extraction's grid, cropped to the region and `kernel_radius` voxels around it. It is an image: image_write and image_png take it.")
        .arg("image", Kind::Image, "the image")
        .arg("mask", Kind::Mask, "the region")
        .arg("feature", Kind::Text, "name such as 'original_glcm_Contrast' or 'wavelet-LLH_firstorder_Mean'; 'glcm_Contrast' is of the original image. Shape has no maps")
        .options::<Options>()
        .recoverable()
        .source("van Griethuysen et al., Cancer Res 2017;77:e104; PyRadiomics 3.1")
        .example("SELECT image_write(radiomics_map('scan.nii.gz', mask('gtv.nii.gz'), 'original_firstorder_Entropy', {'kernel_radius': 2, 'bin_width': 10}), 'entropy.nii.gz')")
        .returns(|row, options| {
            let feature = row.text(2).to_string();
            check_map(&feature, options.of_map().0).map_err(Problem::user)?;
            let mask = Box::new(mask_of(row.text(1), options.of_map().0)?);
            then(row.text(0), Op::FeatureMap { mask, feature, options: options.given() })
        })
}

/// Makes the map that a recipe's step asks for.
pub(crate) fn feature_map(image: &Volume, mask: &Volume, feature: &str, options: &str) -> Result<Volume, Problem> {
    let options =
        serde_json::from_str(options).map_err(|error| Problem::user(format!("radiomics_map: the options are not JSON ({error})")))?;
    let options = Options::parse(&options)?;
    let (settings, voxel) = options.of_map();
    esccsql_radiomics::feature_map(image, mask, feature, settings, voxel).map_err(|error| Problem::user(format!("radiomics_map: {error}")))
}
