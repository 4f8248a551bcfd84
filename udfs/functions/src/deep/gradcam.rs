//! Which part of the input raised the risk.

use candle_core::{Device, Tensor};
use esccsql_crossformer::Choice;
use esccsql_crossformer::gradcam::{GradCam, Target, gradcam as explain};
use esccsql_crossformer::input::Place;

use super::network::{Network, problem};
use super::picture::input;
use crate::shape::{Function, Kind, Problem, each, options, record};

options! {
    struct Options {
        /// Where the gradients are taken: 'last_block', or 'final_norm' after the normalisation.
        layer: String = "last_block".into(),
        /// The output to explain, from 0; a risk has one.
        class: usize = 0,
        /// 'cpu', 'cuda', or 'auto': the GPU where this build has CUDA and a driver answers (crossformer_device says which).
        device: Choice = Choice::Auto,
    }
    check |options| target(&options.layer).map(|_| ())
}

/// The layer of an option.
pub fn target(layer: &str) -> Result<Target, String> {
    match layer {
        "last_block" => Ok(Target::LastBlock),
        "final_norm" => Ok(Target::FinalNorm),
        other => Err(format!("`layer` is '{other}'; there are 'last_block' and 'final_norm'")),
    }
}

record! {
    /// A heat map and where it lies.
    struct Map {
        /// Row-major on the input's grid, between 0 and 1.
        values: Vec<f32>,
        /// [height, width].
        shape: Vec<i64>,
        /// The output that is explained.
        output: f64,
        /// The middle slice of the input, from 0.
        slice: i64,
        /// [y0, y1, x0, x1] of the input in the image, half-open.
        rectangle: Vec<i64>,
    }
}

/// Grad-CAM of a region, and where its input was cut out.
pub fn map(
    network: &Network,
    image: &str,
    mask: &str,
    (class, target, place): (usize, Target, Choice),
) -> Result<(GradCam, Place), Problem> {
    let classes = network.config.classes;
    if class >= classes {
        return Err(Problem::user(format!("the network has {classes} outputs, counted from 0; there is no `class` {class}")));
    }
    let (input, cut) = input(image, mask, &network.rule)?;
    let (channels, height, width) = input.dim();
    let images = Tensor::from_vec(input.into_iter().collect(), &[1, channels, height, width], &Device::Cpu).map_err(Problem::bug)?;
    let explained = explain(network.built(place)?, &images, class, target).map_err(problem)?;
    Ok((explained, cut))
}

pub fn gradcam() -> Function {
    each("gradcam", "Grad-CAM: which part of the input raised the network's output; between 0 and 1 on the input's grid, all 0 where nothing raised it.")
        .arg("model", Kind::Model, "made by crossformer_fit")
        .arg("image", Kind::Image, "the image, windowed and standardised as in training")
        .arg("mask", Kind::Mask, "the region on the image's grid")
        .options::<Options>()
        .heavy()
        .recoverable()
        .source("Selvaraju et al., ICCV 2017")
        .example("SELECT gradcam(crossformer_init({'variant': 'micro', 'size': 32}), image('scan.nii.gz').image_zscore(), mask('gtv.nii.gz')).shape")
        .returns(|row, options| {
            let network = row.model::<Network>(0)?;
            let layer = target(&options.layer).map_err(Problem::user)?;
            let (explained, place) = map(&network.model, row.text(1), row.text(2), (options.class, layer, options.device))?;
            let whole = |numbers: &[usize]| numbers.iter().map(|&number| number as i64).collect();
            Ok(Map {
                shape: whole(&explained.image.shape()[1..]),
                values: explained.image.iter().map(|&value| value as f32).collect(),
                output: explained.eta[0],
                slice: place.slices[place.slices.len() / 2] as i64,
                rectangle: whole(&[place.y, place.x].concat()),
            })
        })
}
