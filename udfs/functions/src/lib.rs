//! The SQL functions of esccsql, each written once against DataFusion's traits and registered in every engine.
//!
//! One SQL function is one file, `src/<topic>/<function>.rs`. [`all`] lists them.

mod deep;
mod images;
mod meta;
mod radiomics;
pub mod shape;
mod stats;
mod survival;

pub use images::is_image_path;

use shape::Function;

/// Every SQL function, by topic.
pub fn all() -> Vec<(&'static str, Vec<Function>)> {
    vec![
        ("images", images::functions()),
        ("radiomics", radiomics::functions()),
        ("deep features", deep::functions()),
        ("survival", survival::functions()),
        ("statistics", stats::functions()),
        ("meta", meta::functions()),
    ]
}
