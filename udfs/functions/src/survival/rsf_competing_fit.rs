//! Random survival forest with competing risks.
//!
//! Each cause has its log-rank statistic, Gray's or the cause-specific one; a split maximises |sum w U| / sqrt(sum w^2 V) over them.
//! Leaves keep Aalen-Johansen incidences. The trees are those of randomForestSRC.

use esccsql_survival::rsf::competing::{CompetingForest, CompetingOptions, CompetingSplitting, fit};
use esccsql_survival::rsf::{Bootstrap, RsfOptions, Threshold};

use super::causes::causes;
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
        /// 'gray' (for incidences; randomForestSRC's logrankCR) or 'logrank' (cause-specific).
        splitting: CompetingSplitting = CompetingSplitting::Gray,
        /// Weight of each cause in the splits, by ascending number: [1, 0] splits for the first of two. By default all are equal.
        cause_weights: Option<Vec<f64>> = None,
        /// Random cuts tried per feature; 0 tries all.
        n_split: usize = 10,
        /// 'without_replacement', 'with_replacement' or 'none'.
        bootstrap: Bootstrap = Bootstrap::WithoutReplacement,
        /// Share of the rows in a tree; by default 0.632 without and 1 with replacement.
        sample_fraction: Option<f64> = None,
        /// A cut at a 'data_value' (randomForestSRC) or at the 'midpoint' of two.
        threshold: Threshold = Threshold::DataValue,
        /// Seed of all random choices.
        seed: u64 = 1,
        /// Compute each feature's permutation importance for each cause; needs rows out of bag.
        importance: bool = false,
    }
}

impl Fit for CompetingForest {
    const KIND: &'static str = "rsf_competing";
}

pub fn rsf_competing_fit() -> Function {
    collect(
        "rsf_competing_fit",
        "Random survival forest with competing risks: a model for the functions rsf_competing_predict, _cif, _chf, _survival, _oob and _importance.",
    )
    .arg("time", Kind::Number, "follow-up, any unit")
    .arg("cause", Kind::Number, "0 for a censored row, else the number of the cause")
    .arg("x", Kind::Features, "features")
    .options::<Options>()
    .source("Ishwaran et al., Biostatistics 2014;15:757; R randomForestSRC")
    .example("SELECT model_info(rsf_competing_fit(months, CASE WHEN NOT died THEN 0 WHEN marker > 0 THEN 2 ELSE 1 END, {'age': age, 'stage': stage}, {'trees': 50, 'splitting': 'logrank'})) FROM patients")
    .returns(|rows, options| {
        let x = rows.features(2);
        let causes = causes(rows.numbers(1))?;
        let chosen = CompetingOptions {
            forest: RsfOptions {
                trees: options.trees,
                mtry: options.mtry,
                node_size: options.node_size,
                min_leaf: options.min_leaf,
                max_depth: options.max_depth,
                n_split: options.n_split,
                bootstrap: options.bootstrap,
                sample_fraction: options.sample_fraction,
                threshold: options.threshold,
                seed: options.seed,
                importance: options.importance,
                ..RsfOptions::default()
            },
            splitting: options.splitting,
            cause_weights: options.cause_weights.clone(),
        };
        let model = fit(rows.numbers(0), &causes, x.values.view(), &chosen).map_err(Problem::user)?;
        let mut summary = rows.summary(None);
        summary.n_events = Some(model.events.iter().sum::<usize>() as u64);
        summary.warnings = model.warnings.iter().cloned().chain(x.constant_warning()).collect();
        summary.options = serde_json::to_value(options).map_err(Problem::bug)?;
        Model::encode(&model, &x.names, summary)
    })
}
