//! A mask with its border moved outwards.

use esccsql_imaging::Op;

use super::reach::{Options, moved};
use crate::shape::{Function, Kind, each};

pub fn mask_dilate() -> Function {
    each("mask_dilate", "Adds the voxels around a mask.")
        .arg("mask", Kind::Mask, "the mask")
        .arg("radius", Kind::Number, "how far, in voxels or mm")
        .options::<Options>()
        .example("SELECT mask_volume(mask_dilate(mask('gtv.nii.gz'), 2.5, {'unit': 'mm'}))")
        .returns(|row, options| moved(row, options, Op::Dilate))
}
