//! Cross-validation of the path.

use ndarray::Axis;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::likelihood::{self, Likelihood};
use super::{CoxnetData, CoxnetFit, CoxnetOptions, fit};
use crate::concordance::{ConcordanceOptions, concordance};
use crate::error::SurvivalError;
use crate::outcome::check_rows;
use crate::risk_sets::RiskSets;
use crate::rng::{shuffle, stream};

/// How the rows are dealt to folds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Folds {
    /// A label per row; rows of one label are one fold.
    Given(Vec<u32>),
    /// Shuffled, events and censored rows each spread evenly.
    Stratified { folds: u32, seed: u64 },
}

/// What a fold is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Measure {
    /// Deviance on all rows minus deviance on the training rows, per event of the fold (Verweij & van Houwelingen, Stat Med
    /// 1993;12:2305); glmnet's `grouped = TRUE`.
    #[default]
    Deviance,
    /// Deviance on the fold alone, per event of the fold.
    DevianceWithinFold,
    /// Harrell's C within the fold; larger is better.
    Concordance,
}

/// Which lambdas the training parts of the folds are fitted at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Alignment {
    /// Each on its own sequence, read off at the lambdas of the whole fit: what `cv.glmnet` does.
    #[default]
    Interpolate,
    /// At the lambdas of the whole fit themselves.
    Refit,
}

/// How a path is cross-validated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CvOptions {
    pub folds: Folds,
    pub measure: Measure,
    pub alignment: Alignment,
}

impl Default for CvOptions {
    /// Ten stratified folds and glmnet's deviance.
    fn default() -> Self {
        let folds = Folds::Stratified { folds: 10, seed: 0 };
        Self { folds, measure: Measure::default(), alignment: Alignment::default() }
    }
}

/// The result, one value per lambda of the fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrossValidation {
    pub measure: Measure,
    /// Weighted mean over the folds; NaN where no fold could be judged.
    pub mean: Vec<f64>,
    /// Its standard error.
    pub std_err: Vec<f64>,
    /// The largest lambda of the best mean.
    pub lambda_min: f64,
    /// The largest lambda within one standard error of it.
    pub lambda_1se: f64,
    /// The fold of each row.
    pub fold: Vec<u32>,
}

/// Folds 0..folds for each row: events and censored rows are shuffled apart and dealt in turn.
///
/// # Errors
/// Fewer than 2 folds, or fewer rows than folds.
pub fn stratified_folds(event: &[bool], folds: u32, seed: u64) -> Result<Vec<u32>, SurvivalError> {
    if folds < 2 {
        return Err(SurvivalError::BadOption { option: "folds", expected: "2 or more", found: folds.to_string() });
    }
    if event.len() < folds as usize {
        return Err(SurvivalError::TooFewRows { rows: event.len(), needed: folds as usize });
    }
    let mut rng = stream(seed, 0);
    let mut fold = vec![0; event.len()];
    let mut dealt = 0;
    for kind in [true, false] {
        let mut rows: Vec<usize> = (0..event.len()).filter(|&i| event[i] == kind).collect();
        shuffle(&mut rng, &mut rows);
        for row in rows {
            fold[row] = dealt % folds;
            dealt += 1;
        }
    }
    Ok(fold)
}

