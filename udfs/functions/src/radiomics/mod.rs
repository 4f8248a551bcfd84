//! Radiomics features.

#[expect(clippy::module_inception, reason = "the folder is the topic, the file the function of that name")]
mod radiomics;
mod radiomics_features;
mod settings;

use crate::shape::Function;

pub fn functions() -> Vec<Function> {
    vec![radiomics::radiomics(), radiomics_features::radiomics_features()]
}
