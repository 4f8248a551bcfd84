//! Table functions. The rows are computed when the scan starts and handed out chunk by chunk.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, RecordBatch, StructArray};
use arrow::datatypes::{Field, Fields};
use esccsql_functions::shape::{Kind, TableFunction};
use libduckdb_sys::*;

use crate::bridge::{Bridge, ResultType};
use crate::error::AdapterError;
use crate::guard::guard;
use crate::handle::{Type, Value, boxed, c_name, drop_box};

struct Entry {
    bridge: Arc<Bridge>,
    function: Arc<TableFunction>,
    columns: Vec<ResultType>,
}

/// One call's arguments.
struct Bound(Vec<ArrayRef>);

/// One scan: the rows, and how many are handed out.
#[derive(Default)]
struct Scan {
    rows: OnceLock<RecordBatch>,
    done: AtomicUsize,
}

/// Registers a table function; its options become named parameters.
pub fn register(bridge: &Arc<Bridge>, function: &Arc<TableFunction>) -> Result<(), AdapterError> {
    let name = c_name(&function.doc.name)?;
    let fail = |message: String| AdapterError::ResultType { function: function.doc.name.clone(), message };
    let columns = function.schema.fields().iter().map(|field| bridge.result_type(field).map_err(fail)).collect::<Result<Vec<_>, _>>()?;
    // SAFETY: each object is live until its destroy below; what the callbacks need is boxed and owned by DuckDB.
    unsafe {
        let mut table = duckdb_create_table_function();
        duckdb_table_function_set_name(table, name.as_ptr());
        for argument in &function.doc.arguments {
            let kind = if argument.kind == Kind::Text { Type::of(DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR) } else { Type::any() };
            duckdb_table_function_add_parameter(table, kind.raw());
        }
        for option in &function.doc.options {
            duckdb_table_function_add_named_parameter(table, c_name(option.name)?.as_ptr(), Type::any().raw());
        }
        let entry = Entry { bridge: bridge.clone(), function: function.clone(), columns };
        duckdb_table_function_set_extra_info(table, boxed(entry), Some(drop_box::<Entry>));
        duckdb_table_function_set_bind(table, Some(bind));
        duckdb_table_function_set_init(table, Some(init));
        duckdb_table_function_set_function(table, Some(scan));
        let state = bridge.with_connection(|connection| duckdb_register_table_function(connection, table));
        duckdb_destroy_table_function(&mut table);
        match state? {
            state if state == duckdb_state_DuckDBSuccess => Ok(()),
            _ => Err(AdapterError::Register(function.doc.name.clone())),
        }
    }
}

unsafe extern "C" fn bind(info: duckdb_bind_info) {
    // SAFETY: the info is live during the callback; values are ours to destroy.
    let outcome = guard(|| unsafe {
        let entry = &*duckdb_bind_get_extra_info(info).cast::<Entry>();
        if entry.bridge.is_guest() {
            let mut context = std::ptr::null_mut();
            duckdb_table_function_get_client_context(info, &mut context);
            entry.bridge.see(context);
            duckdb_destroy_client_context(&mut context);
        }
        for (column, field) in entry.columns.iter().zip(entry.function.schema.fields()) {
            duckdb_bind_add_result_column(info, c_name(field.name()).map_err(|error| error.to_string())?.as_ptr(), column.logical.raw());
        }
        let mut arguments = Vec::new();
        for index in 0..duckdb_bind_get_parameter_count(info) {
            arguments.push(crate::value::array(&Value(duckdb_bind_get_parameter(info, index)))?);
        }
        let (mut fields, mut values) = (Vec::new(), Vec::new());
        for option in &entry.function.doc.options {
            let value = duckdb_bind_get_named_parameter(info, c_name(option.name).map_err(|error| error.to_string())?.as_ptr());
            if !value.is_null() {
                let array = crate::value::array(&Value(value))?;
                fields.push(Field::new(option.name, array.data_type().clone(), true));
                values.push(array);
            }
        }
        if !values.is_empty() {
            arguments.push(Arc::new(StructArray::new(Fields::from(fields), values, None)));
        }
        duckdb_bind_set_bind_data(info, boxed(Bound(arguments)), Some(drop_box::<Bound>));
        Ok(())
    });
    if let Err(message) = outcome {
        // SAFETY: as above; DuckDB copies the text.
        unsafe { duckdb_bind_set_error(info, message.as_ptr()) };
    }
}

unsafe extern "C" fn init(info: duckdb_init_info) {
    // SAFETY: the info is live during the callback.
    unsafe {
        duckdb_init_set_max_threads(info, 1);
        duckdb_init_set_init_data(info, boxed(Scan::default()), Some(drop_box::<Scan>));
    }
}

unsafe extern "C" fn scan(info: duckdb_function_info, output: duckdb_data_chunk) {
    // SAFETY: DuckDB passes what `register`, `bind` and `init` boxed, and an empty chunk of the bound columns.
    let outcome = guard(|| unsafe {
        let entry = &*duckdb_function_get_extra_info(info).cast::<Entry>();
        let bound = &*duckdb_function_get_bind_data(info).cast::<Bound>();
        let scan = &*duckdb_function_get_init_data(info).cast::<Scan>();
        let rows = match scan.rows.get() {
            Some(rows) => rows,
            None => {
                let environment = entry.bridge.environment();
                let rows = environment.enter(|| entry.function.scan(&bound.0)).map_err(|problem| problem.to_string())?;
                scan.rows.get_or_init(|| rows)
            }
        };
        let start = scan.done.load(Ordering::Relaxed);
        let count = (rows.num_rows() - start).min(duckdb_vector_size() as usize);
        for (index, (column, kind)) in rows.columns().iter().zip(&entry.columns).enumerate() {
            entry.bridge.export(column.slice(start, count), duckdb_data_chunk_get_vector(output, index as idx_t), 0, kind)?;
        }
        duckdb_data_chunk_set_size(output, count as idx_t);
        scan.done.store(start + count, Ordering::Relaxed);
        Ok(())
    });
    if let Err(message) = outcome {
        // SAFETY: as above; DuckDB copies the text.
        unsafe { duckdb_function_set_error(info, message.as_ptr()) };
    }
}
