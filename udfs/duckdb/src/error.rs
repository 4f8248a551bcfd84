//! What can go wrong between DuckDB and a function.

/// A failure of the adapter itself; a function's own failures travel as messages.
#[derive(Debug, thiserror::Error)]
pub enum AdapterError {
    #[error("cannot open {path}: {message}")]
    Open { path: String, message: String },
    #[error("DuckDB takes no setting {name} = {value}")]
    Setting { name: String, value: String },
    #[error("DuckDB refused {0}: is there one of that name already?")]
    Register(String),
    #[error("{function}: no DuckDB parameter types for the signature {signature}; use exact types, any or variadic any")]
    Signature { function: String, signature: String },
    #[error("{function}: no DuckDB type for the result: {message}")]
    ResultType { function: String, message: String },
    #[error("a name or path holds a NUL byte: {0:?}")]
    Name(String),
}
