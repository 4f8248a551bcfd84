//! Intensities standardised over the whole image.

use esccsql_imaging::Op;

use super::source::then;
use crate::shape::{Function, Kind, each};

pub fn image_zscore() -> Function {
    each("image_zscore", "(value - mean) / sd over all voxels of the image, sd with n - 1 as in SimpleITK's Normalize.")
        .arg("image", Kind::Image, "the image")
        .example("SELECT image_zscore(image('scan.nii.gz'))")
        .returns(|row, _| then(row.text(0), Op::Zscore))
}
