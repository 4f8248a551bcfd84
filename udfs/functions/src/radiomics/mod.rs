//! Radiomics features.

mod radiomics;
mod settings;

use crate::shape::Function;

pub fn functions() -> Vec<Function> {
    vec![radiomics::radiomics()]
}
