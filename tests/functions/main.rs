//! The SQL functions as an analyst calls them, on the embedded DuckDB: invariances, reference values, behaviour.
//!
//! One binary, since each links DuckDB.

mod bad_input;
mod behaviour;
mod desk;
mod dicom;
mod invariance;
mod reference;
mod sql;

/// The checkout, told at run time: tests change the working directory, and a build folder may outlive the checkout it was made from.
fn checkout() -> std::path::PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").expect("run with cargo test").into()
}
