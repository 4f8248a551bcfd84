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
        if !data.x.iter().all(|value| value.is_finite())
            && let Some(((row, column), &value)) = data.x.indexed_iter().find(|(_, value)| !value.is_finite())
        {
            return Err(SurvivalError::NotFinite { what: called(data.names, &[column]), row, value });
        }
        let sets = RiskSets::new(data.time, data.event, data.weights, data.strata, data.offset)?;
        let mut x = Vec::with_capacity(n * p);
        for &row in &sets.row {
            let row = data.x.row(row as usize);
            match row.as_slice() {
                Some(row) => x.extend_from_slice(row),
                None => x.extend(row),
            }
        }
        let centrings = Centring::of_columns(&x, p, &sets.weight);
        let (center, scale): (Vec<f64>, Vec<f64>) = centrings.iter().map(|c| (c.center, c.scale)).unzip();
        let mut coded = vec![true; p];
        for row in x.chunks_exact_mut(p) {
            for (j, value) in row.iter_mut().enumerate() {
                coded[j] &= [-1.0, 0.0, 1.0].contains(value);
                *value = (*value - center[j]) / scale[j];
            }
        }
        let means = center.iter().zip(coded).map(|(&center, coded)| if coded { 0.0 } else { center }).collect();
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
        Self::of_columns(column, 1, weight).remove(0)
    }

    /// Of each column of `x` (n x p, row-major, n above 0).
    pub fn of_columns(x: &[f64], p: usize, weight: &[f64]) -> Vec<Self> {
        let (mut constant, mut center, mut scale) = (vec![true; p], vec![0.0; p], vec![0.0; p]);
        for (row, weight) in x.chunks_exact(p).zip(weight) {
            for j in 0..p {
                constant[j] &= row[j] == x[j];
                center[j] += row[j] * weight;
            }
        }
        let total: f64 = weight.iter().sum();
        center.iter_mut().for_each(|c| *c /= total);
        for (row, weight) in x.chunks_exact(p).zip(weight) {
            for j in 0..p {
                scale[j] += (row[j] - center[j]).abs() * weight;
            }
        }
        let centring = |j: usize| match constant[j] {
            true => Self { center: x[j], scale: 1.0 },
            false => Self { center: center[j], scale: scale[j] / total },
        };
        (0..p).map(centring).collect()
    }
}
