//! The SQL functions as an analyst calls them, on the embedded DuckDB: invariances, reference values, behaviour.
//!
//! One binary, since each links DuckDB.

mod bad_input;
mod behaviour;
mod desk;
mod dicom;
mod docs;
mod invariance;
mod reference;
mod sql;

use desk::checkout;
