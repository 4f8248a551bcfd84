//! The rows that became NULL because of `'on_error': 'null'`.

use crate::shape::{Function, failed_cases, record, table};

record! {
    /// One failed row.
    struct Failure {
        function: String,
        arguments: String,
        message: String,
    }
}

pub fn esccsql_errors() -> Function {
    table("esccsql_errors", "Rows that became NULL because of 'on_error': 'null', with the reason, since the program started.")
        .example("SELECT * FROM esccsql_errors()")
        .rows(|_, _| {
            Ok(failed_cases()
                .into_iter()
                .map(|case| Failure { function: case.function, arguments: case.arguments, message: case.message })
                .collect())
        })
}
