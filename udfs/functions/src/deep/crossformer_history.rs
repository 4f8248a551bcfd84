//! How a training went.

use super::network::Network;
use crate::shape::{Function, Kind, each, record};

record! {
    /// One pass over the training rows.
    struct Pass {
        /// From 1.
        epoch: u64,
        /// Mean loss of the steps, with dropout.
        loss: f64,
        /// Concordance of the training rows as the steps saw them.
        c_index: Option<f64>,
        /// Loss of the held-out rows.
        validation_loss: Option<f64>,
        /// Concordance of the held-out rows.
        validation_c_index: Option<f64>,
    }
}

pub fn crossformer_history() -> Function {
    each("crossformer_history", "How the training of a network went, epoch by epoch.")
        .arg("model", Kind::Model, "made by crossformer_fit")
        .example("SELECT unnest(crossformer_history(crossformer_fit(image('scan.nii.gz').image_zscore(), mask('gtv.nii.gz'), months, died, {'variant': 'micro', 'size': 32, 'epochs': 2})), recursive := true) FROM patients")
        .returns(|row, _| {
            let network = row.model::<Network>(0)?;
            let told = |epoch: &esccsql_crossformer::train::Epoch| Pass {
                epoch: epoch.epoch as u64,
                loss: epoch.loss,
                c_index: epoch.c_index,
                validation_loss: epoch.validation_loss,
                validation_c_index: epoch.validation_c_index,
            };
            Ok(network.model.epochs.iter().map(told).collect::<Vec<_>>())
        })
}
