//! What can go wrong in a function: the user's input, or a bug of ours.

use datafusion_common::DataFusionError;

/// A function's failure, told to the person who wrote the query.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Problem {
    /// The input cannot be used; the message says what to do.
    #[error("{0}")]
    User(String),
    /// The program broke a promise of its own.
    #[error("esccsql bug: {0}. Please report it with the statement that caused it")]
    Bug(String),
}

impl Problem {
    /// A problem with the user's input.
    pub fn user(message: impl std::fmt::Display) -> Self {
        Problem::User(message.to_string())
    }

    /// A broken promise of the program's own.
    pub fn bug(message: impl std::fmt::Display) -> Self {
        Problem::Bug(message.to_string())
    }

    /// The same problem, told with where it happened; once, if the message begins with that.
    pub fn at(self, place: impl std::fmt::Display) -> Self {
        let place = format!("{place}: ");
        let told = |message: String| if message.starts_with(&place) { message } else { place.clone() + &message };
        match self {
            Problem::User(message) => Problem::User(told(message)),
            Problem::Bug(message) => Problem::Bug(told(message)),
        }
    }
}

impl From<Problem> for DataFusionError {
    fn from(problem: Problem) -> Self {
        DataFusionError::Execution(problem.to_string())
    }
}

impl From<arrow::error::ArrowError> for Problem {
    fn from(error: arrow::error::ArrowError) -> Self {
        Problem::bug(error)
    }
}

impl From<DataFusionError> for Problem {
    fn from(error: DataFusionError) -> Self {
        Problem::bug(error.strip_backtrace())
    }
}
