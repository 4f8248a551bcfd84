//! The risk that a network gives a region.

use super::network::{Network, Where, values};
use super::picture::input;
use crate::shape::{Function, Kind, Problem, each};

pub fn crossformer_risk() -> Function {
    each("crossformer_risk", "The network's output for the region, the log hazard of a model trained by crossformer_fit: higher means earlier events.")
        .arg("model", Kind::Model, "made by crossformer_fit, or another network with one output")
        .arg("image", Kind::Image, "the image, windowed and standardised as in training")
        .arg("mask", Kind::Mask, "the region on the image's grid")
        .options::<Where>()
        .heavy()
        .recoverable()
        .source("Wang et al., CrossFormer, ICLR 2022; arXiv 2108.00154")
        .example("SELECT crossformer_risk(crossformer_init({'variant': 'micro', 'size': 32}), image('scan.nii.gz').image_zscore(), mask('gtv.nii.gz'))")
        .returns_together(
            |row| Ok(row.model::<Network>(0)?.model.together()),
            |row, _| {
                let network = row.model::<Network>(0)?;
                if network.model.config.classes != 1 {
                    let classes = network.model.config.classes;
                    return Err(Problem::user(format!("the network has {classes} outputs, a risk needs 1; load it with {{'classes': 1}} and train it")).at("model"));
                }
                Ok(input(row.text(1), row.text(2), &network.model.rule)?.0)
            },
            |row, options, inputs| {
                let output = row.model::<Network>(0)?.model.look(inputs, options.device)?;
                Ok(values(&output.logits)?.into_iter().map(f64::from).collect())
            },
        )
}