/// Fits the path on all rows and judges each of its lambdas by cross-validation; the result is in [`CoxnetFit::cv`]. Columns are
/// standardised within each training part. A fold that cannot be judged is left out, with a warning.
///
/// # Errors
/// Those of [`fit`], folds that do not fit the rows, and no fold that could be judged.
pub fn cross_validate(data: &CoxnetData, options: &CoxnetOptions, cv: &CvOptions) -> Result<CoxnetFit, SurvivalError> {
    let mut whole = fit(data, options)?;
    let n = data.time.len();
    let fold = match &cv.folds {
        Folds::Given(labels) => {
            check_rows("folds", n, labels.len())?;
            labels.clone()
        }
        Folds::Stratified { folds, seed } => stratified_folds(data.event, *folds, *seed)?,
    };
    let mut labels = fold.clone();
    labels.sort_unstable();
    labels.dedup();
    if labels.len() < 2 {
        return Err(SurvivalError::BadOption { option: "folds", expected: "2 or more", found: labels.len().to_string() });
    }
    let inner = match cv.alignment {
        Alignment::Interpolate => options.clone(),
        Alignment::Refit => CoxnetOptions { lambda: Some(whole.lambda.clone()), ..options.clone() },
    };
    let judged: Vec<Result<Judged, SurvivalError>> =
        labels.par_iter().map(|&label| judge(data, &inner, cv.measure, &whole.lambda, &fold, label)).collect();

    let mut kept = Vec::new();
    for (label, result) in labels.iter().zip(judged) {
        match result {
            Ok(judged) if judged.weight > 0.0 => kept.push(judged),
            Ok(_) => whole.warnings.push(format!("fold {label} has no events and is not judged: use stratified folds, or fewer")),
            Err(e @ (SurvivalError::NoEvents { .. } | SurvivalError::TooFewRows { .. } | SurvivalError::NothingToFit)) => {
                whole.warnings.push(format!("fold {label} is not judged, its training rows cannot be fitted: {e}"));
            }
            Err(e) => return Err(e),
        }
    }
    if kept.is_empty() {
        return Err(SurvivalError::NoEvents { rows: n });
    }
    let (mut mean, mut std_err) = (Vec::new(), Vec::new());
    for k in 0..whole.lambda.len() {
        let usable: Vec<(f64, f64)> = kept.iter().map(|j| (j.weight, j.values[k])).filter(|(_, v)| v.is_finite()).collect();
        let total: f64 = usable.iter().map(|(w, _)| w).sum();
        let average = usable.iter().map(|(w, v)| w * v).sum::<f64>() / total;
        let spread = usable.iter().map(|(w, v)| w * (v - average) * (v - average)).sum::<f64>() / total;
        mean.push(average);
        std_err.push((spread / (usable.len() as f64 - 1.0)).sqrt());
    }
    let loss: Vec<f64> = mean.iter().map(|&m| if cv.measure == Measure::Concordance { -m } else { m }).collect();
    let best = (0..loss.len()).filter(|&k| loss[k].is_finite()).reduce(|a, b| if loss[b] < loss[a] { b } else { a });
    let Some(best) = best else { return Err(SurvivalError::NoComparablePairs) };
    // With a single judged fold there is no standard error, and the rule comes down to the minimum.
    let limit = loss[best] + if std_err[best].is_finite() { std_err[best] } else { 0.0 };
    let one_se = (0..=best).find(|&k| loss[k] <= limit).unwrap_or(best);
    whole.cv = Some(CrossValidation {
        measure: cv.measure,
        lambda_min: whole.lambda[best],
        lambda_1se: whole.lambda[one_se],
        mean,
        std_err,
        fold,
    });
    Ok(whole)
}

struct Judged {
    weight: f64,
    values: Vec<f64>,
}

/// The columns of [`CoxnetData`] but x, for some rows.
struct Rows {
    time: Vec<f64>,
    event: Vec<bool>,
    weights: Option<Vec<f64>>,
    strata: Option<Vec<u32>>,
    offset: Option<Vec<f64>>,
}

impl Rows {
    fn of(data: &CoxnetData, rows: &[usize]) -> Self {
        fn take<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().map(|&i| values[i]).collect()
        }
        Self {
            time: take(data.time, rows),
            event: take(data.event, rows),
            weights: data.weights.map(|w| take(w, rows)),
            strata: data.strata.map(|s| take(s, rows)),
            offset: data.offset.map(|o| take(o, rows)),
        }
    }

    /// The risk sets, or `None` where there is nothing to judge.
    fn sets(&self) -> Result<Option<RiskSets>, SurvivalError> {
        match RiskSets::new(&self.time, &self.event, self.weights.as_deref(), self.strata.as_deref(), self.offset.as_deref()) {
            Ok(sets) => Ok(Some(sets)),
            Err(SurvivalError::NoEvents { .. } | SurvivalError::TooFewRows { .. } | SurvivalError::Empty) => Ok(None),
            Err(e) => Err(e),
        }
    }
}

