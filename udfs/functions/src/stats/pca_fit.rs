//! Principal components.
//!
//! Singular value decomposition of the centred (and by option scaled) matrix; signs are fixed so that equal input gives equal
//! components. Agrees with R `prcomp` and scikit-learn up to the sign.

use esccsql_stats::pca::{Pca, PcaOptions};

use crate::shape::{Fit, Function, Kind, Model, Problem, collect, options};

options! {
    struct Options {
        /// Subtract each column's mean.
        center: bool = true,
        /// Divide each column by its standard deviation.
        scale: bool = false,
    }
}

impl Fit for Pca {
    const KIND: &'static str = "pca";
}

pub fn pca_fit() -> Function {
    collect("pca_fit", "Principal component analysis: a model that pca_transform applies to new rows.")
        .arg("x", Kind::Features, "features")
        .arg("k", Kind::Number, "components to keep, the same in every row")
        .options::<Options>()
        .source("R prcomp")
        .example("SELECT model_info(pca_fit({'age': age, 'volume': volume, 'marker': marker}, 2, {'scale': true})) FROM patients")
        .returns(|rows, options| {
            let x = rows.features(0);
            let ks = rows.numbers(1);
            let k = ks[0];
            if ks.iter().any(|other| *other != k) || k < 1.0 || k.fract() != 0.0 {
                return Err(Problem::user(format!("k is {k}; expected one whole number of at least 1 for all rows")));
            }
            let chosen = PcaOptions { center: options.center, scale: options.scale };
            let model = Pca::fit(x.values.view(), k as usize, chosen).map_err(Problem::user)?;
            let mut summary = rows.summary(None);
            summary.options = serde_json::to_value(options).map_err(Problem::bug)?;
            summary.warnings = model
                .constant_columns
                .iter()
                .map(|&column| format!("feature '{}' is constant and has no part in any component; leave it out", x.names[column]))
                .collect();
            Model::encode(&model, &x.names, summary)
        })
}
