//! Grad-CAM on the slice, as a paper shows it.

use std::array;

use esccsql_crossformer::Choice;
use esccsql_imaging::ops::cut;
use esccsql_imaging::{Heat, PngOptions, png};
use ndarray::Axis;

use super::gradcam::{map, target};
use super::network::Network;
use crate::images::source::{load, mask_recipe, recipe};
use crate::shape::{Function, Kind, Problem, each, options};

options! {
    struct Options {
        /// Where the gradients are taken: 'last_block', or 'final_norm' after the normalisation.
        layer: String = "last_block".into(),
        /// The output to explain, from 0; a risk has one.
        class: usize = 0,
        /// Opacity of the hottest place, 0 to 1.
        opacity: f64 = 0.7,
        /// Voxels shown around the input's rectangle; by default half its longer side.
        margin: Option<usize> = None,
        /// Pixels of the picture's longer side, about.
        size: usize = 400,
        /// Outline the mask.
        outline: bool = true,
        /// 'cpu', 'cuda', or 'auto': the GPU where this build has CUDA and a driver answers (crossformer_device says which).
        device: Choice = Choice::Auto,
    }
    check |options| {
        target(&options.layer)?;
        match options {
            Options { opacity, .. } if !(0.0..=1.0).contains(opacity) => Err("`opacity` must be between 0 and 1".into()),
            Options { size: 16..=4096, .. } => Ok(()),
            _ => Err("`size` must be 16 to 4096".into()),
        }
    }
}

pub fn gradcam_png() -> Function {
    each("gradcam_png", "Grad-CAM over the middle slice of the input, with the mask's outline, as PNG bytes; grey where nothing raised the output.")
        .arg("model", Kind::Model, "made by crossformer_fit")
        .arg("image", Kind::Image, "the image, windowed and standardised as in training")
        .arg("mask", Kind::Mask, "the region on the image's grid")
        .options::<Options>()
        .heavy()
        .recoverable()
        .source("Selvaraju et al., ICCV 2017")
        .example("SELECT octet_length(gradcam_png(crossformer_init({'variant': 'micro', 'size': 32}), image('scan.nii.gz').image_zscore(), mask('gtv.nii.gz'))) > 0")
        .returns(|row, options| {
            let network = row.model::<Network>(0)?;
            let layer = target(&options.layer).map_err(Problem::user)?;
            let (explained, place) = map(&network.model, row.text(1), row.text(2), (options.class, layer, options.device))?;
            let (image, mask) = (load(&recipe(row.text(1))?)?, load(&mask_recipe(row.text(2))?)?);
            // The rectangle with a margin, in the middle slice.
            let slice = place.slices[place.slices.len() / 2];
            let sides = [place.y, place.x];
            let longer = sides.iter().map(|[from, to]| to - from).max().unwrap_or(1);
            let margin = options.margin.unwrap_or(longer.div_ceil(2));
            let (_, ny, nx) = image.voxels.dim();
            let low: [usize; 2] = array::from_fn(|axis| sides[axis][0].saturating_sub(margin));
            let high: [usize; 2] = array::from_fn(|axis| sides[axis][1].saturating_add(margin).min([ny, nx][axis]));
            let (from, to) = ([slice, low[0], low[1]], [slice + 1, high[0], high[1]]);
            let within = |axis: usize| sides[axis].map(|place| place - low[axis]);
            let heat = Heat {
                values: explained.image.index_axis(Axis(0), 0).to_owned(),
                rows: within(0),
                columns: within(1),
                opacity: options.opacity,
            };
            let shown = (0..2).map(|axis| high[axis] - low[axis]).max().unwrap_or(1);
            let style = PngOptions { scale: options.size as f64 / shown as f64, heat: Some(heat), ..PngOptions::default() };
            let outline = options.outline.then(|| cut(&mask, from, to));
            png(&cut(&image, from, to), outline.as_ref(), &style).map_err(Problem::user)
        })
}