fn judge(
    data: &CoxnetData,
    options: &CoxnetOptions,
    measure: Measure,
    lambda: &[f64],
    fold: &[u32],
    label: u32,
) -> Result<Judged, SurvivalError> {
    let (test, train): (Vec<usize>, Vec<usize>) = (0..fold.len()).partition(|&i| fold[i] == label);
    let (x, part) = (data.x.select(Axis(0), &train), Rows::of(data, &train));
    let path = fit(
        &CoxnetData {
            x: x.view(),
            time: &part.time,
            event: &part.event,
            weights: part.weights.as_deref(),
            strata: part.strata.as_deref(),
            offset: part.offset.as_deref(),
            names: data.names,
        },
        options,
    )?;
    // As in glmnet, a deviance counts by the events of its fold, a concordance by its rows.
    let counts = |i: usize| measure == Measure::Concordance || data.event[i];
    let weight: f64 = test.iter().map(|&i| if counts(i) { data.weights.map_or(1.0, |w| w[i]) } else { 0.0 }).sum();
    let held_out = Rows::of(data, &test);
    let sets = match measure {
        Measure::Deviance => [Rows::of(data, &(0..fold.len()).collect::<Vec<_>>()).sets()?, part.sets()?],
        Measure::DevianceWithinFold => [held_out.sets()?, None],
        Measure::Concordance => [None, None],
    };
    let mut values = Vec::with_capacity(lambda.len());
    for &l in lambda {
        let predictor = path.predictor(data.x, l);
        let on = |rows: &[usize]| -> Vec<f64> { rows.iter().map(|&i| predictor[i]).collect() };
        values.push(match measure {
            Measure::Deviance => (deviance(&sets[0], &predictor) - deviance(&sets[1], &on(&train))) / weight,
            Measure::DevianceWithinFold => deviance(&sets[0], &on(&test)) / weight,
            Measure::Concordance => {
                let mut risk = on(&test);
                if let Some(offset) = &held_out.offset {
                    risk.iter_mut().zip(offset).for_each(|(r, o)| *r += o);
                }
                within_fold(&held_out, &risk)?
            }
        });
    }
    Ok(Judged { weight, values })
}

/// Deviance of the rows of `sets` at a linear predictor in their input order; 0 where there is nothing to judge.
fn deviance(sets: &Option<RiskSets>, predictor: &[f64]) -> f64 {
    sets.as_ref().map_or(0.0, |sets| {
        let eta = sets.arrange(|row| predictor[row]);
        likelihood::deviance(sets, Likelihood::at(sets, &eta).loglik)
    })
}

/// NaN without a comparable pair. Pairs are counted within strata.
fn within_fold(rows: &Rows, risk: &[f64]) -> Result<f64, SurvivalError> {
    let mut codes = rows.strata.clone().unwrap_or_else(|| vec![0; risk.len()]);
    let strata = codes.clone();
    codes.sort_unstable();
    codes.dedup();
    let options = ConcordanceOptions { std_err: false, ..Default::default() };
    let (mut concordant, mut comparable) = (0.0, 0.0);
    for code in codes {
        let members: Vec<usize> = (0..risk.len()).filter(|&i| strata[i] == code).collect();
        let take = |values: &[f64]| -> Vec<f64> { members.iter().map(|&i| values[i]).collect() };
        let event: Vec<bool> = members.iter().map(|&i| rows.event[i]).collect();
        let weights = rows.weights.as_deref().map(take);
        match concordance(&take(&rows.time), &event, &take(risk), weights.as_deref(), &options) {
            Ok(c) => {
                concordant += c.concordant + c.tied_risk / 2.0;
                comparable += c.concordant + c.discordant + c.tied_risk;
            }
            Err(SurvivalError::NoComparablePairs | SurvivalError::NoEvents { .. }) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(if comparable > 0.0 { concordant / comparable } else { f64::NAN })
}
