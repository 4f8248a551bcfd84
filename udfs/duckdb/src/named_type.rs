//! Types of our own: a name over VARCHAR or BLOB.
//!
//! DuckDB's built-in casts know a renamed VARCHAR but not a renamed BLOB, and neither name can stand in `CREATE TABLE`
//! before it is in the catalog: both are registered, with casts to and from the storage.

use std::ptr;

use libduckdb_sys::*;

use crate::bridge::Bridge;
use crate::error::AdapterError;
use crate::guard::guard;
use crate::handle::Type;

/// Puts the type `name` over `storage` (VARCHAR or BLOB) into the catalog.
pub fn register(bridge: &Bridge, name: &str, storage: DUCKDB_TYPE) -> Result<(), AdapterError> {
    let named = || Type::of(storage).with_alias(name);
    let registered = |state: duckdb_state| match state {
        state if state == duckdb_state_DuckDBSuccess => Ok(()),
        _ => Err(AdapterError::Register(name.into())),
    };
    let kind = named()?;
    // SAFETY: the type is live; no further information is asked for.
    registered(bridge.with_connection(|connection| unsafe { duckdb_register_logical_type(connection, kind.raw(), ptr::null_mut()) })?)?;
    for (source, target) in [(Type::of(storage), named()?), (named()?, Type::of(storage))] {
        // SAFETY: the cast is made and destroyed here; DuckDB copies what it needs.
        let state = bridge.with_connection(|connection| unsafe {
            let mut cast = duckdb_create_cast_function();
            duckdb_cast_function_set_source_type(cast, source.raw());
            duckdb_cast_function_set_target_type(cast, target.raw());
            duckdb_cast_function_set_function(cast, Some(copy));
            let state = duckdb_register_cast_function(connection, cast);
            duckdb_destroy_cast_function(&mut cast);
            state
        })?;
        registered(state)?;
    }
    Ok(())
}

/// Bytes as they are; NULL stays NULL.
unsafe extern "C" fn copy(info: duckdb_function_info, count: idx_t, input: duckdb_vector, output: duckdb_vector) -> bool {
    // SAFETY: DuckDB passes flat vectors of `count` strings, and copies what is assigned.
    let outcome = guard(|| unsafe {
        let validity = duckdb_vector_get_validity(input);
        let strings = duckdb_vector_get_data(input).cast::<duckdb_string_t>();
        for row in 0..count {
            if validity.is_null() || duckdb_validity_row_is_valid(validity, row) {
                let string = strings.add(row as usize);
                let (data, length) = (duckdb_string_t_data(string), duckdb_string_t_length(*string));
                duckdb_vector_assign_string_element_len(output, row, data, u64::from(length));
            } else {
                duckdb_vector_ensure_validity_writable(output);
                duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output), row);
            }
        }
        Ok(())
    });
    if let Err(message) = &outcome {
        // SAFETY: the info is live during the callback; DuckDB copies the text.
        unsafe { duckdb_cast_function_set_error(info, message.as_ptr()) };
    }
    outcome.is_ok()
}
