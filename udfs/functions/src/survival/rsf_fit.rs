//! Random survival forest.
//!
//! Trees on subsamples, splits that maximise the log-rank statistic over `mtry` features and `n_split` random cuts, leaves with
//! Kaplan-Meier and Nelson-Aalen estimates. Defaults and conventions are randomForestSRC's. Bit-reproducible by `seed`.

use esccsql_survival::rsf::{Bootstrap, Forest, RsfOptions, Splitting, Threshold, fit};

use crate::shape::{Fit, Function, Kind, Model, Problem, collect, options};

options! {
    struct Options {
        /// Trees in the forest.
        trees: usize = 500,
        /// Features tried in a node; by default the square root of their number, rounded up.
        mtry: Option<usize> = None,
        /// A node is split if it has at least twice this many rows.
        node_size: usize = 15,
        /// Rows that each daughter keeps at least.
        min_leaf: usize = 1,
        /// Splits between root and leaf at most; by default no limit.
        max_depth: Option<usize> = None,
        /// 'logrank', 'logrank_score' or 'conserve'.
        splitting: Splitting = Splitting::Logrank,
        /// Random cuts tried per feature; 0 tries all.
        n_split: usize = 10,
        /// 'without_replacement', 'with_replacement' or 'none'.
        bootstrap: Bootstrap = Bootstrap::WithoutReplacement,
        /// Share of the rows in a tree; by default 0.632 without and 1 with replacement.
        sample_fraction: Option<f64> = None,
        /// A cut at a 'data_value' (randomForestSRC) or at the 'midpoint' of two (scikit-survival).
        threshold: Threshold = Threshold::DataValue,
        /// Split a node even if no cut tried separates its events, as randomForestSRC does.
        split_without_gain: bool = true,
        /// Seed of all random choices.
        seed: u64 = 1,
        /// Compute each feature's permutation importance; needs rows out of bag.
        importance: bool = false,
    }
}

impl Fit for Forest {
    const KIND: &'static str = "rsf";
}

pub fn rsf_fit() -> Function {
    collect("rsf_fit", "Random survival forest: a model for rsf_predict, rsf_survival, rsf_chf, rsf_oob and rsf_importance.")
        .outcome()
        .arg("x", Kind::Features, "features")
        .options::<Options>()
        .source("Ishwaran et al., Ann Appl Stat 2008;2:841; R randomForestSRC")
        .example("SELECT model_info(rsf_fit(months, died, {'age': age, 'stage': stage, 'volume': volume}, {'trees': 50, 'seed': 1})) FROM patients")
        .returns(|rows, options| {
            let x = rows.features(2);
            let chosen = RsfOptions {
                trees: options.trees,
                mtry: options.mtry,
                node_size: options.node_size,
                min_leaf: options.min_leaf,
                max_depth: options.max_depth,
                splitting: options.splitting,
                n_split: options.n_split,
                bootstrap: options.bootstrap,
                sample_fraction: options.sample_fraction,
                threshold: options.threshold,
                split_without_gain: options.split_without_gain,
                seed: options.seed,
                importance: options.importance,
            };
            let model = fit(rows.numbers(0), rows.events(1), x.values.view(), &chosen).map_err(Problem::user)?;
            let mut summary = rows.summary(Some(1));
            summary.warnings = model.warnings.iter().cloned().chain(x.constant_warning()).collect();
            summary.options = serde_json::to_value(options).map_err(Problem::bug)?;
            Model::encode(&model, &x.names, summary)
        })
}
