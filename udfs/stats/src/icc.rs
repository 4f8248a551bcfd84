//! Intraclass correlation: agreement of raters on subjects.
//!
//! The six forms of Shrout & Fleiss (Psychological Bulletin 1979;86:420) from the mean squares of a subjects x raters table:
//! one-way (raters nested in subjects) ICC(1), two-way random (absolute agreement) ICC(2), two-way mixed (consistency) ICC(3), each for
//! a single rating and for the mean of the k ratings. F tests ICC = 0. The interval of ICC(2) uses Satterthwaite's degrees of freedom
//! (McGraw & Wong 1996). Agrees with R `psych::ICC(lmer = FALSE)`, and with `irr::icc` but for two conventions of two-way random: irr
//! takes Satterthwaite's degrees of freedom for the F test too, and forms the interval of the average anew where psych steps up
//! the limits of the single rating by Spearman-Brown. Estimates below 0 are reported as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::distribution::{f_sf, f_upper_quantile};
use crate::error::{Result, StatsError, check_count, check_level, check_matrix};

/// Which effects the raters have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IccModel {
    /// ICC(1): each subject is rated by other raters.
    OneWay,
    /// ICC(2): the raters are a sample of raters; absolute agreement.
    #[default]
    TwoWayRandom,
    /// ICC(3): these raters only; consistency.
    TwoWayMixed,
}

/// What is used later: one rating, or the mean of all raters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IccUnit {
    #[default]
    Single,
    Average,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IccOptions {
    pub model: IccModel,
    pub unit: IccUnit,
    pub confidence: f64,
}

