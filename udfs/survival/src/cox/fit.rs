//! Newton's method with step halving.

use super::baseline::baselines;
use super::likelihood::{self, Evaluation};
use super::problem::Problem;
use super::{Coefficient, CoxData, CoxFit, CoxOptions, ModelTest, Ties, exact, residuals};
use crate::columns::called;
use crate::error::SurvivalError;
use crate::ldl::Ldl;
use crate::special::chi_square_tail;

/// R's `toler.chol`.
pub(crate) const DEPENDENT: f64 = 1.8e-12;

/// Fits by Newton's method from 0. A constant or collinear column, separation, and an iteration that does not settle are no
/// errors: see [`CoxFit::status`], [`CoxFit::converged`] and [`CoxFit::warnings`].
///
/// # Errors
/// Lengths that differ, fewer than 2 rows, no columns, no events, times that are negative, weights that are not positive,
/// values that are not finite, weights or a robust variance together with exact ties, and options out of range.
pub fn fit(data: &CoxData, options: &CoxOptions) -> Result<CoxFit, SurvivalError> {
    if options.tolerance <= 0.0 || !options.tolerance.is_finite() {
        return Err(bad_option("tolerance", "a number above 0", options.tolerance.to_string()));
    }
    if options.max_iter == 0 {
        return Err(bad_option("max_iter", "1 or more", "0".into()));
    }
    let robust = options.robust || data.cluster.is_some();
    if options.ties == Ties::Exact && (data.weights.is_some() || robust) {
        return Err(bad_option("ties", "'efron' or 'breslow' with weights or a robust variance", "'exact'".into()));
    }
    if let Some([first, rest @ ..]) = data.cluster
        && rest.iter().all(|c| c == first)
    {
        return Err(bad_option("cluster", "two clusters or more", "one".into()));
    }
    let problem = Problem::new(data)?;
    let p = problem.p;
    let evaluate = |beta: &[f64]| match options.ties {
        Ties::Exact => exact::evaluate(&problem, beta),
        ties => likelihood::evaluate(&problem, beta, ties == Ties::Efron, None),
    };

    let null = evaluate(&vec![0.0; p]);
    let ldl = Ldl::new(&null.information, p, DEPENDENT, None);
    let independent = ldl.kept().to_vec();
    let df = independent.iter().filter(|&&k| k).count();
    let score = ldl.quadratic(&null.gradient);
    let loglik_null = null.loglik;
    let Settled { beta, at, iterations, converged } = newton(null, &independent, options, evaluate);

    let ldl = Ldl::new(&at.information, p, DEPENDENT, Some(&independent));
    let variance = ldl.inverse();
    let mut step = at.gradient.clone();
    ldl.solve(&mut step);
    let certain = certain(at.loglik, loglik_null);
    let status: Vec<Coefficient> = (0..p)
        .map(|j| match (independent[j], ldl.kept()[j]) {
            (false, _) => Coefficient::Aliased,
            (true, kept) if certain || !kept => Coefficient::Diverging,
            // What R asks: would one more step still move it? Before the likelihood has settled it would in any case.
            (true, _) if converged && step[j].abs() > 1e-6 && step[j].abs() > 1e-4 * beta[j].abs() => Coefficient::Diverging,
            (true, _) => Coefficient::Estimated,
        })
        .collect();

    let (iterations, loglik) = (iterations, at.loglik);
    let robust_variance = robust.then(|| residuals::robust_variance(&problem, &beta, options.ties, &variance, data.cluster));
    let test_variance = robust_variance.as_ref().unwrap_or(&variance);
    let wald = match &robust_variance {
        None => (0..p).map(|i| beta[i] * (0..p).map(|j| at.information[i * p + j] * beta[j]).sum::<f64>()).sum(),
        Some(_) => Ldl::new(test_variance, p, DEPENDENT, None).quadratic(&beta),
    };
    let test = |statistic: f64| ModelTest { statistic, df, p: if df == 0 { f64::NAN } else { chi_square_tail(statistic, df as f64) } };
    let unscale = |v: &[f64]| -> Vec<f64> { (0..p * p).map(|k| v[k] / (problem.scale[k / p] * problem.scale[k % p])).collect() };
    let coef = (0..p).map(|j| if independent[j] { beta[j] / problem.scale[j] } else { f64::NAN }).collect();
    Ok(CoxFit {
        coef,
        warnings: warnings(data.names, &status, converged, problem.sets.events, options),
        baselines: baselines(&problem, &beta, options.ties),
        status,
        variance: unscale(&variance),
        robust_variance: robust_variance.as_deref().map(unscale),
        loglik_null,
        loglik,
        wald: test(wald),
        score: test(score),
        likelihood_ratio: test(2.0 * (loglik - loglik_null)),
        iterations,
        converged,
        n: problem.sets.len(),
        events: problem.sets.events,
        ties: options.ties,
        means: problem.means,
    })
}

