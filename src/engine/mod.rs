//! Engines: each opens its database with all SQL functions registered.

pub mod duckdb;
