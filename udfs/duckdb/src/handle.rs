//! Owners of the C API's objects: made once, destroyed once.

use std::ffi::{CStr, CString, c_void};
use std::ptr;

use libduckdb_sys::*;

use crate::error::AdapterError;

/// C text of a name.
pub fn c_name(name: &str) -> Result<CString, AdapterError> {
    CString::new(name).map_err(|_| AdapterError::Name(name.into()))
}

/// A logical type.
pub struct Type(duckdb_logical_type);

impl Type {
    /// ANY: DuckDB passes whatever the query has.
    pub fn any() -> Self {
        Type::of(DUCKDB_TYPE_DUCKDB_TYPE_ANY)
    }

    /// A type without parameters.
    pub fn of(kind: DUCKDB_TYPE) -> Self {
        // SAFETY: takes any type id; the result is ours.
        Type(unsafe { duckdb_create_logical_type(kind) })
    }

    /// The type of a vector.
    ///
    /// # Safety
    /// `vector` is a live vector.
    pub unsafe fn of_vector(vector: duckdb_vector) -> Self {
        // SAFETY: by the caller's promise; the result is ours.
        Type(unsafe { duckdb_vector_get_column_type(vector) })
    }

    /// Gives the type another name.
    pub fn with_alias(self, alias: &str) -> Result<Self, AdapterError> {
        let alias = c_name(alias)?;
        // SAFETY: both live.
        unsafe { duckdb_logical_type_set_alias(self.0, alias.as_ptr()) };
        Ok(self)
    }

    /// The type's id.
    pub fn id(&self) -> DUCKDB_TYPE {
        // SAFETY: live.
        unsafe { duckdb_get_type_id(self.0) }
    }

    pub fn raw(&self) -> duckdb_logical_type {
        self.0
    }
}

impl Drop for Type {
    fn drop(&mut self) {
        // SAFETY: ours, destroyed once.
        unsafe { duckdb_destroy_logical_type(&mut self.0) }
    }
}

/// A data chunk of ours.
pub struct Chunk(pub duckdb_data_chunk);

impl Drop for Chunk {
    fn drop(&mut self) {
        // SAFETY: ours, destroyed once.
        unsafe { duckdb_destroy_data_chunk(&mut self.0) }
    }
}

/// A value of ours.
pub struct Value(pub duckdb_value);

impl Drop for Value {
    fn drop(&mut self) {
        // SAFETY: ours, destroyed once.
        unsafe { duckdb_destroy_value(&mut self.0) }
    }
}

/// An Arrow schema in DuckDB's form. DuckDB only reads it after it is made, so threads may share it.
pub struct ConvertedSchema(pub duckdb_arrow_converted_schema);

// SAFETY: immutable after construction.
unsafe impl Send for ConvertedSchema {}
// SAFETY: immutable after construction.
unsafe impl Sync for ConvertedSchema {}

impl Drop for ConvertedSchema {
    fn drop(&mut self) {
        // SAFETY: ours, destroyed once.
        unsafe { duckdb_destroy_arrow_converted_schema(&mut self.0) }
    }
}

/// Turns the C API's error object into a result and destroys it.
///
/// # Safety
/// `error` is null or an error object of the caller's.
pub unsafe fn check(mut error: duckdb_error_data) -> Result<(), String> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: by the caller's promise; the message lives until the destroy.
    unsafe {
        let result = match duckdb_error_data_has_error(error) {
            false => Ok(()),
            true => Err(CStr::from_ptr(duckdb_error_data_message(error)).to_string_lossy().into_owned()),
        };
        duckdb_destroy_error_data(&mut error);
        result
    }
}

/// A text that the C API gave us to free.
///
/// # Safety
/// `text` is null or NUL-terminated and from DuckDB's allocator.
pub unsafe fn take_text(text: *mut std::ffi::c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: by the caller's promise.
    unsafe {
        let owned = CStr::from_ptr(text).to_string_lossy().into_owned();
        duckdb_free(text.cast());
        owned
    }
}

/// Hands a Rust value to DuckDB, which gives it back to [`drop_box`] when it is done with it.
pub fn boxed<T>(value: T) -> *mut c_void {
    Box::into_raw(Box::new(value)).cast()
}

/// The destroyer of what [`boxed`] made.
///
/// # Safety
/// `pointer` is null or came from `boxed::<T>` and is not used afterwards.
pub unsafe extern "C" fn drop_box<T>(pointer: *mut c_void) {
    let _ = crate::guard::guard(|| {
        if !ptr::eq(pointer, ptr::null_mut::<c_void>()) {
            // SAFETY: by the caller's promise.
            drop(unsafe { Box::from_raw(pointer.cast::<T>()) });
        }
        Ok(())
    });
}
