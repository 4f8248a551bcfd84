//! Deep features of a region: the network's average pooling layer.

use super::network::{Network, values};
use super::picture::input;
use crate::shape::{Function, Kind, each};

pub fn crossformer_embed() -> Function {
    each("crossformer_embed", "Deep features of the region: the network's average pooling layer, 512 numbers for CrossFormer-Tiny. The input is cut out as crossformer_input shows, by the model's own options.")
        .arg("model", Kind::Model, "made by crossformer_load, crossformer_init or crossformer_fit")
        .arg("image", Kind::Image, "the image, windowed and standardised as in training")
        .arg("mask", Kind::Mask, "the region on the image's grid")
        .heavy()
        .recoverable()
        .source("Wang et al., CrossFormer, ICLR 2022; arXiv 2108.00154")
        .example("SELECT len(crossformer_embed(crossformer_init({'variant': 'micro', 'size': 32}), image('scan.nii.gz').image_zscore(), mask('gtv.nii.gz')))")
        .returns(|row, _| {
            let network = row.model::<Network>(0)?;
            let (input, _) = input(row.text(1), row.text(2), &network.model.rule)?;
            let (channels, height, width) = input.dim();
            let output = network.model.forward(input.into_iter().collect(), [1, channels, height, width])?;
            values(&output.pooled)
        })
}
