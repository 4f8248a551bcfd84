//! Cross-validation of the path.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::design::Design;
use super::likelihood::{loglik, saturated};
use super::path::{check, path};
use super::{CoxnetData, CoxnetFit, CoxnetOptions};
use crate::concordance::{ConcordanceOptions, concordance};
use crate::error::SurvivalError;
use crate::outcome::check_rows;
use crate::risk_sets::RiskSets;
use crate::rng::{shuffle, stream};
use crate::simd::combine;

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
        return Err(SurvivalError::BadOption { option: "folds", expected: "0 for the path alone, or 2 or more", found: folds.to_string() });
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
/// Those of [`super::fit`], folds that do not fit the rows, and no fold that could be judged.
pub fn cross_validate(data: &CoxnetData, options: &CoxnetOptions, cv: &CvOptions) -> Result<CoxnetFit, SurvivalError> {
    check(options)?;
    let design = Design::new(data, options)?;
    let mut whole = path(&design, data.names, options)?;
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
        return Err(SurvivalError::BadOption { option: "fold", expected: "2 or more different folds", found: labels.len().to_string() });
    }
    let inner = match cv.alignment {
        Alignment::Interpolate => options.clone(),
        Alignment::Refit => CoxnetOptions { lambda: Some(whole.lambda.clone()), ..options.clone() },
    };
    let judged: Vec<Result<Judged, SurvivalError>> =
        labels.par_iter().map(|&label| judge(&design, data, &inner, cv.measure, &whole.lambda, &fold, label)).collect();

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
        return Err(SurvivalError::NoFoldToJudge);
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
    whole: &Design,
    data: &CoxnetData,
    options: &CoxnetOptions,
    measure: Measure,
    lambda: &[f64],
    fold: &[u32],
    label: u32,
) -> Result<Judged, SurvivalError> {
    let (test, train): (Vec<usize>, Vec<usize>) = (0..fold.len()).partition(|&i| fold[i] == label);
    let mut position = vec![0; fold.len()];
    for (at, &row) in whole.sets.row.iter().enumerate() {
        position[row as usize] = at as u32;
    }
    // Where in the whole design the positions of a part's risk sets are.
    let from = |sets: &RiskSets, rows: &[usize]| -> Vec<u32> { sets.row.iter().map(|&k| position[rows[k as usize]]).collect() };
    let part = Rows::of(data, &train);
    let sets = RiskSets::new(&part.time, &part.event, part.weights.as_deref(), part.strata.as_deref(), part.offset.as_deref())?;
    let train = from(&sets, &train);
    let part = whole.part(sets, &train, options)?;
    let fit = path(&part, data.names, options)?;
    // As in glmnet, a deviance counts by the events of its fold, a concordance by its rows.
    let counts = |i: usize| measure == Measure::Concordance || data.event[i];
    let weight: f64 = test.iter().map(|&i| if counts(i) { data.weights.map_or(1.0, |w| w[i]) } else { 0.0 }).sum();
    let held_out = Rows::of(data, &test);
    let judged_sets = if measure == Measure::DevianceWithinFold { held_out.sets()? } else { None };
    let judged_at = judged_sets.as_ref().map_or(vec![], |sets| from(sets, &test));
    let judged_saturated = judged_sets.as_ref().map_or(0.0, saturated);

    // The linear predictor of every solution, by position in the whole design and up to a constant.
    let predictors: Vec<Vec<f64>> = fit
        .coef
        .iter()
        .map(|coef| {
            let at: Vec<usize> = coef.index.iter().map(|&j| j as usize).collect();
            let factors: Vec<f64> = at.iter().zip(&coef.value).map(|(&j, b)| b * whole.scale[j]).collect();
            let mut eta = vec![0.0; whole.n];
            combine(&mut eta, &at, &factors, |j| whole.column(j));
            eta
        })
        .collect();
    let (mut eta, mut of_part, mut work) = (vec![0.0; whole.n], vec![], vec![]);
    let mut take = |eta: &[f64], at: &[u32], sets: &RiskSets| {
        of_part.clear();
        of_part.extend(at.iter().map(|&k| eta[k as usize]));
        loglik(sets, &of_part, &mut work)
    };
    let mut spare = vec![];
    let mut values = Vec::with_capacity(lambda.len());
    for &l in lambda {
        eta.fill(0.0);
        for (k, share) in fit.neighbours(l).into_iter().flatten() {
            eta.iter_mut().zip(&predictors[k]).for_each(|(to, p)| *to += share * p);
        }
        values.push(match measure {
            Measure::Deviance => {
                let on_train = part.deviance(take(&eta, &train, &part.sets));
                (whole.deviance(loglik(&whole.sets, &eta, &mut spare)) - on_train) / weight
            }
            Measure::DevianceWithinFold => match &judged_sets {
                Some(sets) => 2.0 * (judged_saturated - take(&eta, &judged_at, sets)) / weight,
                None => 0.0,
            },
            Measure::Concordance => {
                let mut risk: Vec<f64> = test.iter().map(|&i| eta[position[i] as usize]).collect();
                if let Some(offset) = &held_out.offset {
                    risk.iter_mut().zip(offset).for_each(|(r, o)| *r += o);
                }
                within_fold(&held_out, &risk)?
            }
        });
    }
    Ok(Judged { weight, values })
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
