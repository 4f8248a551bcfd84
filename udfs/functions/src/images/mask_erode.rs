//! A mask with its border moved.

use esccsql_imaging::Op;
use esccsql_imaging::mask::Reach;

use super::source::{mask_recipe, whole};
use crate::shape::{Function, Image, Kind, Problem, each, options};

options! {
    struct Options {
        /// 'voxels': steps to one of the six neighbours; 'mm': distance between voxel centres.
        unit: String = "voxels".into(),
    }
    check |options| match options.unit.as_str() {
        "voxels" | "mm" => Ok(()),
        other => Err(format!("`unit` is '{other}'; expected 'voxels' or 'mm'")),
    }
}

pub fn mask_erode() -> Function {
    each("mask_erode", "Takes away the outermost voxels of a mask.")
        .arg("mask", Kind::Mask, "the mask")
        .arg("radius", Kind::Number, "how far, in voxels or mm")
        .options::<Options>()
        .example("SELECT mask_volume(mask_erode(mask('gtv.nii.gz'), 2.5, {'unit': 'mm'}))")
        .returns(|row, options| {
            let reach = match options.unit.as_str() {
                "mm" => Reach::Millimetres(row.number(1)),
                _ => Reach::Voxels(whole("radius", row.number(1))?),
            };
            Ok(Image(mask_recipe(row.text(0))?.then(Op::Erode(reach)).map_err(Problem::user)?.to_string()))
        })
}
