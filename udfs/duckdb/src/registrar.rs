//! Registration: functions and replacement scans into one database.

use std::ffi::{CStr, c_char, c_void};
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_expr::{AggregateUDF, ScalarUDF};
use esccsql_functions::shape::{Environment, Implementation, TableFunction};
use libduckdb_sys::*;

use crate::bridge::Bridge;
use crate::error::AdapterError;
use crate::guard::guard;
use crate::handle::{Value, boxed, c_name, drop_box};
use crate::handover::Handover;
use crate::{aggregate, handover, named_type, scalar, table};

/// Puts functions into a database.
pub struct Registrar {
    pub(crate) bridge: Arc<Bridge>,
    pub(crate) database: duckdb_database,
}

impl Registrar {
    /// A DataFusion scalar function.
    pub fn scalar(&self, function: &Arc<ScalarUDF>) -> Result<(), AdapterError> {
        scalar::register(&self.bridge, function)
    }

    /// A DataFusion aggregate function.
    pub fn aggregate(&self, function: &Arc<AggregateUDF>) -> Result<(), AdapterError> {
        aggregate::register(&self.bridge, function)
    }

    /// A table function.
    pub fn table(&self, function: &Arc<TableFunction>) -> Result<(), AdapterError> {
        table::register(&self.bridge, function)
    }

    /// Any of the three.
    pub fn function(&self, implementation: &Implementation) -> Result<(), AdapterError> {
        match implementation {
            Implementation::Scalar(function) => self.scalar(function),
            Implementation::Aggregate(function) => self.aggregate(function),
            Implementation::Table(function) => self.table(function),
        }
    }

    /// The function that reads rows made outside of DuckDB; the result is where to put them.
    pub fn handover(&self) -> Result<Handover, AdapterError> {
        let rows = Handover::default();
        handover::register(&self.bridge, &rows)?;
        Ok(rows)
    }

    /// The database's settings as functions see them now.
    pub fn environment(&self) -> Arc<Environment> {
        self.bridge.environment()
    }

    /// A name for a column of text (IMAGE) or of bytes (MODEL).
    pub fn named_type(&self, name: &str, storage: &DataType) -> Result<(), AdapterError> {
        let storage = match storage {
            DataType::Utf8 => DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR,
            DataType::Binary => DUCKDB_TYPE_DUCKDB_TYPE_BLOB,
            _ => return Err(AdapterError::Register(name.into())),
        };
        named_type::register(&self.bridge, name, storage)
    }

    /// `FROM 'name'` where `matches(name)` becomes `FROM function('name')`.
    pub fn replacement_scan(&self, function: &str, matches: fn(&str) -> bool) -> Result<(), AdapterError> {
        let replacement = Replacement { function: c_name(function)?, matches };
        // SAFETY: the database is open; DuckDB owns the box from here on.
        unsafe { duckdb_add_replacement_scan(self.database, Some(replace), boxed(replacement), Some(drop_box::<Replacement>)) };
        Ok(())
    }
}

/// Registers every type, function and replacement scan of esccsql.
pub fn install(registrar: &Registrar) -> Result<(), AdapterError> {
    for (name, storage) in esccsql_functions::types() {
        registrar.named_type(name, &storage)?;
    }
    for function in esccsql_functions::all().into_iter().flat_map(|(_, functions)| functions) {
        registrar.function(&function.implementation)?;
    }
    registrar.replacement_scan("read_images", esccsql_functions::is_image_path)
}

struct Replacement {
    function: std::ffi::CString,
    matches: fn(&str) -> bool,
}

unsafe extern "C" fn replace(info: duckdb_replacement_scan_info, name: *const c_char, data: *mut c_void) {
    // SAFETY: DuckDB passes the box of `replacement_scan` and a NUL-terminated name.
    let outcome = guard(|| unsafe {
        let replacement = &*data.cast::<Replacement>();
        if (replacement.matches)(&CStr::from_ptr(name).to_string_lossy()) {
            duckdb_replacement_scan_set_function_name(info, replacement.function.as_ptr());
            duckdb_replacement_scan_add_parameter(info, Value(duckdb_create_varchar(name)).0);
        }
        Ok(())
    });
    if let Err(message) = outcome {
        // SAFETY: as above; DuckDB copies the text.
        unsafe { duckdb_replacement_scan_set_error(info, message.as_ptr()) };
    }
}
