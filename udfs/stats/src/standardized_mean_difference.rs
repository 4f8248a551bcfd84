//! Standardised mean difference: balance of a covariate between two cohorts, free of the sample size.
//!
//! (mean_x - mean_y) / sqrt((var_x + var_y) / 2); a 0/1 variable uses p (1 - p) as variance (Austin, Stat Med 2009;28:3083).

use crate::error::{Result, StatsError, check_count, check_finite};
use crate::summary;

/// Of a continuous variable, with sample variances (n - 1).
///
/// # Errors
/// Fewer than 2 values in a sample, a value that is not finite, no variance in either sample.
pub fn standardized_mean_difference(x: &[f64], y: &[f64]) -> Result<f64> {
    const WHAT: &str = "standardized_mean_difference";
    for (name, values) in [("x", x), ("y", y)] {
        check_count(WHAT, "values in each sample", values.len(), 2)?;
        check_finite(WHAT, name, values)?;
    }
    if summary::is_constant(x) && summary::is_constant(y) {
        return Err(StatsError::Constant { what: WHAT, which: "each sample".into(), value: x[0] });
    }
    let spread = (0.5 * (summary::variance(x) + summary::variance(y))).sqrt();
    Ok((summary::mean(x) - summary::mean(y)) / spread)
}

/// Of a 0/1 variable, from the two proportions.
///
/// # Errors
/// A proportion outside 0..=1, both proportions 0 or 1.
pub fn standardized_proportion_difference(x: f64, y: f64) -> Result<f64> {
    const WHAT: &str = "standardized_mean_difference";
    for value in [x, y] {
        if !(0.0..=1.0).contains(&value) {
            return Err(StatsError::OutOfRange { what: WHAT, option: "proportion", value, expected: "a number from 0 to 1" });
        }
    }
    let variance = 0.5 * (x * (1.0 - x) + y * (1.0 - y));
    if variance == 0.0 {
        return Err(StatsError::Constant { what: WHAT, which: "each sample".into(), value: x });
    }
    Ok((x - y) / variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        assert!((standardized_mean_difference(&[1.0, 3.0], &[4.0, 8.0]).unwrap() + 4.0 / 5.0_f64.sqrt()).abs() < 1e-15);
        assert!((standardized_proportion_difference(0.5, 0.5).unwrap()).abs() < 1e-15);
        assert!(standardized_proportion_difference(1.0, 0.0).is_err());
    }
}
