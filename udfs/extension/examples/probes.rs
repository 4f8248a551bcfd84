//! `LOAD 'probes.duckdb_extension'`: functions that fail and panic in every callback, over the same adapter as the extension's.
//!
//! `scripts/test-extension.py` asks them from Python to: a panic has to be an error there, and the connection has to live on.

use libduckdb_sys::{duckdb_extension_access, duckdb_extension_info};

#[path = "../../duckdb/tests/common/probes.rs"]
mod probes;

/// What DuckDB calls when it loads the file.
///
/// # Safety
/// DuckDB passes live pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn probes_init_c_api(info: duckdb_extension_info, access: *const duckdb_extension_access) -> bool {
    let install = |registrar: &esccsql_duckdb::Registrar| {
        probes::register(registrar);
        Ok(())
    };
    // SAFETY: by DuckDB's promise.
    unsafe { esccsql_duckdb::entry(info, access, install) }
}
