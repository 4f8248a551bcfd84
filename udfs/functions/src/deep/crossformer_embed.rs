//! Deep features of a region: the network's average pooling layer.

use super::network::{Network, Where, rows};
use super::picture::input;
use crate::shape::{Function, Kind, each};

pub fn crossformer_embed() -> Function {
    each("crossformer_embed", "Deep features of the region: the network's average pooling layer, 512 numbers for CrossFormer-Tiny. The input is cut out as crossformer_input shows, by the model's own options.")
        .arg("model", Kind::Model, "made by crossformer_load, crossformer_init or crossformer_fit")
        .arg("image", Kind::Image, "the image, windowed and standardised as in training")
        .arg("mask", Kind::Mask, "the region on the image's grid")
        .options::<Where>()
        .heavy()
        .recoverable()
        .source("Wang et al., CrossFormer, ICLR 2022; arXiv 2108.00154")
        .example("SELECT len(crossformer_embed(crossformer_init({'variant': 'micro', 'size': 32}), image('scan.nii.gz').image_zscore(), mask('gtv.nii.gz')))")
        .returns_together(
            |row| Ok(row.model::<Network>(0)?.model.together()),
            |row, _| Ok(input(row.text(1), row.text(2), &row.model::<Network>(0)?.model.rule)?.0),
            |row, options, inputs| rows(&row.model::<Network>(0)?.model.look(inputs, options.device)?.pooled),
        )
}
