//! From IMAGE and mask to a network's input: what all deep functions share.

use esccsql_crossformer::input::{Nearest, Outside, Place, Rule};
use esccsql_imaging::mask::is_inside;
use esccsql_imaging::ops::{GEOMETRY_TOLERANCE, same_grid};
use ndarray::Array3;

use crate::images::source::{load, mask_recipe, recipe};
use crate::shape::Problem;

/// The input [channels, size, size] of an image and a mask, and where it was cut out.
pub fn input(image: &str, mask: &str, rule: &Rule) -> Result<(Array3<f32>, Place), Problem> {
    let told = |error: &dyn std::fmt::Display| Problem::user(error).at(mask);
    let region = load(&mask_recipe(mask)?)?;
    let volume = load(&recipe(image)?)?;
    same_grid("the image and the mask", &volume.geometry, &region.geometry, GEOMETRY_TOLERANCE).map_err(|error| told(&error))?;
    let inside = region.voxels.to_f64().mapv(is_inside);
    rule.prepare_f32(volume.voxels.to_f64().view(), inside.view()).map_err(|error| told(&error))
}

/// Channels as slices to each side of the largest.
pub fn reach(channels: usize) -> Result<usize, String> {
    if channels % 2 == 1 {
        Ok(channels / 2)
    } else {
        Err(format!("`channels` is {channels}; expected an odd number, the largest slice and as many on each side"))
    }
}

/// The input rule of a network with these options.
pub fn rule(channels: usize, size: usize, nearest: Nearest, outside: Outside) -> Result<Rule, String> {
    let rule = Rule { size, reach: reach(channels)?, nearest, outside };
    rule.check().map_err(|error| error.to_string())?;
    Ok(rule)
}
