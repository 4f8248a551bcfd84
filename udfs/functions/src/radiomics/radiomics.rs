//! Radiomics features of a region, compatible with PyRadiomics 3.1.
//!
//! The steps and their order are PyRadiomics' own: normalise, check the mask, resample, resegment, crop, bin, compute. A window on
//! the image comes before all of them.

use esccsql_radiomics::extract_windowed;

use super::region::region;
use super::settings::Options;
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
            let seen = region(row, settings)?;
            let features = extract_windowed(&seen.image, seen.window, &seen.mask, settings).map_err(Problem::user);
            let features = features.map_err(|problem| problem.at(row.text(1)))?;
            Ok(Map(features.0))
        })
}
