//! Chunks to Arrow and back.

use std::collections::HashMap;
use std::ptr;
use std::sync::{Arc, RwLock, RwLockReadGuard};

use arrow::array::{Array, ArrayRef, BinaryViewBuilder, StructArray};
use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, Field, FieldRef};
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use esccsql_functions::shape::{ALIAS_KEY, Environment};
use libduckdb_sys::*;

use crate::error::AdapterError;
use crate::guest::Guest;
use crate::handle::{Chunk, ConvertedSchema, Type, check};
use crate::settings;

/// The adapter's own connection, which conversions need, kept until the database closes.
pub struct Bridge {
    link: RwLock<Option<Link>>,
    /// Set where somebody else opened the database that the functions serve.
    guest: Option<Guest>,
}

struct Link {
    connection: duckdb_connection,
    options: duckdb_arrow_options,
}

// SAFETY: the connection is never used to run a query; conversions and settings only read from it.
unsafe impl Send for Link {}
// SAFETY: as above.
unsafe impl Sync for Link {}

impl Bridge {
    /// Connects to `database`.
    ///
    /// # Safety
    /// `database` is open.
    pub unsafe fn new(database: duckdb_database) -> Result<Self, AdapterError> {
        let mut connection = ptr::null_mut();
        // SAFETY: by the caller's promise.
        if unsafe { duckdb_connect(database, &mut connection) } != duckdb_state_DuckDBSuccess {
            return Err(AdapterError::Open { path: "the database".into(), message: "no connection could be made".into() });
        }
        let mut options = ptr::null_mut();
        // SAFETY: connected just now.
        unsafe { duckdb_connection_get_arrow_options(connection, &mut options) };
        Ok(Bridge { link: RwLock::new(Some(Link { connection, options })), guest: None })
    }

    /// Converts over `private`, and serves the database that `target` is connected to.
    ///
    /// # Safety
    /// `private` is open, and the result's to close; `target` is connected until [`Bridge::is_loaded`].
    pub unsafe fn guest(private: duckdb_database, target: duckdb_connection) -> Result<Self, AdapterError> {
        // SAFETY: by the caller's promise.
        let mut bridge = unsafe { Bridge::new(private)? };
        // SAFETY: as above.
        bridge.guest = Some(unsafe { Guest::new(private, target) });
        Ok(bridge)
    }

    /// Registration in somebody else's database is over.
    pub fn is_loaded(&self) {
        if let Some(guest) = &self.guest {
            guest.is_loaded();
        }
    }

    /// Takes note of the settings under which a query is bound, where the adapter has no connection to ask.
    ///
    /// # Safety
    /// `context` is live.
    pub unsafe fn see(&self, context: duckdb_client_context) {
        if let Some(guest) = &self.guest {
            // SAFETY: by the caller's promise.
            guest.see(unsafe { settings::of(context) });
        }
    }

    /// Must a query's binding tell its settings?
    pub fn is_guest(&self) -> bool {
        self.guest.is_some()
    }

    /// Ends the connection, after all conversions under way. Functions called later fail with a message.
    pub fn close(&self) {
        let link = self.link.write().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        if let Some(mut link) = link {
            // SAFETY: taken out, so nobody else has them.
            unsafe {
                duckdb_destroy_arrow_options(&mut link.options);
                duckdb_disconnect(&mut link.connection);
            }
        }
    }

    fn link(&self) -> RwLockReadGuard<'_, Option<Link>> {
        self.link.read().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Runs `work` with the connection, for registration.
    pub fn with_connection<T>(&self, work: impl FnOnce(duckdb_connection) -> T) -> Result<T, AdapterError> {
        if let Some(target) = self.guest.as_ref().and_then(Guest::target) {
            return Ok(work(target));
        }
        let guard = self.link();
        let link = guard.as_ref().ok_or_else(|| AdapterError::Register("(the database is closed)".into()))?;
        Ok(work(link.connection))
    }

