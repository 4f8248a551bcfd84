//! The SQL functions of esccsql, each written once against DataFusion's traits and registered in every engine.
//!
//! One SQL function is one file, `src/<topic>/<function>.rs`. [`all`] lists them.
// A test writes all options of radiomics as one json!.
#![cfg_attr(test, recursion_limit = "256")]

mod deep;
mod images;
mod meta;
mod plots;
mod radiomics;
pub mod shape;
mod stats;
mod survival;

pub use images::is_image_path;

use arrow::datatypes::DataType;
use shape::{Function, Image, Model, SqlType};

/// The SQL types that are more than what stores them: name and storage.
pub fn types() -> Vec<(&'static str, DataType)> {
    let named = |name: Option<&'static str>, storage: DataType| name.map(|name| (name, storage));
    [named(Image::alias(), Image::data_type()), named(Model::alias(), Model::data_type())].into_iter().flatten().collect()
}

/// Every SQL function, by topic.
pub fn all() -> Vec<(&'static str, Vec<Function>)> {
    vec![
        ("images", images::functions()),
        ("radiomics", radiomics::functions()),
        ("deep features", deep::functions()),
        ("survival", survival::functions()),
        ("statistics", stats::functions()),
        ("plots", plots::functions()),
        ("meta", meta::functions()),
    ]
}
