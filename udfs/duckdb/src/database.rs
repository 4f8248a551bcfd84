//! An open DuckDB database with room for functions.

use std::path::Path;
use std::ptr;
use std::sync::Arc;

use libduckdb_sys::*;

use crate::bridge::Bridge;
use crate::error::AdapterError;
use crate::handle::{c_name, take_text};
use crate::registrar::Registrar;

/// A database that this process opened. Drop it after every connection to it.
pub struct Database {
    registrar: Registrar,
}

// SAFETY: the handle is only read until the drop, which has the last reference.
unsafe impl Send for Database {}

impl Database {
    /// Opens a file, or memory for `None`, with DuckDB's settings by name.
    pub fn open(path: Option<&Path>, settings: &[(&str, String)]) -> Result<Self, AdapterError> {
        let shown = path.map_or(":memory:".into(), |path| path.display().to_string());
        let file = c_name(&shown)?;
        let mut database = ptr::null_mut();
        // SAFETY: every object is made here and destroyed here, but for the database, which the result owns.
        unsafe {
            let mut config = ptr::null_mut();
            duckdb_create_config(&mut config);
            for (name, value) in settings {
                if duckdb_set_config(config, c_name(name)?.as_ptr(), c_name(value)?.as_ptr()) != duckdb_state_DuckDBSuccess {
                    duckdb_destroy_config(&mut config);
                    return Err(AdapterError::Setting { name: (*name).into(), value: value.clone() });
                }
            }
            let mut error = ptr::null_mut();
            let state = duckdb_open_ext(file.as_ptr(), &mut database, config, &mut error);
            duckdb_destroy_config(&mut config);
            if state != duckdb_state_DuckDBSuccess {
                return Err(AdapterError::Open { path: shown, message: take_text(error) });
            }
            let bridge = Arc::new(Bridge::new(database)?);
            Ok(Database { registrar: Registrar { bridge, database } })
        }
    }

    /// Registers functions here.
    pub fn registrar(&self) -> &Registrar {
        &self.registrar
    }

    /// The C API's handle, for a client library that makes its own connections.
    pub fn raw(&self) -> duckdb_database {
        self.registrar.database
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.registrar.bridge.close();
        // SAFETY: ours, closed once.
        unsafe { duckdb_close(&mut self.registrar.database) };
    }
}
