//! An image file as a recipe.

use esccsql_imaging::Recipe;

use crate::shape::{Function, Image, Kind, each};

pub fn image() -> Function {
    each("image", "An image file (NIfTI, NRRD, MetaImage). Nothing is read until a function needs voxels; operations chain with the dot.")
        .arg("path", Kind::Text, "path of the file, relative to the working directory")
        .example("SELECT image('scan.nii.gz').image_window(50, 350).image_resample(1.0).image_zscore()")
        .returns(|row, _| Ok(Image(Recipe::image(row.text(0)).to_string())))
}
