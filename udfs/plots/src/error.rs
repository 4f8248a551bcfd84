//! What can go wrong, said so that the user knows what to do next. Rows count from 1.

use thiserror::Error;

/// Errors of the figures.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum PlotError {
    #[error("nothing to draw: check the filter, and that the rows are not dropped for NULL values")]
    Empty,
    #[error("{what} has {found} values, expected {expected}: give one per row")]
    LengthMismatch { what: &'static str, expected: usize, found: usize },
    #[error("{what} is {value} {place}: leave out or impute values that are not finite")]
    NotFinite { what: &'static str, value: f64, place: String },
    #[error("{what} is {value} {place}, expected {expected}")]
    OutOfRange { what: &'static str, value: f64, place: String, expected: &'static str },
    #[error("{found} {what} are too many to read in one figure, at most {most} are drawn: {instead}")]
    TooMany { what: &'static str, found: usize, most: usize, instead: &'static str },
    #[error("option `{option}` is {found}, expected {expected}")]
    BadOption { option: &'static str, found: String, expected: &'static str },
    #[error("the figure could not be drawn: {0}")]
    Drawing(String),
}

/// Are all values finite? `place` names a row, from 0.
pub(crate) fn finite(what: &'static str, values: &[f64], place: impl Fn(usize) -> String) -> Result<(), PlotError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(row) => Err(PlotError::NotFinite { what, value: values[row], place: place(row) }),
        None => Ok(()),
    }
}

/// Has each column as many values as the first?
pub(crate) fn same_length(expected: usize, columns: &[(&'static str, usize)]) -> Result<(), PlotError> {
    match columns.iter().find(|(_, found)| *found != expected) {
        Some(&(what, found)) => Err(PlotError::LengthMismatch { what, expected, found }),
        None => Ok(()),
    }
}
