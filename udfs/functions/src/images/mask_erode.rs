//! A mask with its border moved inwards.

use esccsql_imaging::Op;

use super::reach::{Options, moved};
use crate::shape::{Function, Kind, each};

pub fn mask_erode() -> Function {
    each("mask_erode", "Takes away the outermost voxels of a mask.")
        .arg("mask", Kind::Mask, "the mask")
        .arg("radius", Kind::Number, "how far, in voxels or mm")
        .options::<Options>()
        .example("SELECT mask_volume(mask_erode(mask('gtv.nii.gz'), 2.5, {'unit': 'mm'}))")
        .returns(|row, options| moved(row, options, Op::Erode))
}
