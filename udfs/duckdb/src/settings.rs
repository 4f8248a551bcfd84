//! DuckDB's settings as functions see them.

use std::path::PathBuf;
use std::ptr;

use esccsql_functions::shape::Environment;
use libduckdb_sys::*;

use crate::handle::{Value, c_name, take_text};

/// The settings of a connection.
///
/// # Safety
/// `connection` is connected.
pub unsafe fn of_connection(connection: duckdb_connection) -> Environment {
    let mut context = ptr::null_mut();
    // SAFETY: by the caller's promise; the context is ours to destroy.
    unsafe {
        duckdb_connection_get_client_context(connection, &mut context);
        let environment = of(context);
        duckdb_destroy_client_context(&mut context);
        environment
    }
}

/// The settings of a connection's context.
///
/// # Safety
/// `context` is live.
pub unsafe fn of(context: duckdb_client_context) -> Environment {
    let setting = |name: &str| -> Option<Value> {
        let name = c_name(name).ok()?;
        let mut scope = 0;
        // SAFETY: by the caller's promise.
        let value = unsafe { duckdb_client_context_get_config_option(context, name.as_ptr(), &mut scope) };
        (!value.is_null()).then_some(Value(value))
    };
    // SAFETY: each value is of the setting's own type, and converted by the C API where it is not.
    unsafe {
        Environment {
            threads: setting("threads").map_or(1, |value| duckdb_get_int64(value.0)).max(1) as usize,
            external_access: setting("enable_external_access").is_none_or(|value| duckdb_get_bool(value.0)),
            allowed_directories: setting("allowed_directories").map_or_else(Vec::new, |value| {
                (0..duckdb_get_list_size(value.0))
                    .map(|index| {
                        let child = Value(duckdb_get_list_child(value.0, index));
                        PathBuf::from(take_text(duckdb_get_varchar(child.0)))
                    })
                    .collect()
            }),
        }
    }
}
