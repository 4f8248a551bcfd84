//! Covariates in the order of the risk sets, centred and scaled.

use super::CoxData;
use crate::columns::called;
use crate::error::SurvivalError;
use crate::outcome::check_rows;
use crate::risk_sets::RiskSets;

pub(crate) struct Problem {
    pub sets: RiskSets,
    pub p: usize,
    /// n x p, row-major by position: (x - center) / scale.
    pub x: Vec<f64>,
    pub center: Vec<f64>,
    pub scale: Vec<f64>,
    /// The centre that the linear predictor is reported with.
    pub means: Vec<f64>,
}

impl Problem {
    /// # Errors
    /// Those of [`RiskSets::new`], no columns, values of x that are not finite.
    pub fn new(data: &CoxData) -> Result<Self, SurvivalError> {
        let (n, p) = data.x.dim();
        check_rows("x", data.time.len(), n)?;
        if p == 0 {
            return Err(SurvivalError::NoColumns);
        }
        if let Some(cluster) = data.cluster {
            check_rows("cluster", n, cluster.len())?;
        }
        for ((row, column), &value) in data.x.indexed_iter() {
            if !value.is_finite() {
                return Err(SurvivalError::NotFinite { what: called(data.names, &[column]), row, value });
            }
        }
        let sets = RiskSets::new(data.time, data.event, data.weights, data.strata, data.offset)?;
        let mut x = Vec::with_capacity(n * p);
        for &row in &sets.row {
            x.extend(data.x.row(row as usize));
        }
        let (mut center, mut scale, mut means) = (vec![0.0; p], vec![1.0; p], vec![0.0; p]);
        let mut column = vec![0.0; n];
        for j in 0..p {
            (0..n).for_each(|i| column[i] = x[i * p + j]);
            let centring = Centring::of(&column, &sets.weight);
            (center[j], scale[j]) = (centring.center, centring.scale);
            means[j] = if column.iter().all(|v| [-1.0, 0.0, 1.0].contains(v)) { 0.0 } else { centring.center };
            (0..n).for_each(|i| x[i * p + j] = (column[i] - center[j]) / scale[j]);
        }
        Ok(Self { sets, p, x, center, scale, means })
    }

    pub fn row(&self, position: usize) -> &[f64] {
        &self.x[position * self.p..(position + 1) * self.p]
    }
}

/// Weighted mean and mean absolute deviation of a column; a constant column is centred to exact zeros.
pub(crate) struct Centring {
    pub center: f64,
    pub scale: f64,
}

impl Centring {
    pub fn of(column: &[f64], weight: &[f64]) -> Self {
        if column.iter().all(|&v| v == column[0]) {
            return Self { center: column[0], scale: 1.0 };
        }
        let total: f64 = weight.iter().sum();
        let center = column.iter().zip(weight).map(|(v, w)| v * w).sum::<f64>() / total;
        let scale = column.iter().zip(weight).map(|(v, w)| (v - center).abs() * w).sum::<f64>() / total;
        Self { center, scale }
    }
}
