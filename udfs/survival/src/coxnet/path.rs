//! The path over a falling lambda.

use super::design::Design;
use super::solver::{Penalty, State};
use super::{CoxnetData, CoxnetFit, CoxnetOptions, SparseCoef};
use crate::columns::called;
use crate::error::SurvivalError;

/// glmnet's infinity: the lambda at which only unpenalised columns are in.
const HUGE_LAMBDA: f64 = 9.9e35;
/// The path ends when the last 5 solutions gain less than this share of the deviance explained, or explain more than 0.99 of
/// it: what glmnet's `fdev` and `devmax` come to for Cox models.
const LEAST_GAIN: f64 = 1e-3;
const GAIN_STEPS: usize = 5;
const LARGEST_DEV_RATIO: f64 = 0.99;

/// Fits the path; see the module for what is minimised.
///
/// # Errors
/// Lengths that differ, fewer than 2 rows, no columns, no events, negative times, weights that are not positive, values that
/// are not finite, nothing but constant columns, and options out of range.
pub fn fit(data: &CoxnetData, options: &CoxnetOptions) -> Result<CoxnetFit, SurvivalError> {
    check(options)?;
    path(&Design::new(data, options)?, data.names, options)
}

/// [`fit`] of columns that are standardised already, with options that are checked; `names` are for the messages.
pub(super) fn path(design: &Design, names: Option<&[String]>, options: &CoxnetOptions) -> Result<CoxnetFit, SurvivalError> {
    let mut state = State::zero(design);
    let null_deviance = design.deviance(state.likelihood.loglik);
    let mut fit = CoxnetFit {
        lambda: vec![],
        coef: vec![],
        dev_ratio: vec![],
        df: vec![],
        null_deviance,
        alpha: options.alpha,
        means: design.mean.clone(),
        n: design.n,
        events: design.sets.events,
        cv: None,
        warnings: vec![],
    };
    if !design.constant.is_empty() {
        fit.warnings.push(format!("left out as constant: {}", called(names, &design.constant)));
    }
    let solve = |state: &mut State, lambda: f64| {
        state.solve(&Penalty { design, lambda, alpha: options.alpha }, options.tolerance, options.max_iter)
    };
    let automatic = options.lambda.is_none();
    let sequence = match &options.lambda {
        Some(lambda) => lambda.clone(),
        None => {
            solve(&mut state, HUGE_LAMBDA);
            state.full_gradient(design);
            let largest = (0..design.p)
                .filter_map(|j| design.penalty[j].filter(|&f| f > 0.0).map(|f| state.gradient[j].abs() / f))
                .fold(0.0, f64::max)
                / options.alpha.max(1e-3);
            if largest <= 0.0 {
                return Err(SurvivalError::NothingToFit);
            }
            let ratio = options.lambda_min_ratio.unwrap_or(if design.n < design.p { 1e-2 } else { 1e-4 });
            let last = (options.n_lambda.max(2) - 1) as f64;
            (0..options.n_lambda).map(|k| largest * ratio.powf(k as f64 / last)).collect()
        }
    };
    for (k, &lambda) in sequence.iter().enumerate() {
        // The first solution of an automatic sequence is that of the infinite lambda, as glmnet has it.
        let solved = (automatic && k == 0) || solve(&mut state, lambda);
        if !solved {
            fit.warnings.push(format!(
                "no convergence at lambda {lambda:.4e} (number {}): the path ends before it; raise lambda_min_ratio or max_iter",
                k + 1
            ));
            break;
        }
        let kept: Vec<usize> = (0..design.p).filter(|&j| state.beta[j] != 0.0).collect();
        fit.lambda.push(lambda);
        fit.df.push(kept.len());
        fit.dev_ratio.push(1.0 - design.deviance(state.likelihood.loglik) / null_deviance);
        fit.coef.push(SparseCoef {
            value: kept.iter().map(|&j| state.beta[j] / design.scale[j]).collect(),
            index: kept.into_iter().map(|j| j as u32).collect(),
        });
        let now = fit.dev_ratio[k];
        let stalled = k + 1 >= GAIN_STEPS && (now - fit.dev_ratio[k + 1 - GAIN_STEPS]) / now < LEAST_GAIN;
        if automatic && (stalled || (k + 1 >= GAIN_STEPS && now > LARGEST_DEV_RATIO)) {
            break;
        }
    }
    Ok(fit)
}

pub(super) fn check(options: &CoxnetOptions) -> Result<(), SurvivalError> {
    let bad = |option, expected, found: String| Err(SurvivalError::BadOption { option, expected, found });
    if !(0.0..=1.0).contains(&options.alpha) {
        return bad("alpha", "a number from 0 (ridge) to 1 (LASSO)", options.alpha.to_string());
    }
    if options.n_lambda == 0 {
        return bad("n_lambda", "1 or more", "0".into());
    }
    if let Some(ratio) = options.lambda_min_ratio
        && !(ratio > 0.0 && ratio < 1.0)
    {
        return bad("lambda_min_ratio", "a number between 0 and 1", ratio.to_string());
    }
    if let Some(lambda) = &options.lambda {
        if lambda.is_empty() || lambda.iter().any(|&l| !l.is_finite() || l < 0.0) {
            return bad("lambda", "numbers of 0 or more", format!("{lambda:?}"));
        }
        if lambda.windows(2).any(|w| w[0] < w[1]) {
            return bad("lambda", "a falling sequence", "one that rises".into());
        }
    }
    if !(options.tolerance > 0.0 && options.tolerance.is_finite()) {
        return bad("tolerance", "a number above 0", options.tolerance.to_string());
    }
    if options.max_iter == 0 {
        return bad("max_iter", "1 or more", "0".into());
    }
    Ok(())
}
