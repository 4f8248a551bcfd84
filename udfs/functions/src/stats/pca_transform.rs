//! Scores on the components of a fitted PCA.

use esccsql_stats::pca::Pca;
use ndarray::ArrayView2;

use crate::shape::{Function, Kind, Problem, each};

pub fn pca_transform() -> Function {
    each("pca_transform", "The scores of a row on the components of a pca_fit model.")
        .arg("model", Kind::Model, "made by pca_fit")
        .arg("x", Kind::Features, "the features that the model was fitted on")
        .example("SELECT pca_transform(model, {'age': 61, 'volume': 20.5}) FROM (SELECT pca_fit({'age': age, 'volume': volume}, 2) AS model FROM patients)")
        .returns(|row, _| {
            let trained = row.model::<Pca>(0)?;
            let x = row.aligned(1, &trained)?;
            let x = ArrayView2::from_shape((1, x.len()), &x).map_err(Problem::bug)?;
            Ok(trained.model.transform(x).map_err(Problem::user)?.row(0).to_vec())
        })
}
