//! The risk that a network gives a region.

use super::network::{Network, values};
use super::picture::input;
use crate::shape::{Function, Kind, Problem, each};

pub fn crossformer_risk() -> Function {
    each("crossformer_risk", "The network's output for the region, the log hazard of a model trained by crossformer_fit: higher means earlier events.")
        .arg("model", Kind::Model, "made by crossformer_fit, or another network with one output")
        .arg("image", Kind::Image, "the image, windowed and standardised as in training")
        .arg("mask", Kind::Mask, "the region on the image's grid")
        .heavy()
        .recoverable()
        .source("Wang et al., CrossFormer, ICLR 2022; arXiv 2108.00154")
        .example("SELECT crossformer_risk(crossformer_init({'variant': 'micro', 'size': 32}), image('scan.nii.gz').image_zscore(), mask('gtv.nii.gz'))")
        .returns(|row, _| {
            let network = row.model::<Network>(0)?;
            if network.model.config.classes != 1 {
                let classes = network.model.config.classes;
                return Err(Problem::user(format!("the network has {classes} outputs, a risk needs 1; load it with {{'classes': 1}} and train it")).at("model"));
            }
            let (input, _) = input(row.text(1), row.text(2), &network.model.rule)?;
            let (channels, height, width) = input.dim();
            let output = network.model.forward(input.into_iter().collect(), [1, channels, height, width])?;
            Ok(f64::from(values(&output.logits)?[0]))
        })
}