/// Whether a change of the log-likelihood is within the tolerance. Relative to itself, one that goes to 0 (of events in the order of
/// a covariate) would never settle.
pub(crate) fn settled(change: f64, loglik: f64, null: f64, tolerance: f64) -> bool {
    change.abs() <= tolerance * loglik.abs().max(0.01 * null.abs())
}

/// Whether the events follow from the covariates, so that the data say nothing about any coefficient but its direction.
pub(crate) fn certain(loglik: f64, null: f64) -> bool {
    loglik.abs() <= 1e-9 * null.abs()
}

struct Settled {
    beta: Vec<f64>,
    at: Evaluation,
    iterations: usize,
    converged: bool,
}

fn newton(null: Evaluation, independent: &[bool], options: &CoxOptions, evaluate: impl Fn(&[f64]) -> Evaluation) -> Settled {
    let p = independent.len();
    let mut settled = Settled { beta: vec![0.0; p], at: null, iterations: 0, converged: !independent.contains(&true) };
    let null = settled.at.loglik;
    while !settled.converged && settled.iterations < options.max_iter {
        let mut step = settled.at.gradient.clone();
        Ldl::new(&settled.at.information, p, DEPENDENT, Some(independent)).solve(&mut step);
        loop {
            settled.iterations += 1;
            let beta: Vec<f64> = settled.beta.iter().zip(&step).map(|(b, s)| b + s).collect();
            let next = evaluate(&beta);
            let change = next.loglik - settled.at.loglik;
            settled.converged = self::settled(change, next.loglik, null, options.tolerance);
            // A fall within rounding is convergence, a larger one asks for half the step.
            if settled.converged || change > 0.0 {
                (settled.beta, settled.at) = (beta, next);
                break;
            }
            if settled.iterations >= options.max_iter {
                break;
            }
            step.iter_mut().for_each(|s| *s /= 2.0);
        }
    }
    settled
}

fn warnings(names: Option<&[String]>, status: &[Coefficient], converged: bool, events: usize, options: &CoxOptions) -> Vec<String> {
    let columns = |which: Coefficient| -> Option<String> {
        let found: Vec<usize> = (0..status.len()).filter(|&j| status[j] == which).collect();
        (!found.is_empty()).then(|| called(names, &found))
    };
    let mut warnings = Vec::new();
    if let Some(columns) = columns(Coefficient::Aliased) {
        warnings.push(format!("{columns} is constant or a combination of those before it: its coefficient is not estimated; leave it out"));
    }
    if let Some(columns) = columns(Coefficient::Diverging) {
        warnings.push(format!(
            "the coefficient of {columns} is infinite: it separates events from the others; use coxnet_fit (penalised) or merge categories"
        ));
    }
    if !converged {
        let max_iter = options.max_iter;
        warnings.push(format!("no convergence in {max_iter} iterations: raise `max_iter`, or look for features of extreme scale"));
    }
    let estimated = status.iter().filter(|&&s| s != Coefficient::Aliased).count();
    if estimated >= events {
        warnings.push(format!("{estimated} coefficients for {events} events: the model is overfitted; use coxnet_fit or fewer features"));
    }
    warnings
}

fn bad_option(option: &'static str, expected: &'static str, found: String) -> SurvivalError {
    SurvivalError::BadOption { option, expected, found }
}
