//! The 2.5D input of a network, to look at.
//!
//! The slice where the mask is largest (the lowest of equals) and `channels` / 2 slices to each side, the volume's end slice again
//! beyond its end; the smallest rectangle that holds the mask in any of them; nearest neighbour to `size` x `size`.

use esccsql_crossformer::input::{Nearest, Outside};

use super::picture::{input, rule};
use crate::shape::{Function, Kind, Problem, each, options, record};

options! {
    struct Options {
        /// Slices: the one with the largest mask, and as many on each side.
        channels: usize = 7,
        /// Side of the picture in pixels, a multiple of 32.
        size: usize = 224,
        /// 'center': the voxel under a pixel's centre; 'floor': under its edge.
        nearest: Nearest = Nearest::Center,
        /// 'keep' voxels outside the mask, or set them to 'zero'.
        outside: Outside = Outside::Keep,
    }
    check |options| rule(options.channels, options.size, options.nearest, options.outside).map(|_| ())
}

record! {
    /// An input and where it comes from.
    struct Input {
        /// Row-major, channels slowest.
        values: Vec<f32>,
        /// [channels, height, width].
        shape: Vec<i64>,
        /// The slice of each channel, from 0.
        slices: Vec<i64>,
        /// [y0, y1, x0, x1], half-open.
        rectangle: Vec<i64>,
    }
}

pub fn crossformer_input() -> Function {
    each("crossformer_input", "The 2.5D input that a network sees: neighbouring slices around the largest cross-section, cut to the mask's rectangle, nearest neighbour to a square. Values row-major with their shape, the slices and the rectangle [y0, y1, x0, x1].")
        .arg("image", Kind::Image, "the image, windowed and standardised as the network shall see it")
        .arg("mask", Kind::Mask, "the region on the image's grid")
        .options::<Options>()
        .heavy()
        .recoverable()
        .example("SELECT crossformer_input(image('scan.nii.gz').image_window(50, 350).image_zscore(), mask('gtv.nii.gz'), {'size': 32}).shape")
        .returns(|row, options| {
            let rule = rule(options.channels, options.size, options.nearest, options.outside).map_err(Problem::user)?;
            let (input, place) = input(row.text(0), row.text(1), &rule)?;
            let whole = |numbers: &[usize]| numbers.iter().map(|&number| number as i64).collect();
            Ok(Input {
                shape: whole(input.shape()),
                values: input.into_iter().collect(),
                slices: whole(&place.slices),
                rectangle: whole(&[place.y, place.x].concat()),
            })
        })
}
