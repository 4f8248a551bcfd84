//! Rows made outside of DuckDB, handed to it: `FROM esccsql_handover('key')`.
//!
//! The function is registered when the database opens; what it returns is looked up when a statement is bound, so that a
//! statement within a transaction can read rows of any columns.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use libduckdb_sys::*;

use crate::bridge::{Bridge, ResultType};
use crate::error::AdapterError;
use crate::guard::guard;
use crate::handle::{Type, Value, boxed, c_name, drop_box};

const NAME: &str = "esccsql_handover";

/// Rows in batches of one schema.
#[derive(Debug, Clone)]
pub struct Rows {
    pub schema: SchemaRef,
    pub batches: Vec<RecordBatch>,
}

/// Rows that wait to be read, by key. Clones share them.
#[derive(Clone, Default)]
pub struct Handover {
    waiting: Arc<Mutex<HashMap<String, Rows>>>,
    next: Arc<AtomicU64>,
}

/// Rows that DuckDB may read as long as this is there.
pub struct Offer {
    key: String,
    handover: Handover,
}

impl Handover {
    /// Offers rows.
    pub fn offer(&self, rows: Rows) -> Offer {
        let key = self.next.fetch_add(1, Ordering::Relaxed).to_string();
        self.rows().insert(key.clone(), rows);
        Offer { key, handover: self.clone() }
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<String, Rows>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Offer {
    /// The query that returns the rows.
    pub fn sql(&self) -> String {
        format!("FROM {NAME}('{}')", self.key)
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        self.handover.rows().remove(&self.key);
    }
}

struct Entry {
    bridge: Arc<Bridge>,
    handover: Handover,
}

/// The rows of one call, and their types.
struct Bound {
    batches: Vec<RecordBatch>,
    columns: Vec<ResultType>,
}

/// Where the next chunk begins.
#[derive(Default)]
struct Place {
    batch: usize,
    row: usize,
}

/// Registers the table function that reads what `handover` offers.
pub fn register(bridge: &Arc<Bridge>, handover: &Handover) -> Result<(), AdapterError> {
    let name = c_name(NAME)?;
    // SAFETY: each object is live until its destroy below; what the callbacks need is boxed and owned by DuckDB.
    unsafe {
        let mut table = duckdb_create_table_function();
        duckdb_table_function_set_name(table, name.as_ptr());
        duckdb_table_function_add_parameter(table, Type::of(DUCKDB_TYPE_DUCKDB_TYPE_VARCHAR).raw());
        let entry = Entry { bridge: bridge.clone(), handover: handover.clone() };
        duckdb_table_function_set_extra_info(table, boxed(entry), Some(drop_box::<Entry>));
        duckdb_table_function_set_bind(table, Some(bind));
        duckdb_table_function_set_init(table, Some(init));
        duckdb_table_function_set_function(table, Some(scan));
        let state = bridge.with_connection(|connection| duckdb_register_table_function(connection, table));
        duckdb_destroy_table_function(&mut table);
        match state? {
            state if state == duckdb_state_DuckDBSuccess => Ok(()),
            _ => Err(AdapterError::Register(NAME.into())),
        }
    }
}

unsafe extern "C" fn bind(info: duckdb_bind_info) {
    // SAFETY: the info is live during the callback; the parameter is ours to destroy.
    let outcome = guard(|| unsafe {
        let entry = &*duckdb_bind_get_extra_info(info).cast::<Entry>();
        let parameter = Value(duckdb_bind_get_parameter(info, 0));
        let key = crate::handle::take_text(duckdb_get_varchar(parameter.0));
        let rows = entry.handover.rows().get(&key).cloned();
        let rows =
            rows.ok_or_else(|| format!("{NAME}: no rows wait under '{key}'; esccsql uses this function to read another engine's result"))?;
        let mut columns = Vec::new();
        for field in rows.schema.fields() {
            let column = entry.bridge.result_type(field).map_err(|message| format!("column {}: {message}", field.name()))?;
            duckdb_bind_add_result_column(info, c_name(field.name()).map_err(|error| error.to_string())?.as_ptr(), column.logical.raw());
            columns.push(column);
        }
        let count: usize = rows.batches.iter().map(RecordBatch::num_rows).sum();
        duckdb_bind_set_cardinality(info, count as idx_t, true);
        duckdb_bind_set_bind_data(info, boxed(Bound { batches: rows.batches, columns }), Some(drop_box::<Bound>));
        Ok(())
    });
    if let Err(message) = outcome {
        // SAFETY: as above; DuckDB copies the text.
        unsafe { duckdb_bind_set_error(info, message.as_ptr()) };
    }
}

unsafe extern "C" fn init(info: duckdb_init_info) {
    // SAFETY: the info is live during the callback. One thread reads, so that the rows keep their order.
    unsafe {
        duckdb_init_set_max_threads(info, 1);
        duckdb_init_set_init_data(info, boxed(Mutex::new(Place::default())), Some(drop_box::<Mutex<Place>>));
    }
}

unsafe extern "C" fn scan(info: duckdb_function_info, output: duckdb_data_chunk) {
    // SAFETY: DuckDB passes what `register`, `bind` and `init` boxed, and an empty chunk of the bound columns.
    let outcome = guard(|| unsafe {
        let entry = &*duckdb_function_get_extra_info(info).cast::<Entry>();
        let bound = &*duckdb_function_get_bind_data(info).cast::<Bound>();
        let place = &*duckdb_function_get_init_data(info).cast::<Mutex<Place>>();
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        while bound.batches.get(place.batch).is_some_and(|batch| place.row == batch.num_rows()) {
            *place = Place { batch: place.batch + 1, row: 0 };
        }
        let Some(batch) = bound.batches.get(place.batch) else {
            duckdb_data_chunk_set_size(output, 0);
            return Ok(());
        };
        let count = (batch.num_rows() - place.row).min(duckdb_vector_size() as usize);
        for (index, (column, kind)) in batch.columns().iter().zip(&bound.columns).enumerate() {
            entry.bridge.export(column.slice(place.row, count), duckdb_data_chunk_get_vector(output, index as idx_t), 0, kind)?;
        }
        duckdb_data_chunk_set_size(output, count as idx_t);
        place.row += count;
        Ok(())
    });
    if let Err(message) = outcome {
        // SAFETY: as above; DuckDB copies the text.
        unsafe { duckdb_function_set_error(info, message.as_ptr()) };
    }
}
