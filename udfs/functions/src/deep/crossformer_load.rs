//! A network from a file of weights: `.pth` of the upstream project (also of torch before 1.6), `.safetensors`.
//!
//! Nothing in the file is executed. Names and shapes must be those of a CrossFormer; the variant follows from them.

use esccsql_crossformer::input::{Nearest, Outside};
use esccsql_crossformer::weights::{Adapt, Weights};

use super::network::Network;
use super::picture::rule;
use crate::shape::{Function, Kind, Model, Problem, Summary, each, local, options};

options! {
    struct Options {
        /// Input channels; by default the file's own.
        channels: Option<usize> = None,
        /// Outputs; by default the file's own. Another number gets a new random head.
        classes: Option<usize> = None,
        /// How kernels of m channels become kernels of n: 'mean' (mean over the channels, times m / n), 'repeat' (the channels in turn, times m / n), or 'none' (an error).
        adapt: Adapt = Adapt::Mean,
        /// Side of the input in pixels, a multiple of 32.
        size: usize = 224,
        /// 'center' or 'floor', as in crossformer_input.
        nearest: Nearest = Nearest::Center,
        /// 'keep' or 'zero', as in crossformer_input.
        outside: Outside = Outside::Keep,
        /// Seed of a new head.
        seed: u64 = 1,
    }
    check |options| {
        if options.classes == Some(0) || options.classes.is_some_and(|classes| classes > 100_000) {
            return Err("`classes` must be 1 to 100000".into());
        }
        rule(options.channels.unwrap_or(1), options.size, options.nearest, options.outside).map(|_| ())
    }
}

pub fn crossformer_load() -> Function {
    each(
        "crossformer_load",
        "A CrossFormer from a file of weights, .pth as PyTorch writes it or .safetensors; nothing in the file is executed.",
    )
    .arg("path", Kind::Text, "path or URL of the file")
    .options::<Options>()
    .source("Wang et al., CrossFormer, ICLR 2022; arXiv 2108.00154")
    .example("SELECT model_info(crossformer_load('network.safetensors', {'classes': 1})).warnings")
    .returns(|row, options| {
        let path = row.text(0);
        let bytes = std::fs::read(local(path)?).map_err(|error| Problem::user(format!("{error}; check the path")).at(path))?;
        let weights = Weights::read(&bytes).map_err(|error| Problem::user(error).at(path))?;
        let own = weights.config().map_err(|error| Problem::user(error).at(path))?;
        let (channels, classes) = (options.channels.unwrap_or(own.in_channels), options.classes.unwrap_or(own.classes));
        let rule = rule(channels, options.size, options.nearest, options.outside).map_err(Problem::user)?;
        let (weights, config, changes) =
            weights.fit(channels, classes, options.adapt, options.seed).map_err(|error| Problem::user(error).at(path))?;
        let mut warnings = Vec::new();
        warnings.extend(changes.channels.map(|before| format!("the patch embedding was adapted from {before} to {channels} channels")));
        warnings.extend(changes.classes.map(|before| format!("the head of {before} outputs was replaced by a random one of {classes}")));
        let summary = Summary { warnings, options: serde_json::to_value(options).map_err(Problem::bug)?, ..Summary::default() };
        Model::encode(&Network::new(config, rule, &weights)?, &[], summary)
    })
}
