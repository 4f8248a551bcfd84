//! What can be wrong with the data of a test, said so that the user can act on it.

/// Errors of this crate. Rows and columns count from 0.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StatsError {
    #[error("{what}: needs at least {needed} {unit}, got {got}: widen the WHERE clause or check for NULLs")]
    TooFew { what: &'static str, unit: &'static str, needed: usize, got: usize },
    #[error(
        "{what}: all values of {which} are equal ({value}), so it has no variance: leave it out, in a GROUP BY with FILTER (WHERE ...) or by a join with a query of what varies (HAVING min(x) < max(x))"
    )]
    Constant { what: &'static str, which: String, value: f64 },
    #[error("{what}: {which} at row {row} is {value}: replace values that are not finite by NULL or filter them out")]
    NotFinite { what: &'static str, which: String, row: usize, value: f64 },
    #[error("{what}: {first_name} has {first} values and {second_name} has {second}: they must come from the same rows")]
    LengthMismatch { what: &'static str, first_name: &'static str, first: usize, second_name: &'static str, second: usize },
    #[error("{what}: {option} = {value} is out of range, expected {expected}")]
    OutOfRange { what: &'static str, option: &'static str, value: f64, expected: &'static str },
    #[error("{what}: {side} {index} of the table has only zeros: leave this category out")]
    ZeroMargin { what: &'static str, side: &'static str, index: usize },
    #[error("{what}: cell ({row}, {column}) is {value}, expected a count that is not negative")]
    BadCount { what: &'static str, row: usize, column: usize, value: f64 },
    #[error("icc: subject {subject} has more than one value of rater {rater}: aggregate them first, or name the repeats as raters")]
    DuplicateRating { subject: String, rater: String },
    #[error("pca: {asked} components asked for, but {rows} rows and {columns} columns have rank {rank}: ask for at most {rank}")]
    Rank { asked: usize, rows: usize, columns: usize, rank: usize },
    #[error("{what}: the model has {expected} columns and the data have {got}: pass the features that it was fitted on")]
    WrongColumns { what: &'static str, expected: usize, got: usize },
    #[error("{what}: {message}")]
    Design { what: &'static str, message: String },
    #[error("{what}: {message}: {advice}")]
    TooLarge { what: &'static str, message: String, advice: &'static str },
    #[error("{what} did not converge after {iterations} iterations: this is an esccsql bug, please report it with the data")]
    NotConverged { what: &'static str, iterations: usize },
}

pub type Result<T> = std::result::Result<T, StatsError>;

/// The first value of `values` that is not finite is an error that names `which` and the row.
pub(crate) fn check_finite(what: &'static str, which: impl Into<String>, values: &[f64]) -> Result<()> {
    match values.iter().position(|v| !v.is_finite()) {
        Some(row) => Err(StatsError::NotFinite { what, which: which.into(), row, value: values[row] }),
        None => Ok(()),
    }
}

/// Like [`check_finite`] for the columns of a matrix (n x p), named `column j`.
pub(crate) fn check_matrix(what: &'static str, x: ndarray::ArrayView2<f64>) -> Result<()> {
    for ((row, column), &value) in x.indexed_iter() {
        if !value.is_finite() {
            return Err(StatsError::NotFinite { what, which: format!("column {column}"), row, value });
        }
    }
    Ok(())
}

pub(crate) fn check_count(what: &'static str, unit: &'static str, got: usize, needed: usize) -> Result<()> {
    if got < needed { Err(StatsError::TooFew { what, unit, needed, got }) } else { Ok(()) }
}

/// A confidence level must lie strictly between 0 and 1.
pub(crate) fn check_level(what: &'static str, level: f64) -> Result<()> {
    if level > 0.0 && level < 1.0 {
        Ok(())
    } else {
        Err(StatsError::OutOfRange { what, option: "conf_level", value: level, expected: "a number between 0 and 1, such as 0.95" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_says_how_to_leave_it_out_of_groups() {
        let error = StatsError::Constant { what: "spearman", which: "x".into(), value: 3.0 }.to_string();
        let expected = "spearman: all values of x are equal (3), so it has no variance: leave it out, \
            in a GROUP BY with FILTER (WHERE ...) or by a join with a query of what varies (HAVING min(x) < max(x))";
        assert_eq!(error, expected);
    }
}
