//! Standardised columns in the order of the risk sets.

use super::likelihood::saturated;
use super::{CoxnetData, CoxnetOptions};
use crate::columns::called;
use crate::error::SurvivalError;
use crate::outcome::check_rows;
use crate::risk_sets::RiskSets;
use crate::simd::dot;

pub(crate) struct Design {
    pub sets: RiskSets,
    pub total_weight: f64,
    /// Log-likelihood of the saturated model.
    pub saturated: f64,
    pub n: usize,
    pub p: usize,
    /// p columns of n, by position: (x - mean) / scale.
    x: Vec<f64>,
    /// Euclidean lengths of the columns.
    pub norm: Vec<f64>,
    pub mean: Vec<f64>,
    pub scale: Vec<f64>,
    /// Penalty factors of mean 1; `None` for a column that is left out.
    pub penalty: Vec<Option<f64>>,
    /// Columns left out because they are constant.
    pub constant: Vec<usize>,
}

impl Design {
    /// # Errors
    /// Those of [`RiskSets::new`], no columns, values of x that are not finite, penalty factors that are negative or of another
    /// number, and nothing left to fit.
    pub fn new(data: &CoxnetData, options: &CoxnetOptions) -> Result<Self, SurvivalError> {
        let (n, p) = data.x.dim();
        check_rows("x", data.time.len(), n)?;
        if p == 0 {
            return Err(SurvivalError::NoColumns);
        }
        if !data.x.iter().all(|v| v.is_finite())
            && let Some(((row, column), &value)) = data.x.indexed_iter().find(|(_, v)| !v.is_finite())
        {
            return Err(SurvivalError::NotFinite { what: called(data.names, &[column]), row, value });
        }
        let sets = RiskSets::new(data.time, data.event, data.weights, data.strata, data.offset)?;
        let source = |j: usize, sets: &RiskSets, column: &mut Vec<f64>| {
            let source = data.x.column(j);
            column.extend(sets.row.iter().map(|&row| source[row as usize]));
        };
        Self::of(sets, p, options, source)
    }

    /// The design of some of the rows: `sets` are theirs, in which position k is position `from[k]` here.
    ///
    /// # Errors
    /// Nothing left to fit.
    pub fn part(&self, sets: RiskSets, from: &[u32], options: &CoxnetOptions) -> Result<Self, SurvivalError> {
        let mut part = Self::of(sets, self.p, options, |j, _, column| {
            let source = self.column(j);
            column.extend(from.iter().map(|&k| source[k as usize]));
        })?;
        // Means and scales so far are of columns that were standardised already.
        for j in 0..self.p {
            part.mean[j] = self.mean[j] + self.scale[j] * part.mean[j];
            part.scale[j] *= self.scale[j];
        }
        Ok(part)
    }

    /// `source` appends a column, in the order of the positions.
    fn of(
        sets: RiskSets,
        p: usize,
        options: &CoxnetOptions,
        source: impl Fn(usize, &RiskSets, &mut Vec<f64>),
    ) -> Result<Self, SurvivalError> {
        let n = sets.len();
        let mut penalty = penalties(options, p)?;
        let total: f64 = sets.weight.iter().sum();
        let (mut x, mut mean, mut scale, mut constant) = (Vec::with_capacity(n * p), vec![0.0; p], vec![1.0; p], vec![]);
        for j in 0..p {
            source(j, &sets, &mut x);
            let column = &mut x[j * n..];
            if column.iter().all(|&v| v == column[0]) {
                mean[j] = column[0];
                penalty[j] = None;
                constant.push(j);
                column.fill(0.0);
                continue;
            }
            mean[j] = dot(column, &sets.weight) / total;
            column.iter_mut().for_each(|v| *v -= mean[j]);
            if options.standardize {
                let squares: f64 = column.iter().zip(&sets.weight).map(|(v, w)| v * v * w).sum();
                scale[j] = (squares / total).sqrt();
                column.iter_mut().for_each(|v| *v /= scale[j]);
            }
        }
        if penalty.iter().all(Option::is_none) {
            return Err(SurvivalError::NothingToFit);
        }
        let norm = (0..p).map(|j| dot(&x[j * n..(j + 1) * n], &x[j * n..(j + 1) * n]).sqrt()).collect();
        let saturated = saturated(&sets);
        Ok(Self { sets, total_weight: total, saturated, n, p, x, norm, mean, scale, penalty, constant })
    }

    /// `2 (l_saturated - l)`.
    pub fn deviance(&self, loglik: f64) -> f64 {
        2.0 * (self.saturated - loglik)
    }

    pub fn column(&self, j: usize) -> &[f64] {
        &self.x[j * self.n..(j + 1) * self.n]
    }
}

fn penalties(options: &CoxnetOptions, p: usize) -> Result<Vec<Option<f64>>, SurvivalError> {
    let mut factors = options.penalty_factor.clone().unwrap_or_else(|| vec![1.0; p]);
    if factors.len() != p {
        return Err(SurvivalError::ColumnMismatch { expected: p, found: factors.len() });
    }
    if let Some(bad) = factors.iter().find(|f| f.is_nan() || **f < 0.0) {
        return Err(SurvivalError::BadOption { option: "penalty_factor", expected: "numbers of 0 or more", found: bad.to_string() });
    }
    if let Some(bad) = options.exclude.iter().find(|&&j| j >= p) {
        return Err(SurvivalError::BadOption { option: "exclude", expected: "columns of x", found: format!("column {}", bad + 1) });
    }
    let out: Vec<bool> = (0..p).map(|j| factors[j].is_infinite() || options.exclude.contains(&j)).collect();
    // As glmnet has it, an infinite factor counts as 1 in the rescaling.
    factors.iter_mut().filter(|f| f.is_infinite()).for_each(|f| *f = 1.0);
    let sum: f64 = factors.iter().sum();
    if sum == 0.0 {
        let found = "0 for every column".into();
        return Err(SurvivalError::BadOption {
            option: "penalty_factor",
            expected: "a penalty on at least one column (or use cox_fit)",
            found,
        });
    }
    Ok((0..p).map(|j| (!out[j]).then(|| factors[j] * p as f64 / sum)).collect())
}
