//! The box around a mask.

use esccsql_imaging::Op;

use super::source::{mask_recipe, then, whole};
use crate::shape::{Function, Kind, each};

pub fn image_crop() -> Function {
    each("image_crop", "The smallest box that holds the mask, wider by `pad` voxels on each side as far as the image goes.")
        .arg("image", Kind::Image, "image or mask")
        .arg("mask", Kind::Mask, "mask on the same grid")
        .arg("pad", Kind::Number, "voxels to add on each side")
        .example("SELECT image_info(image_crop(image('scan.nii.gz'), mask('gtv.nii.gz'), 2)).shape")
        .returns(|row, _| then(row.text(0), Op::Crop { mask: Box::new(mask_recipe(row.text(1))?), pad: whole("pad", row.number(2))? }))
}
