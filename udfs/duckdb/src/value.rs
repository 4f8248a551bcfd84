//! Constant arguments of table functions.

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion_common::ScalarValue;
use libduckdb_sys::*;

use crate::handle::{Value, take_text};

/// A DuckDB value as an array of one row. Numbers, BOOLEAN and lists keep their kind; anything else becomes its text.
///
/// # Safety
/// `value` is live.
pub unsafe fn array(value: &Value) -> Result<ArrayRef, String> {
    // SAFETY: by the caller's promise.
    unsafe { scalar(value) }?.to_array().map_err(|error| error.strip_backtrace())
}

/// # Safety
/// `value` is live.
unsafe fn scalar(value: &Value) -> Result<ScalarValue, String> {
    // SAFETY: live by the caller's promise; the type is the value's own and not destroyed here.
    unsafe {
        if duckdb_is_null_value(value.0) {
            return Ok(ScalarValue::Null);
        }
        Ok(match duckdb_get_type_id(duckdb_get_value_type(value.0)) {
            DUCKDB_TYPE_DUCKDB_TYPE_BOOLEAN => ScalarValue::Boolean(Some(duckdb_get_bool(value.0))),
            DUCKDB_TYPE_DUCKDB_TYPE_TINYINT
            | DUCKDB_TYPE_DUCKDB_TYPE_SMALLINT
            | DUCKDB_TYPE_DUCKDB_TYPE_INTEGER
            | DUCKDB_TYPE_DUCKDB_TYPE_BIGINT
            | DUCKDB_TYPE_DUCKDB_TYPE_UTINYINT
            | DUCKDB_TYPE_DUCKDB_TYPE_USMALLINT
            | DUCKDB_TYPE_DUCKDB_TYPE_UINTEGER => ScalarValue::Int64(Some(duckdb_get_int64(value.0))),
            DUCKDB_TYPE_DUCKDB_TYPE_FLOAT | DUCKDB_TYPE_DUCKDB_TYPE_DOUBLE | DUCKDB_TYPE_DUCKDB_TYPE_DECIMAL => {
                ScalarValue::Float64(Some(duckdb_get_double(value.0)))
            }
            DUCKDB_TYPE_DUCKDB_TYPE_LIST => {
                let items = (0..duckdb_get_list_size(value.0))
                    .map(|index| scalar(&Value(duckdb_get_list_child(value.0, index))))
                    .collect::<Result<Vec<_>, _>>()?;
                let array = ScalarValue::iter_to_array(items).map_err(|error| error.strip_backtrace())?;
                ScalarValue::List(Arc::new(arrow::array::ListArray::new(
                    Arc::new(arrow::datatypes::Field::new_list_field(array.data_type().clone(), true)),
                    arrow::buffer::OffsetBuffer::from_lengths([array.len()]),
                    array,
                    None,
                )))
            }
            _ => ScalarValue::Utf8(Some(take_text(duckdb_get_varchar(value.0)))),
        })
    }
}
