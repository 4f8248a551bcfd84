//! An image file or a DICOM series as a recipe.

use esccsql_imaging::Recipe;

use crate::shape::{Function, Image, Kind, each};

pub fn image() -> Function {
    each("image", "An image: a file (NIfTI, NRRD, MetaImage) or a DICOM series (CT, MR, PET). Nothing is read until a function needs voxels; operations chain with the dot.")
        .arg("path", Kind::Text, "path of the file, relative to the working directory, or its URL on a cluster ('s3://bucket/scan.nii.gz'); of a DICOM series its folder, any of its files, or 'folder#SeriesInstanceUID'")
        .example("SELECT image('scan.nii.gz').image_window(50, 350).image_resample(1.0).image_zscore()")
        .returns(|row, _| Ok(Image(Recipe::image(row.text(0)).to_string())))
}
