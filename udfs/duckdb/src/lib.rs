//! Registers DataFusion functions in DuckDB over its stable v1 C API.
//!
//! Any `ScalarUDF`, `AggregateUDF` or table function becomes a DuckDB function: chunks cross as Arrow through the C Data
//! Interface, errors and panics become query errors. All unsafe code of the project is in this crate.

mod aggregate;
mod bridge;
mod database;
mod error;
mod guard;
mod guest;
mod handle;
mod handover;
mod named_type;
mod registrar;
mod scalar;
mod settings;
mod signature;
mod states;
mod table;
mod value;

pub use database::Database;
pub use error::AdapterError;
#[cfg(feature = "loadable-extension")]
pub use guest::entry;
pub use guest::load;
pub use handover::{Handover, Offer, Rows};
pub use registrar::{Registrar, install};
