//! Radiomics features of a region, compatible with PyRadiomics 3.1.
//!
//! The steps and their order are PyRadiomics' own: normalise, check the mask, resample, resegment, crop, bin, compute. A window on
//! the image comes before all of them.

use esccsql_imaging::Op;
use esccsql_radiomics::extract_windowed;

use super::settings::Options;
use crate::images::source::{load, mask_recipe, recipe};
use crate::shape::{Function, Kind, Map, Problem, each};

pub fn radiomics() -> Function {
    each("radiomics", "Radiomics features of the region, by PyRadiomics' names. Options are PyRadiomics' settings in snake_case.")
        .arg("image", Kind::Image, "the image")
        .arg("mask", Kind::Mask, "the region on the image's grid")
        .options::<Options>()
        .heavy()
        .recoverable()
        .source("van Griethuysen et al., Cancer Res 2017;77:e104; PyRadiomics 3.1; IBSI, Radiology 2020;295:328")
        .example("SELECT radiomics(image('scan.nii.gz').image_window(50, 350), mask('gtv.nii.gz'), {'bin_width': 25})['original_shape_Sphericity']")
        .returns(|row, options| {
            let settings = options.settings()?;
            let image = recipe(row.text(0))?;
            let mask = load(&mask_recipe(row.text(1))?)?;
            // A window alone is applied voxel by voxel where it is needed, without a copy of the volume.
            let (image, window) = match image.ops() {
                [Op::Window { center, width }] => {
                    let bare = esccsql_imaging::Recipe::image(image.path());
                    (load(&bare)?, Some([center - width / 2.0, center + width / 2.0]))
                }
                _ => (load(&image)?, None),
            };
            let features = extract_windowed(&image, window, &mask, &settings).map_err(Problem::user).map_err(|problem| problem.at(row.text(1)))?;
            Ok(Map(features.0))
        })
}
