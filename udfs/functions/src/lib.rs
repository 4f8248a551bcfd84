//! The SQL functions of esccsql, each written once against DataFusion's traits and registered in every engine.
//!
//! One SQL function is one file, `src/<topic>/<function>.rs`. [`all`] lists them.

mod meta;
pub mod shape;

use shape::Function;

/// Every SQL function, by topic.
pub fn all() -> Vec<(&'static str, Vec<Function>)> {
    vec![("meta", meta::functions())]
}
