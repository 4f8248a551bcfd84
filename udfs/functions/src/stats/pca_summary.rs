//! Explained variance and loadings of a PCA.

use esccsql_stats::pca::Pca;

use crate::shape::{Function, Kind, Map, each, record};

record! {
    /// One component; shares are of the total variance.
    struct Component {
        component: u64,
        sdev: f64,
        share: f64,
        cumulative: f64,
        loadings: Map,
    }
}

pub fn pca_summary() -> Function {
    each("pca_summary", "Standard deviation, share of the variance and loadings of each component of a pca_fit model.")
        .arg("model", Kind::Model, "made by pca_fit")
        .source("R summary(prcomp)")
        .example("SELECT unnest(pca_summary(pca_fit({'age': age, 'volume': volume, 'marker': marker}, 2, {'scale': true})), recursive := true) FROM patients")
        .returns(|row, _| {
            let trained = row.model::<Pca>(0)?;
            let model = &trained.model;
            let (shares, loadings) = (model.explained_variance_ratio(), model.loadings());
            let component = |k: usize| Component {
                component: k as u64 + 1,
                sdev: model.sdev[k],
                share: shares[k],
                cumulative: shares[..=k].iter().sum(),
                loadings: Map(trained.header.features.iter().cloned().zip(loadings.column(k).iter().copied()).collect()),
            };
            Ok((0..model.k).map(component).collect::<Vec<_>>())
        })
}
