//! How far a mask's border moves: what mask_erode and mask_dilate share.

use esccsql_imaging::Op;
use esccsql_imaging::mask::Reach;

use super::source::{mask_recipe, whole};
use crate::shape::{Image, Problem, Row, options};

options! {
    pub struct Options {
        /// 'voxels': steps to one of the six neighbours; 'mm': distance between voxel centres.
        unit: String = "voxels".into(),
    }
    check |options| match options.unit.as_str() {
        "voxels" | "mm" => Ok(()),
        other => Err(format!("`unit` is '{other}'; expected 'voxels' or 'mm'")),
    }
}

/// The mask of argument 0 moved by argument 1.
pub fn moved(row: &Row, options: &Options, step: fn(Reach) -> Op) -> Result<Image, Problem> {
    let reach = match options.unit.as_str() {
        "mm" => Reach::Millimetres(row.number(1)),
        _ => Reach::Voxels(whole("radius", row.number(1))?),
    };
    Ok(Image(mask_recipe(row.text(0))?.then(step(reach)).map_err(Problem::user)?.to_string()))
}
