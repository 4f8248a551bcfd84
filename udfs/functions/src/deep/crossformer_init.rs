//! A network from scratch: random weights by seed, drawn as upstream does.

use esccsql_crossformer::Config;
use esccsql_crossformer::input::{Nearest, Outside};
use esccsql_crossformer::weights::initial;

use super::network::{Network, problem};
use super::picture::rule;
use crate::shape::{Function, Model, Problem, Summary, each, options};

options! {
    struct Options {
        /// 'tiny' (512 features), 'small', 'base' or 'large' as published; 'micro' (128 features) for trials.
        variant: String = "tiny".into(),
        /// Input channels: the slice with the largest mask, and as many on each side.
        channels: usize = 7,
        /// Outputs; 1 for a risk.
        classes: usize = 1,
        /// Side of the input in pixels, a multiple of 32.
        size: usize = 224,
        /// 'center' or 'floor', as in crossformer_input.
        nearest: Nearest = Nearest::Center,
        /// 'keep' or 'zero', as in crossformer_input.
        outside: Outside = Outside::Keep,
        /// Seed of the random weights.
        seed: u64 = 1,
    }
    check |options| {
        rule(options.channels, options.size, options.nearest, options.outside)?;
        let config = Config::named(&options.variant).map_err(|error| error.to_string())?;
        config.channels(options.channels).classes(options.classes).check().map_err(|error| error.to_string())?;
        if options.classes > 100_000 { Err("`classes` must be at most 100000".into()) } else { Ok(()) }
    }
}

pub fn crossformer_init() -> Function {
    each("crossformer_init", "A CrossFormer with random weights, to be trained by crossformer_fit. It carries its input rule along.")
        .options::<Options>()
        .source("Wang et al., CrossFormer, ICLR 2022; arXiv 2108.00154")
        .example("SELECT model_info(crossformer_init({'variant': 'micro', 'seed': 1})).kind")
        .returns(|_, options| {
            let config = Config::named(&options.variant).map_err(problem)?.channels(options.channels).classes(options.classes);
            let rule = rule(options.channels, options.size, options.nearest, options.outside).map_err(Problem::user)?;
            let network = Network::new(config.clone(), rule, &initial(&config, options.seed))?;
            Model::encode(&network, &[], Summary { options: serde_json::to_value(options).map_err(Problem::bug)?, ..Summary::default() })
        })
}
