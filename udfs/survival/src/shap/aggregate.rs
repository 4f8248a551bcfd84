//! One number per feature from its curve over time, under the names of R survex.

use serde::{Deserialize, Serialize};

use super::Explanation;
use crate::error::SurvivalError;

/// How a feature's curve becomes one number. Integrals are trapezoids over the times, divided by the last time: python
/// survshap's and survex's normalisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregation {
    /// Signed: gains and losses at different times cancel.
    Integral,
    #[default]
    IntegralAbsolute,
    MeanAbsolute,
    MaxAbsolute,
    SumOfSquares,
}

impl Explanation {
    /// One number per feature. An output without times gives its value under `Integral`, its size under the others, its
    /// square under `SumOfSquares`.
    ///
    /// # Errors
    /// An integral over fewer than two times.
    pub fn aggregate(&self, how: Aggregation) -> Result<Vec<f64>, SurvivalError> {
        let integral = matches!(how, Aggregation::Integral | Aggregation::IntegralAbsolute);
        if integral && self.times.len() == 1 {
            return Err(SurvivalError::BadTimes { reason: "an integral over time needs at least two of them" });
        }
        Ok(self.values.rows().into_iter().map(|curve| over_time(&self.times, &curve.to_vec(), how)).collect())
    }
}

fn over_time(times: &[f64], curve: &[f64], how: Aggregation) -> f64 {
    let absolute = || curve.iter().map(|v| v.abs());
    match how {
        Aggregation::Integral if times.is_empty() => curve[0],
        Aggregation::Integral => integral(times, curve.iter().copied()),
        Aggregation::IntegralAbsolute if times.is_empty() => curve[0].abs(),
        Aggregation::IntegralAbsolute => integral(times, absolute()),
        Aggregation::MeanAbsolute => absolute().sum::<f64>() / curve.len() as f64,
        Aggregation::MaxAbsolute => absolute().fold(0.0, f64::max),
        Aggregation::SumOfSquares => curve.iter().map(|v| v * v).sum(),
    }
}

fn integral(times: &[f64], curve: impl Iterator<Item = f64>) -> f64 {
    let curve: Vec<f64> = curve.collect();
    let area: f64 = times.windows(2).zip(curve.windows(2)).map(|(t, v)| (t[1] - t[0]) * (v[0] + v[1]) / 2.0).sum();
    area / times[times.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn each_name_is_its_formula() {
        let explained =
            Explanation { times: vec![1.0, 2.0, 4.0], base: vec![0.0; 3], prediction: vec![0.0; 3], values: array![[1.0, -3.0, 2.0]] };
        let of = |how| explained.aggregate(how).unwrap()[0];
        assert_eq!(of(Aggregation::Integral), (-1.0 - 1.0) / 4.0);
        assert_eq!(of(Aggregation::IntegralAbsolute), (2.0 + 5.0) / 4.0);
        assert_eq!(of(Aggregation::MeanAbsolute), 2.0);
        assert_eq!(of(Aggregation::MaxAbsolute), 3.0);
        assert_eq!(of(Aggregation::SumOfSquares), 14.0);
    }
}
