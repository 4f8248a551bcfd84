//! The volume of a mask.

use super::source::{load, mask_recipe};
use crate::shape::{Function, Kind, each};

pub fn mask_volume() -> Function {
    each("mask_volume", "Volume of a mask in mm3: voxels other than 0 times the volume of one.")
        .arg("mask", Kind::Mask, "the mask")
        .heavy()
        .recoverable()
        .example("SELECT mask_volume(mask('gtv.nii.gz')) / 1000 AS cm3")
        .returns(|row, _| Ok(esccsql_imaging::mask::volume_mm3(&*load(&mask_recipe(row.text(0))?)?)))
}
