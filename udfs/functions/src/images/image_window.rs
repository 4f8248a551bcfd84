//! Intensities limited to a window.

use esccsql_imaging::Op;

use super::source::then;
use crate::shape::{Function, Kind, each};

pub fn image_window() -> Function {
    each("image_window", "Limits every voxel to center - width/2 .. center + width/2, in the image's own unit (HU on CT).")
        .arg("image", Kind::Image, "the image")
        .arg("center", Kind::Number, "middle of the window")
        .arg("width", Kind::Number, "width of the window, above 0")
        .example("SELECT image_window(image('scan.nii.gz'), 50, 350)")
        .returns(|row, _| then(row.text(0), Op::Window { center: row.number(1), width: row.number(2) }))
}
