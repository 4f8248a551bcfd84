//! Cross tables of two categorical variables.

use std::collections::BTreeSet;

use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use crate::error::{Result, StatsError};

/// Counts by the sorted labels that occur.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContingencyTable<R, C> {
    pub row_labels: Vec<R>,
    pub column_labels: Vec<C>,
    /// Row-major counts.
    pub counts: Vec<u64>,
}

impl<R: Ord + Clone, C: Ord + Clone> ContingencyTable<R, C> {
    /// Tabulates pairs of labels.
    ///
    /// # Errors
    /// Unequal lengths.
    pub fn from_labels(rows: &[R], columns: &[C]) -> Result<Self> {
        if rows.len() != columns.len() {
            return Err(StatsError::LengthMismatch {
                what: "contingency table",
                first_name: "the row variable",
                first: rows.len(),
                second_name: "the column variable",
                second: columns.len(),
            });
        }
        let row_labels: Vec<R> = rows.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
        let column_labels: Vec<C> = columns.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
        let mut counts = vec![0; row_labels.len() * column_labels.len()];
        for (r, c) in rows.iter().zip(columns) {
            if let (Ok(i), Ok(j)) = (row_labels.binary_search(r), column_labels.binary_search(c)) {
                counts[i * column_labels.len() + j] += 1;
            }
        }
        Ok(Self { row_labels, column_labels, counts })
    }

    pub fn view(&self) -> ArrayView2<'_, u64> {
        ArrayView2::from_shape((self.row_labels.len(), self.column_labels.len()), &self.counts).expect("one count per pair of labels")
    }
}

/// Row and column sums.
pub(crate) fn margins(table: ArrayView2<u64>) -> (Vec<u64>, Vec<u64>) {
    (table.sum_axis(Axis(1)).to_vec(), table.sum_axis(Axis(0)).to_vec())
}

/// Counts from numbers: whole, not negative, small enough to be counted exactly.
///
/// # Errors
/// A cell that is no count.
pub fn counts_from_numbers(what: &'static str, table: ArrayView2<f64>) -> Result<Array2<u64>> {
    for ((row, column), &value) in table.indexed_iter() {
        if !(value >= 0.0 && value.fract() == 0.0 && value < 9e15) {
            return Err(StatsError::BadCount { what, row, column, value });
        }
    }
    Ok(table.mapv(|v| v as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn tabulates_sorted_labels() {
        let table = ContingencyTable::from_labels(&["b", "a", "b", "b"], &[1, 2, 2, 2]).unwrap();
        assert_eq!((table.row_labels.as_slice(), table.view()), (&["a", "b"][..], array![[0, 1], [1, 2]].view()));
        assert!(matches!(counts_from_numbers("chi2_test", array![[1.0, 0.5]].view()), Err(StatsError::BadCount { column: 1, .. })));
    }
}