impl Default for IccOptions {
    fn default() -> Self {
        Self { model: IccModel::TwoWayRandom, unit: IccUnit::Single, confidence: 0.95 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Icc {
    pub icc: f64,
    pub f: f64,
    pub df1: f64,
    pub df2: f64,
    pub p: f64,
    pub lower: f64,
    pub upper: f64,
    /// Complete subjects, the ones that were used.
    pub subjects: usize,
    pub raters: usize,
    /// Subjects without a value of every rater, left out.
    pub dropped_subjects: usize,
}

/// Intraclass correlation of `ratings` (subjects x raters), complete.
///
/// # Errors
/// Fewer than 2 subjects or raters, a value that is not finite, all values equal.
pub fn icc(ratings: ArrayView2<f64>, options: IccOptions) -> Result<Icc> {
    let (subjects, raters) = ratings.dim();
    check_count("icc", "complete subjects", subjects, 2)?;
    check_count("icc", "raters", raters, 2)?;
    check_level("icc", options.confidence)?;
    check_matrix("icc", ratings)?;
    let first = ratings[[0, 0]];
    if ratings.iter().all(|v| *v == first) {
        return Err(StatsError::Constant { what: "icc", which: "value".into(), value: first });
    }
    let squares = MeanSquares::of(ratings);
    let tail = 0.5 * (1.0 - options.confidence);
    let single = squares.single(options.model, tail);
    let [icc, lower, upper] = match options.unit {
        IccUnit::Single => single,
        IccUnit::Average => squares.average(options.model, tail),
    };
    let error = if options.model == IccModel::OneWay { squares.within } else { squares.error };
    let df1 = squares.n - 1.0;
    let df2 = if options.model == IccModel::OneWay { squares.n * (squares.k - 1.0) } else { (squares.n - 1.0) * (squares.k - 1.0) };
    let f = squares.between / error;
    Ok(Icc { icc, f, df1, df2, p: f_sf(f, df1, df2), lower, upper, subjects, raters, dropped_subjects: 0 })
}

/// Intraclass correlation from long triples (subject, rater, value), in any order: the table is built on the sorted keys.
/// Subjects without a value of every rater are dropped and counted.
///
/// # Errors
/// As [`icc`], and two values of one subject and rater.
pub fn icc_long<S, R>(subject: &[S], rater: &[R], value: &[f64], options: IccOptions) -> Result<Icc>
where
    S: Ord + Clone + Display,
    R: Ord + Clone + Display,
{
    for (second_name, second) in [("rater", rater.len()), ("value", value.len())] {
        if second != subject.len() {
            return Err(StatsError::LengthMismatch { what: "icc", first_name: "subject", first: subject.len(), second_name, second });
        }
    }
    crate::error::check_finite("icc", "value", value)?;
    let names: BTreeSet<&R> = rater.iter().collect();
    let mut table: BTreeMap<&S, BTreeMap<&R, f64>> = BTreeMap::new();
    for ((s, r), &v) in subject.iter().zip(rater).zip(value) {
        if table.entry(s).or_default().insert(r, v).is_some() {
            return Err(StatsError::DuplicateRating { subject: s.to_string(), rater: r.to_string() });
        }
    }
    let complete: Vec<&BTreeMap<&R, f64>> = table.values().filter(|row| row.len() == names.len()).collect();
    check_count("icc", "complete subjects", complete.len(), 2)?;
    let flat: Vec<f64> = complete.iter().flat_map(|row| row.values().copied()).collect();
    let ratings = Array2::from_shape_fn((complete.len(), names.len()), |(i, j)| flat[i * names.len() + j]);
    Ok(Icc { dropped_subjects: table.len() - complete.len(), ..icc(ratings.view(), options)? })
}

/// Mean squares of the two-way table without replication.
struct MeanSquares {
    n: f64,
    k: f64,
    between: f64,
    within: f64,
    raters: f64,
    error: f64,
}

impl MeanSquares {
    fn of(x: ArrayView2<f64>) -> Self {
        let (n, k) = (x.nrows() as f64, x.ncols() as f64);
        let grand = x.sum() / (n * k);
        let rows: Vec<f64> = x.rows().into_iter().map(|r| r.iter().map(|v| v - grand).sum::<f64>() / k).collect();
        let columns: Vec<f64> = x.columns().into_iter().map(|c| c.iter().map(|v| v - grand).sum::<f64>() / n).collect();
        let between = k * rows.iter().map(|m| m * m).sum::<f64>();
        let raters = n * columns.iter().map(|m| m * m).sum::<f64>();
        let (mut within, mut error) = (0.0, 0.0);
        for ((i, j), v) in x.indexed_iter() {
            // Residuals, not differences of sums of squares: perfect agreement then gives 0 or nearly so.
            within += (v - grand - rows[i]).powi(2);
            error += (v - grand - rows[i] - columns[j]).powi(2);
        }
        Self {
            n,
            k,
            between: between / (n - 1.0),
            within: within / (n * (k - 1.0)),
            raters: raters / (k - 1.0),
            error: error / ((n - 1.0) * (k - 1.0)),
        }
    }

    /// Estimate, lower and upper limit for one rating.
    fn single(&self, model: IccModel, tail: f64) -> [f64; 3] {
        let Self { n, k, between, within, raters, error } = *self;
        match model {
            IccModel::OneWay => {
                let [low, high] = self.f_limits(between / within, n * (k - 1.0), tail);
                [between / within, low, high].map(|f| consistency(f, k))
            }
            IccModel::TwoWayMixed => {
                let [low, high] = self.f_limits(between / error, (n - 1.0) * (k - 1.0), tail);
                [between / error, low, high].map(|f| consistency(f, k))
            }
            IccModel::TwoWayRandom => {
                let spread = k * raters + (k * n - k - n) * error;
                let estimate = (between - error) / (between + (k - 1.0) * error + k * (raters - error) / n);
                let df = self.satterthwaite(estimate);
                let low = f_upper_quantile(tail, n - 1.0, df);
                let high = f_upper_quantile(tail, df, n - 1.0);
                let lower = n * (between - low * error) / (low * spread + n * between);
                let upper = n * (high * between - error) / (spread + n * high * between);
                [estimate, lower, upper]
            }
        }
    }

    /// Estimate, lower and upper limit for the mean of the k ratings.
    fn average(&self, model: IccModel, tail: f64) -> [f64; 3] {
        let Self { n, k, between, within, raters, error } = *self;
        match model {
            IccModel::OneWay => {
                let [low, high] = self.f_limits(between / within, n * (k - 1.0), tail);
                [between / within, low, high].map(|f| 1.0 - 1.0 / f)
            }
            IccModel::TwoWayMixed => {
                let [low, high] = self.f_limits(between / error, (n - 1.0) * (k - 1.0), tail);
                [between / error, low, high].map(|f| 1.0 - 1.0 / f)
            }
            IccModel::TwoWayRandom => {
                let [_, lower, upper] = self.single(model, tail);
                // The limits of the single form by Spearman-Brown.
                let step_up = |r: f64| k * r / (1.0 + (k - 1.0) * r);
                [(between - error) / (between + (raters - error) / n), step_up(lower), step_up(upper)]
            }
        }
    }

    fn f_limits(&self, f: f64, df2: f64, tail: f64) -> [f64; 2] {
        let df1 = self.n - 1.0;
        [f / f_upper_quantile(tail, df1, df2), f * f_upper_quantile(tail, df2, df1)]
    }

    fn satterthwaite(&self, icc: f64) -> f64 {
        let Self { n, k, raters, error, .. } = *self;
        // Multiplied through by the error mean square, so that perfect consistency (error 0) needs no division.
        let a = k * icc * raters;
        let b = (n * (1.0 + (k - 1.0) * icc) - k * icc) * error;
        (a + b).powi(2) / (a * a / (k - 1.0) + b * b / ((n - 1.0) * (k - 1.0)))
    }
}

/// (F - 1) / (F + k - 1), 1 for infinite F.
fn consistency(f: f64, k: f64) -> f64 {
    if f.is_infinite() { 1.0 } else { (f - 1.0) / (f + k - 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn long_form_sorts_drops_and_refuses() {
        let wide = icc(array![[1.0, 2.0], [3.0, 3.5], [5.0, 4.0]].view(), IccOptions::default()).unwrap();
        let subject = ["c", "a", "b", "a", "c", "b", "d"];
        let rater = [2, 1, 1, 2, 1, 2, 1];
        let value = [4.0, 1.0, 3.0, 2.0, 5.0, 3.5, 9.0];
        let long = icc_long(&subject, &rater, &value, IccOptions::default()).unwrap();
        assert_eq!(long, Icc { dropped_subjects: 1, ..wide });
        let twice = icc_long(&["a", "a"], &[1, 1], &[1.0, 2.0], IccOptions::default()).unwrap_err();
        assert_eq!(twice, StatsError::DuplicateRating { subject: "a".into(), rater: "1".into() });
    }

    #[test]
    fn degenerate_tables() {
        let perfect = icc(array![[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]].view(), IccOptions::default()).unwrap();
        assert!((perfect.icc - 1.0).abs() < 1e-14 && perfect.p < 1e-30, "{perfect:?}");
        assert!(matches!(icc(array![[1.0, 1.0], [1.0, 1.0]].view(), IccOptions::default()), Err(StatsError::Constant { .. })));
        assert!(matches!(icc(array![[1.0, 2.0]].view(), IccOptions::default()), Err(StatsError::TooFew { got: 1, .. })));
        let bad = icc(array![[1.0, 2.0], [3.0, f64::NAN]].view(), IccOptions::default()).unwrap_err();
        assert!(bad.to_string().contains("column 1 at row 1"), "{bad}");
    }
}
