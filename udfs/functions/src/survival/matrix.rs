//! One row as the matrix that a kernel takes.

use ndarray::ArrayView2;

use crate::shape::Problem;

/// 1 x p.
pub fn single_row(x: &[f64]) -> Result<ArrayView2<'_, f64>, Problem> {
    ArrayView2::from_shape((1, x.len()), x).map_err(Problem::bug)
}

/// n x t from one list per row.
pub fn curves(lists: &[Vec<f64>], times: &[f64]) -> Result<ndarray::Array2<f64>, Problem> {
    let mut matrix = ndarray::Array2::zeros((lists.len(), times.len()));
    for (row, list) in lists.iter().enumerate() {
        if list.len() != times.len() {
            return Err(Problem::user(format!(
                "survival has {} values in a row, times has {}; predict at the same times",
                list.len(),
                times.len()
            )));
        }
        for (column, value) in list.iter().enumerate() {
            matrix[(row, column)] = *value;
        }
    }
    Ok(matrix)
}