    /// A chunk's columns as Arrow. Long BLOBs that rows share, such as a model joined to every patient, are copied once.
    ///
    /// # Safety
    /// `chunk` is a live chunk of flat vectors.
    pub unsafe fn import(&self, chunk: duckdb_data_chunk) -> Result<Vec<ArrayRef>, String> {
        // SAFETY: by the caller's promise, here and in the rest of this function.
        let (columns, rows) = unsafe { (duckdb_data_chunk_get_column_count(chunk), duckdb_data_chunk_get_size(chunk)) };
        let vectors: Vec<duckdb_vector> = (0..columns).map(|column| unsafe { duckdb_data_chunk_get_vector(chunk, column) }).collect();
        let types: Vec<Type> = vectors.iter().map(|&vector| unsafe { Type::of_vector(vector) }).collect();
        let is_blob = |column: usize| types[column].id() == DUCKDB_TYPE_DUCKDB_TYPE_BLOB;
        if !(0..vectors.len()).any(is_blob) {
            return unsafe { self.convert(chunk, &types) };
        }
        let others: Vec<usize> = (0..vectors.len()).filter(|&column| !is_blob(column)).collect();
        let mut converted = Vec::new().into_iter();
        if !others.is_empty() {
            let mut raw: Vec<duckdb_logical_type> = others.iter().map(|&column| types[column].raw()).collect();
            let part = Chunk(unsafe { duckdb_create_data_chunk(raw.as_mut_ptr(), raw.len() as idx_t) });
            for (place, &column) in others.iter().enumerate() {
                unsafe { duckdb_vector_reference_vector(duckdb_data_chunk_get_vector(part.0, place as idx_t), vectors[column]) };
            }
            unsafe { duckdb_data_chunk_set_size(part.0, rows) };
            let types: Vec<Type> =
                (0..others.len()).map(|place| unsafe { Type::of_vector(duckdb_data_chunk_get_vector(part.0, place as idx_t)) }).collect();
            converted = unsafe { self.convert(part.0, &types) }?.into_iter();
        }
        (0..vectors.len())
            .map(|column| {
                if is_blob(column) {
                    Ok(unsafe { blobs(vectors[column], rows as usize) })
                } else {
                    converted.next().ok_or_else(|| "esccsql bug: a column was lost on its way to Arrow".to_string())
                }
            })
            .collect()
    }

    /// # Safety
    /// `chunk` is live and `types` are its types.
    unsafe fn convert(&self, chunk: duckdb_data_chunk, types: &[Type]) -> Result<Vec<ArrayRef>, String> {
        if types.is_empty() {
            return Ok(Vec::new());
        }
        let guard = self.link();
        let link = guard.as_ref().ok_or("the database is closed")?;
        let mut raw: Vec<duckdb_logical_type> = types.iter().map(Type::raw).collect();
        let mut names = vec![c"c".as_ptr(); raw.len()];
        let mut schema = FFI_ArrowSchema::empty();
        let mut array = FFI_ArrowArray::empty();
        // SAFETY: types and names have `raw.len()` entries; schema and array are empty and take what DuckDB writes. Both
        // sides hold the C Data Interface's structs, so the casts only change their name.
        unsafe {
            check(duckdb_to_arrow_schema(
                link.options,
                raw.as_mut_ptr(),
                names.as_mut_ptr(),
                raw.len() as idx_t,
                (&raw mut schema).cast(),
            ))?;
            check(duckdb_data_chunk_to_arrow(link.options, chunk, (&raw mut array).cast()))?;
        }
        // SAFETY: DuckDB filled both by the interface's rules.
        let data = unsafe { from_ffi(array, &schema) }.map_err(|error| error.to_string())?;
        Ok(StructArray::from(data).columns().to_vec())
    }

    /// Writes a column to `result` from `offset` on.
    ///
    /// # Safety
    /// `result` is a live vector of `schema`'s type with room for `offset + array.len()` rows.
    pub unsafe fn export(&self, array: ArrayRef, result: duckdb_vector, offset: u64, schema: &ResultType) -> Result<(), String> {
        if array.is_empty() {
            return Ok(());
        }
        if array.data_type() != schema.field.data_type() {
            return Err(format!("esccsql bug: the result is {} where {} was promised", array.data_type(), schema.field.data_type()));
        }
        let chunk = self.to_chunk(&schema.field, array, &schema.converted)?;
        // SAFETY: the chunk has one column of the result's type; the selection holds its rows; the room is the caller's promise.
        unsafe {
            let rows = duckdb_data_chunk_get_size(chunk.0);
            let selection = duckdb_create_selection_vector(rows);
            let indices = duckdb_selection_vector_get_data_ptr(selection);
            for row in 0..rows {
                *indices.add(row as usize) = row as sel_t;
            }
            duckdb_vector_copy_sel(duckdb_data_chunk_get_vector(chunk.0, 0), result, selection, rows, 0, offset);
            duckdb_destroy_selection_vector(selection);
        }
        Ok(())
    }

    fn to_chunk(&self, field: &FieldRef, array: ArrayRef, schema: &ConvertedSchema) -> Result<Chunk, String> {
        let guard = self.link();
        let link = guard.as_ref().ok_or("the database is closed")?;
        let row = StructArray::try_new(vec![plain(field)].into(), vec![array], None).map_err(|error| error.to_string())?;
        let (mut array, _schema) = to_ffi(&row.into_data()).map_err(|error| error.to_string())?;
        let mut chunk = ptr::null_mut();
        // SAFETY: `array` is a struct array of `schema`; DuckDB takes its content and clears the release callback, so that our
        // drop does nothing.
        unsafe { check(duckdb_data_chunk_from_arrow(link.connection, (&raw mut array).cast(), schema.0, &mut chunk))? };
        Ok(Chunk(chunk))
    }

