//! Scalar functions.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::config::ConfigOptions;
use datafusion_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, Volatility};
use libduckdb_sys::*;

use crate::bridge::{Bridge, ResultType, parameter_type};
use crate::error::AdapterError;
use crate::guard::guard;
use crate::handle::{boxed, c_name, drop_box};
use crate::signature::overloads;

/// What the callback of one overload needs.
struct Entry {
    bridge: Arc<Bridge>,
    function: Arc<ScalarUDF>,
    result: ResultType,
    config: Arc<ConfigOptions>,
}

/// Registers every overload of `function`.
pub fn register(bridge: &Arc<Bridge>, function: &Arc<ScalarUDF>) -> Result<(), AdapterError> {
    let name = c_name(function.name())?;
    let fail = |message: String| AdapterError::ResultType { function: function.name().into(), message };
    // SAFETY: each object is live until its destroy below; what the callbacks need is boxed and owned by DuckDB.
    unsafe {
        let mut set = duckdb_create_scalar_function_set(name.as_ptr());
        for overload in overloads(function.name(), function.signature())? {
            let result = bridge.result_type(&return_field(function, &overload.parameters).map_err(fail)?).map_err(fail)?;
            let mut scalar = duckdb_create_scalar_function();
            duckdb_scalar_function_set_name(scalar, name.as_ptr());
            for parameter in &overload.parameters {
                duckdb_scalar_function_add_parameter(scalar, parameter_type(bridge, parameter).map_err(fail)?.raw());
            }
            if let Some(varargs) = &overload.varargs {
                duckdb_scalar_function_set_varargs(scalar, parameter_type(bridge, varargs).map_err(fail)?.raw());
            }
            // NULL reaches the function, which decides what it means.
            duckdb_scalar_function_set_special_handling(scalar);
            if function.signature().volatility == Volatility::Volatile {
                duckdb_scalar_function_set_volatile(scalar);
            }
            duckdb_scalar_function_set_return_type(scalar, result.logical.raw());
            let entry = Entry { bridge: bridge.clone(), function: function.clone(), result, config: Arc::default() };
            if bridge.is_guest() {
                duckdb_scalar_function_set_bind(scalar, Some(bind));
            }
            duckdb_scalar_function_set_extra_info(scalar, boxed(entry), Some(drop_box::<Entry>));
            duckdb_scalar_function_set_function(scalar, Some(execute));
            duckdb_add_scalar_function_to_set(set, scalar);
            duckdb_destroy_scalar_function(&mut scalar);
        }
        let state = bridge.with_connection(|connection| duckdb_register_scalar_function_set(connection, set));
        duckdb_destroy_scalar_function_set(&mut set);
        match state? {
            state if state == duckdb_state_DuckDBSuccess => Ok(()),
            _ => Err(AdapterError::Register(function.name().into())),
        }
    }
}

/// The result's field for these argument types.
fn return_field(function: &ScalarUDF, parameters: &[DataType]) -> Result<FieldRef, String> {
    let fields = fields(parameters.iter());
    let arguments = ReturnFieldArgs { arg_fields: &fields, scalar_arguments: &vec![None; fields.len()] };
    function.return_field_from_args(arguments).map_err(|error| error.strip_backtrace())
}

pub fn fields<'a>(types: impl Iterator<Item = &'a DataType>) -> Vec<FieldRef> {
    types.enumerate().map(|(i, kind)| Arc::new(Field::new(format!("a{i}"), kind.clone(), true))).collect()
}

/// Tells a guest the settings of the query.
unsafe extern "C" fn bind(info: duckdb_bind_info) {
    // SAFETY: DuckDB passes the entry that `register` boxed; the context is ours to destroy.
    let outcome = guard(|| unsafe {
        let entry = &*duckdb_scalar_function_bind_get_extra_info(info).cast::<Entry>();
        let mut context = std::ptr::null_mut();
        duckdb_scalar_function_get_client_context(info, &mut context);
        entry.bridge.see(context);
        duckdb_destroy_client_context(&mut context);
        Ok(())
    });
    if let Err(message) = outcome {
        // SAFETY: as above; DuckDB copies the text.
        unsafe { duckdb_scalar_function_bind_set_error(info, message.as_ptr()) };
    }
}

unsafe extern "C" fn execute(info: duckdb_function_info, chunk: duckdb_data_chunk, result: duckdb_vector) {
    let outcome = guard(|| {
        // SAFETY: DuckDB passes the entry that `register` boxed, a live chunk, and a vector for as many rows.
        unsafe {
            let entry = &*duckdb_scalar_function_get_extra_info(info).cast::<Entry>();
            let columns = entry.bridge.import(chunk)?;
            let array = entry.invoke(columns, duckdb_data_chunk_get_size(chunk) as usize)?;
            entry.bridge.export(array, result, 0, &entry.result)
        }
    });
    if let Err(message) = outcome {
        // SAFETY: the info is live during the callback; DuckDB copies the text.
        unsafe { duckdb_scalar_function_set_error(info, message.as_ptr()) };
    }
}

impl Entry {
    fn invoke(&self, columns: Vec<ArrayRef>, rows: usize) -> Result<ArrayRef, String> {
        let arguments = ScalarFunctionArgs {
            arg_fields: fields(columns.iter().map(|column| column.data_type())),
            args: columns.into_iter().map(ColumnarValue::Array).collect(),
            number_rows: rows,
            return_field: self.result.field.clone(),
            config_options: self.config.clone(),
        };
        let environment = self.bridge.environment();
        let value = environment.enter(|| self.function.invoke_with_args(arguments)).map_err(message)?;
        let array = value.into_array(rows).map_err(message)?;
        match array.len() == rows {
            true => Ok(array),
            false => Err(format!("esccsql bug: {} gave {} rows for {rows}", self.function.name(), array.len())),
        }
    }
}

/// DataFusion's error without its wrapping: the function's own words.
pub fn message(error: datafusion_common::DataFusionError) -> String {
    let text = error.strip_backtrace();
    text.strip_prefix("Execution error: ").map_or(text.clone(), str::to_string)
}
