//! Partial dependence over time: the mean predicted curve of all rows when one feature is set to a value for each of them.
//!
//! `pd(v; t) = mean_i f(v, x_i without the feature; t)`. Friedman, Ann Stat 2001;29:1189; over time as in R survex.

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use crate::error::SurvivalError;

/// Mean curve at each of `values` of a feature (values x times). `predict` gives rows x times.
///
/// # Errors
/// No rows, a feature that x does not have, and those of `predict`.
pub fn partial_dependence(
    x: ArrayView2<f64>,
    feature: usize,
    values: &[f64],
    predict: impl Fn(ArrayView2<f64>) -> Result<Array2<f64>, SurvivalError> + Sync,
) -> Result<Array2<f64>, SurvivalError> {
    if feature >= x.ncols() {
        return Err(SurvivalError::ColumnMismatch { expected: feature + 1, found: x.ncols() });
    }
    let curve = |&value: &f64| {
        let mut rows = x.to_owned();
        rows.column_mut(feature).fill(value);
        predict(rows.view())?.mean_axis(Axis(0)).ok_or(SurvivalError::Empty)
    };
    let curves: Vec<_> = values.par_iter().map(curve).collect::<Result<_, _>>()?;
    let times = curves.first().map_or(0, |curve| curve.len());
    Ok(Array2::from_shape_fn((values.len(), times), |(v, t)| curves[v][t]))
}

/// Where a feature is looked at: all its distinct values if they are at most `points`, else `points` quantiles at equal steps of
/// probability (type 7), each once.
pub fn grid(column: impl IntoIterator<Item = f64>, points: usize) -> Vec<f64> {
    let mut sorted: Vec<f64> = column.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    if distinct.len() <= points {
        return distinct;
    }
    let quantile = |k: usize| {
        let place = (sorted.len() - 1) as f64 * k as f64 / (points.max(2) - 1) as f64;
        let (below, part) = (place.floor() as usize, place.fract());
        let above = sorted[(below + 1).min(sorted.len() - 1)];
        sorted[below] + part * (above - sorted[below])
    };
    let mut values: Vec<f64> = (0..points).map(quantile).collect();
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn few_values_stand_for_themselves_many_are_cut_at_quantiles() {
        assert_eq!(grid([3.0, 1.0, 3.0, 2.0], 3), [1.0, 2.0, 3.0]);
        assert_eq!(grid((0..=100).map(f64::from), 5), [0.0, 25.0, 50.0, 75.0, 100.0]);
        assert_eq!(grid([0.0, 0.0, 0.0, 0.0, 1.0, 2.0], 2), [0.0, 2.0]);
        assert!(grid([], 4).is_empty());
    }

    #[test]
    fn the_feature_is_set_and_the_others_are_averaged() {
        let x = array![[1.0, 10.0], [2.0, 20.0], [3.0, 60.0]];
        let sum = |x: ArrayView2<f64>| Ok(Array2::from_shape_fn((x.nrows(), 2), |(i, t)| x[(i, 0)] * x[(i, 1)] + t as f64));
        let found = partial_dependence(x.view(), 0, &[0.0, 2.0], sum).unwrap();
        assert_eq!(found, array![[0.0, 1.0], [60.0, 61.0]]);
        assert!(partial_dependence(x.view(), 2, &[0.0], sum).is_err());
    }
}