    /// The DuckDB type of an Arrow field, with its schema for later exports.
    pub fn result_type(&self, field: &FieldRef) -> Result<ResultType, String> {
        let converted = {
            let guard = self.link();
            let link = guard.as_ref().ok_or("the database is closed")?;
            let schema = arrow::datatypes::Schema::new(vec![plain(field)]);
            let mut schema = FFI_ArrowSchema::try_from(&schema).map_err(|error| error.to_string())?;
            let mut converted = ptr::null_mut();
            // SAFETY: the schema lives through the call, which copies what it needs.
            unsafe { check(duckdb_schema_from_arrow(link.connection, (&raw mut schema).cast(), &mut converted))? };
            ConvertedSchema(converted)
        };
        let empty = self.to_chunk(field, arrow::array::new_empty_array(field.data_type()), &converted)?;
        // SAFETY: a chunk of one column.
        let logical = unsafe { Type::of_vector(duckdb_data_chunk_get_vector(empty.0, 0)) };
        let logical = match field.metadata().get(ALIAS_KEY) {
            Some(alias) => logical.with_alias(alias).map_err(|error| error.to_string())?,
            None => logical,
        };
        Ok(ResultType { field: field.clone(), logical, converted })
    }

    /// The engine's settings as functions see them.
    pub fn environment(&self) -> Arc<Environment> {
        if let Some(guest) = &self.guest {
            return guest.seen();
        }
        let guard = self.link();
        let Some(link) = guard.as_ref() else { return Arc::default() };
        // SAFETY: connected.
        Arc::new(unsafe { settings::of_connection(link.connection) })
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.close();
        // A guest's private database goes after the connection to it.
    }
}

/// A result's type on both sides.
pub struct ResultType {
    pub field: FieldRef,
    pub logical: Type,
    converted: ConvertedSchema,
}

// SAFETY: read only after construction.
unsafe impl Send for ResultType {}
// SAFETY: read only after construction.
unsafe impl Sync for ResultType {}

/// The field without metadata, under a fixed name: what crosses to DuckDB.
fn plain(field: &FieldRef) -> FieldRef {
    Arc::new(Field::new("r", field.data_type().clone(), true))
}

/// A BLOB column. Rows that point to the same bytes share one copy.
///
/// # Safety
/// `vector` is a live flat vector of BLOBs with `rows` rows.
unsafe fn blobs(vector: duckdb_vector, rows: usize) -> ArrayRef {
    /// Up to this length a value lies in the view itself.
    const INLINE: usize = 12;
    /// Values that a new one is compared with.
    const COMPARED: usize = 16;
    let mut builder = BinaryViewBuilder::with_capacity(rows);
    // Where the bytes lie -> their copy. Rows of two models come in any order, and small chunks that DuckDB has put together hold a
    // copy of the model for each row: to compare them takes a tenth of the time of one more copy, and no memory.
    let mut blocks: HashMap<(*const u8, usize), u32> = HashMap::new();
    let mut distinct: Vec<(&[u8], u32)> = Vec::new();
    // SAFETY: by the caller's promise.
    let (data, validity) = unsafe { (duckdb_vector_get_data(vector).cast::<duckdb_string_t>(), duckdb_vector_get_validity(vector)) };
    for row in 0..rows {
        // SAFETY: a null mask means that all rows are valid; `data` has `rows` entries.
        let bytes: &[u8] = unsafe {
            if !validity.is_null() && !duckdb_validity_row_is_valid(validity, row as idx_t) {
                builder.append_null();
                continue;
            }
            let text = data.add(row);
            std::slice::from_raw_parts(duckdb_string_t_data(text).cast(), duckdb_string_t_length(*text) as usize)
        };
        if bytes.len() <= INLINE {
            builder.append_value(bytes);
            continue;
        }
        let block = *blocks.entry((bytes.as_ptr(), bytes.len())).or_insert_with(|| {
            let lately = distinct.iter().rev().take(COMPARED);
            if let Some((_, block)) = lately.into_iter().find(|(known, _)| *known == bytes) {
                return *block;
            }
            let block = builder.append_block(Buffer::from(bytes));
            distinct.push((bytes, block));
            block
        });
        if builder.try_append_view(block, 0, bytes.len() as u32).is_err() {
            builder.append_value(bytes);
        }
    }
    Arc::new(builder.finish())
}

/// The DuckDB type of a parameter; `Null` stands for ANY.
pub fn parameter_type(bridge: &Bridge, data_type: &DataType) -> Result<Type, String> {
    match data_type {
        DataType::Null => Ok(Type::any()),
        other => Ok(bridge.result_type(&Arc::new(Field::new("p", other.clone(), true)))?.logical),
    }
}
