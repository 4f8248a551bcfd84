//! A slice as a picture.

use esccsql_imaging::{Plane, PngOptions};

use super::source::{load, mask_recipe, recipe};
use crate::shape::{Function, Kind, Problem, each, options};

options! {
    struct Options {
        /// 'axial', 'coronal' or 'sagittal'.
        plane: String = "axial".into(),
        /// Slice along the plane's normal, from 0; by default where the mask is largest, else the middle.
        index: Option<usize> = None,
        /// [center, width] from black to white; by default the slice's own range.
        window: Option<[f64; 2]> = None,
        /// Pixels per voxel along the finer axis.
        scale: f64 = 2.0,
        /// Path or recipe of a mask to outline.
        mask: Option<String> = None,
    }
    check |options| match options.plane.as_str() {
        "axial" | "coronal" | "sagittal" => Ok(()),
        other => Err(format!("`plane` is '{other}'; expected 'axial', 'coronal' or 'sagittal'")),
    }
}

pub fn image_png() -> Function {
    each("image_png", "One slice as PNG bytes, pixels square in mm, with the outline of a mask if one is given.")
        .arg("image", Kind::Image, "the image")
        .options::<Options>()
        .heavy()
        .recoverable()
        .example("SELECT octet_length(image_png(image('scan.nii.gz'), {'window': [50, 350], 'mask': 'gtv.nii.gz'})) > 0")
        .returns(|row, options| {
            let volume = load(&recipe(row.text(0))?)?;
            let mask = options.mask.as_deref().map(|text| load(&mask_recipe(text)?)).transpose()?;
            let plane = match options.plane.as_str() {
                "coronal" => Plane::Coronal,
                "sagittal" => Plane::Sagittal,
                _ => Plane::Axial,
            };
            let window = options.window.map(|[center, width]| (center, width));
            let options = PngOptions { plane, index: options.index, window, scale: options.scale, ..PngOptions::default() };
            esccsql_imaging::png(&volume, mask.as_deref(), &options).map_err(Problem::user)
        })
}
