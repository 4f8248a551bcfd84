//! Mean and variance in two passes, in the order of the input.

pub(crate) fn mean(values: &[f64]) -> f64 {
    let first = values.iter().sum::<f64>() / values.len() as f64;
    // The second pass takes back the rounding of the first, as R's mean() does.
    first + values.iter().map(|v| v - first).sum::<f64>() / values.len() as f64
}

/// Sum of squared deviations from the mean.
pub(crate) fn sum_of_squares(values: &[f64]) -> f64 {
    let m = mean(values);
    values.iter().map(|v| (v - m) * (v - m)).sum()
}

/// Sample variance with n - 1.
pub(crate) fn variance(values: &[f64]) -> f64 {
    sum_of_squares(values) / (values.len() as f64 - 1.0)
}

/// All values equal: decided on the values, because the sum of squares of equal values need not be exactly 0.
pub(crate) fn is_constant(values: &[f64]) -> bool {
    values.iter().all(|v| *v == values[0])
}
