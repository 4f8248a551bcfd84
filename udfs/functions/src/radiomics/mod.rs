//! Radiomics features.

mod filter;
mod options;
#[expect(clippy::module_inception, reason = "the folder is the topic, the file the function of that name")]
mod radiomics;
mod radiomics_diagnostics;
mod radiomics_features;
mod radiomics_map;
mod region;
mod settings;

use crate::shape::Function;

pub(crate) use radiomics_map::feature_map;

pub fn functions() -> Vec<Function> {
    vec![
        radiomics::radiomics(),
        radiomics_diagnostics::radiomics_diagnostics(),
        radiomics_features::radiomics_features(),
        radiomics_map::radiomics_map(),
    ]
}
