//! Radiomics features.

mod radiomics;
mod radiomics_features;
mod settings;

use crate::shape::Function;

pub fn functions() -> Vec<Function> {
    vec![radiomics::radiomics(), radiomics_features::radiomics_features()]
}
