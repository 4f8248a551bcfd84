//! What a model is and how its fit went.

use crate::shape::{Function, Kind, Model, each, record};

record! {
    /// The header of a model.
    struct Info {
        kind: String,
        features: Vec<String>,
        n_used: u64,
        n_dropped: u64,
        n_events: Option<u64>,
        converged: Option<bool>,
        warnings: Vec<String>,
        options: String,
        bytes: u64,
    }
}

pub fn model_info() -> Function {
    each("model_info", "Kind, features, rows used and dropped, events, convergence, warnings and options of a fitted model.")
        .arg("model", Kind::Model, "any model made by a *_fit function")
        .example("SELECT model_info(cox_fit(months, died, {'age': age})) FROM patients")
        .returns(|row, _| {
            let bytes = row.blob(0);
            let (header, _) = Model::header(bytes)?;
            Ok(Info {
                kind: header.kind,
                features: header.features,
                n_used: header.summary.n_used,
                n_dropped: header.summary.n_dropped,
                n_events: header.summary.n_events,
                converged: header.summary.converged,
                warnings: header.summary.warnings,
                options: header.summary.options.to_string(),
                bytes: bytes.len() as u64,
            })
        })
}
