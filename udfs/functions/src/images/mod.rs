//! Images and masks: lazy recipes over files, and what is read from them.

mod image;
mod image_crop;
mod image_info;
mod image_png;
mod image_resample;
mod image_window;
mod image_write;
mod image_zscore;
mod mask;
mod mask_dice;
mod mask_dilate;
mod mask_erode;
mod mask_volume;
mod reach;
mod read_images;
pub(crate) mod source;

pub use read_images::is_image_path;

use crate::shape::Function;

pub fn functions() -> Vec<Function> {
    vec![
        image::image(),
        image_crop::image_crop(),
        image_info::image_info(),
        image_png::image_png(),
        image_resample::image_resample(),
        image_window::image_window(),
        image_write::image_write(),
        image_zscore::image_zscore(),
        mask::mask(),
        mask_dice::mask_dice(),
        mask_dilate::mask_dilate(),
        mask_erode::mask_erode(),
        mask_volume::mask_volume(),
        read_images::read_images(),
    ]
}
