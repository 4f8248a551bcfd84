//! An image on a grid of another spacing.

use esccsql_imaging::{Interpolator, Op};

use super::source::{recipe, then};
use crate::shape::{Function, Kind, Problem, each, options};

options! {
    struct Options {
        /// 'bspline' (cubic), 'linear' or 'nearest'. Masks are always 'nearest', whatever stands here.
        interpolator: String = "bspline".into(),
        /// Spacing along y and z where it differs from the one along x; 0 keeps an axis.
        yz: Option<[f64; 2]> = None,
    }
    check |options| match options.interpolator.as_str() {
        "bspline" | "linear" | "nearest" => Ok(()),
        other => Err(format!("`interpolator` is '{other}'; expected 'bspline', 'linear' or 'nearest'")),
    }
}

pub fn image_resample() -> Function {
    each("image_resample", "Resamples to a spacing in mm on a grid centred on the old one. For radiomics use its option resampled_pixel_spacing, which follows PyRadiomics' grid.")
        .arg("image", Kind::Image, "image or mask")
        .arg("spacing", Kind::Number, "mm between voxels along x, y and z")
        .options::<Options>()
        .example("SELECT image_resample(image('scan.nii.gz'), 1.0, {'interpolator': 'linear'})")
        .returns(|row, options| {
            let x = row.number(1);
            let [y, z] = options.yz.unwrap_or([x, x]);
            let interpolator = match options.interpolator.as_str() {
                _ if recipe(row.text(0))?.is_mask() => Interpolator::Nearest,
                "nearest" => Interpolator::Nearest,
                "linear" => Interpolator::Linear,
                "bspline" => Interpolator::BSpline,
                other => return Err(Problem::bug(format!("unchecked interpolator {other}"))),
            };
            then(row.text(0), Op::Resample { spacing: [x, y, z], interpolator })
        })
}
