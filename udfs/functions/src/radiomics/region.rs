//! Image and mask of a row, for the functions of this topic.

use std::sync::Arc;

use esccsql_imaging::{Op, Recipe, Volume};
use esccsql_radiomics::Settings;

use crate::images::source::{load, mask_recipe, recipe};
use crate::shape::{Problem, Row};

/// What a row's image and mask hold.
pub struct Region {
    pub image: Arc<Volume>,
    /// Bounds of the intensities, where the image's recipe is a window alone.
    pub window: Option<[f64; 2]>,
    pub mask: Arc<Volume>,
}

/// Reads arguments 0 and 1.
pub fn region(row: &Row, settings: &Settings) -> Result<Region, Problem> {
    let image = recipe(row.text(0))?;
    let mask = load(&mask_of(row.text(1), settings)?)?;
    // A window alone is applied voxel by voxel where it is needed, without a copy of the volume.
    let (image, window) = match image.ops() {
        [Op::Window { center, width }] => (load(&Recipe::image(image.path()))?, Some([center - width / 2.0, center + width / 2.0])),
        _ => (load(&image)?, None),
    };
    Ok(Region { image, window, mask })
}

/// The mask that a text and the settings mean.
pub fn mask_of(text: &str, settings: &Settings) -> Result<Recipe, Problem> {
    let mask = mask_recipe(text)?;
    Ok(match settings.label_channel {
        Some(channel) => mask.of_channel(channel),
        None => mask,
    })
}
