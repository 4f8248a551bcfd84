//! `LOAD 'esccsql.duckdb_extension'`: the same functions, over the same adapter, in a DuckDB that is already there.
//!
//! Not a default member of the workspace: the loadable build takes DuckDB's functions from a table that DuckDB hands over,
//! the program's build links them, and cargo would build both with the features of both. `scripts/build-extension.sh`
//! builds it and adds the footer that DuckDB asks for.

use libduckdb_sys::{duckdb_extension_access, duckdb_extension_info};

/// What DuckDB calls when it loads the extension.
///
/// # Safety
/// DuckDB passes live pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esccsql_init_c_api(info: duckdb_extension_info, access: *const duckdb_extension_access) -> bool {
    // SAFETY: by DuckDB's promise.
    unsafe { esccsql_duckdb::entry(info, access, esccsql_duckdb::install) }
}
