//! Baseline hazard and predicted survival.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::likelihood::{risks, terms};
use super::problem::Problem;
use super::summary::two_sided_quantile;
use super::{CoxFit, Ties};
use crate::error::SurvivalError;
use crate::outcome::check_rows;
use crate::risk_sets::{Span, Stratum};
use crate::simd::axpy;

/// The cumulative hazard of a row at the means, in one stratum: Breslow's estimator, or Efron's where ties are Efron's. Agrees
/// with R `survfit.coxph`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    pub stratum: u32,
    /// All distinct times of the stratum, with and without events, ascending.
    pub time: Vec<f64>,
    pub cumulative_hazard: Vec<f64>,
    /// The part of its variance that is left when the coefficients are known.
    pub variance: Vec<f64>,
    /// times x p, row-major: the integral of (risk-weighted mean of x - means) d(cumulative hazard). With it, the variance of any
    /// row's curve follows.
    pub drift: Vec<f64>,
}

impl Baseline {
    /// How many of the times are at or before `t`.
    fn reached(&self, t: f64) -> usize {
        self.time.partition_point(|&u| u <= t)
    }
}

pub(crate) fn baselines(problem: &Problem, beta: &[f64], ties: Ties) -> Vec<Baseline> {
    let (sets, p) = (&problem.sets, problem.p);
    let (_, risk, spans) = risks(problem, beta);
    // The means, on the scaled columns: reported means are not always the centre of computation.
    let means: Vec<f64> = (0..p).map(|j| (problem.means[j] - problem.center[j]) / problem.scale[j]).collect();
    let means_eta: f64 = means.iter().zip(beta).map(|(m, b)| m * b).sum();
    let stratum_baseline = |(stratum, spans): (&Stratum, &[Span])| {
        let (mut total, mut sum, mut event_sum) = (0.0, vec![0.0; p], vec![0.0; p]);
        // Per block in descending time: what it adds to the hazard, its variance and the drift.
        let blocks = &sets.blocks[stratum.blocks.clone()];
        let (mut steps, mut drifts) = (Vec::with_capacity(blocks.len()), vec![0.0; blocks.len() * p]);
        let mut left = spans.iter().peekable();
        let mut unit = 0.0;
        for (b, drift) in stratum.blocks.clone().zip(drifts.chunks_exact_mut(p)) {
            let block = &sets.blocks[b];
            if let Some(span) = left.next_if(|span| span.blocks.start == b) {
                unit = (means_eta - span.shift).exp();
                total *= span.carry;
                sum.iter_mut().for_each(|s| *s *= span.carry);
            }
            let (mut hazard, mut variance) = (0.0, 0.0);
            for i in block.rows.clone() {
                total += risk[i];
                axpy(&mut sum, risk[i], problem.row(i));
            }
            if block.events > 0 {
                let mut event_total = 0.0;
                event_sum.fill(0.0);
                for i in block.event_rows() {
                    event_total += risk[i];
                    axpy(&mut event_sum, risk[i], problem.row(i));
                }
                for term in terms(ties == Ties::Efron, block.events, block.event_weight, total, event_total) {
                    let denominator = total - term.gone * event_total;
                    hazard += unit * term.hazard;
                    variance += unit * unit * term.hazard / denominator;
                    for j in 0..p {
                        let mean = (sum[j] - term.gone * event_sum[j]) / denominator;
                        drift[j] += unit * term.hazard * (mean - means[j]) * problem.scale[j];
                    }
                }
            }
            steps.push((block.time, hazard, variance));
        }
        let mut baseline = Baseline {
            stratum: stratum.code,
            time: Vec::with_capacity(blocks.len()),
            cumulative_hazard: Vec::with_capacity(blocks.len()),
            variance: Vec::with_capacity(blocks.len()),
            drift: Vec::with_capacity(drifts.len()),
        };
        let (mut hazard, mut variance, mut drift) = (0.0, 0.0, vec![0.0; p]);
        for (&(time, more_hazard, more_variance), more_drift) in steps.iter().zip(drifts.chunks_exact(p)).rev() {
            hazard += more_hazard;
            variance += more_variance;
            drift.iter_mut().zip(more_drift).for_each(|(d, m)| *d += m);
            baseline.time.push(time);
            baseline.cumulative_hazard.push(hazard);
            baseline.variance.push(variance);
            baseline.drift.extend_from_slice(&drift);
        }
        baseline
    };
    let by_stratum = spans.chunk_by(|a, b| a.stratum == b.stratum);
    sets.strata.iter().zip(by_stratum).map(stratum_baseline).collect()
}

/// Survival of m rows at given times; each m x times, row-major.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SurvivalCurves {
    pub times: Vec<f64>,
    pub survival: Vec<f64>,
    pub lower: Vec<f64>,
    pub upper: Vec<f64>,
}

impl CoxFit {
    /// Survival of each row of x (m x p) at `times`, with intervals of level `conf_level` on the log scale (R's `conf.type =
    /// "log"`), the variance of Tsiatis. After the last time of the fit the last value is carried on.
    ///
    /// `strata` tells each row's stratum, and may be left out when the fit had one; `offset` is each row's.
    ///
    /// # Errors
    /// Another number of columns, lengths that differ, values that are not finite, a stratum that the fit did not see.
    pub fn survival(
        &self,
        x: ArrayView2<f64>,
        times: &[f64],
        strata: Option<&[u32]>,
        offset: Option<&[f64]>,
        conf_level: f64,
    ) -> Result<SurvivalCurves, SurvivalError> {
        let quantile = two_sided_quantile(conf_level)?;
        let linear_predictor = self.linear_predictor(x)?;
        if let Some(strata) = strata {
            check_rows("strata", x.nrows(), strata.len())?;
        }
        if let Some(offset) = offset {
            check_rows("offset", x.nrows(), offset.len())?;
        }
        if times.iter().any(|t| t.is_nan()) {
            return Err(SurvivalError::BadTimes { reason: "one of them is not a number" });
        }
        let p = self.coef.len();
        let variance = self.robust_variance.as_ref().unwrap_or(&self.variance);
        let size = x.nrows() * times.len();
        let mut curves = SurvivalCurves {
            times: times.to_vec(),
            survival: Vec::with_capacity(size),
            lower: Vec::with_capacity(size),
            upper: Vec::with_capacity(size),
        };
        for (i, row) in x.rows().into_iter().enumerate() {
            let baseline = self.baseline(strata.map(|s| s[i]))?;
            let factor = (linear_predictor[i] + offset.map_or(0.0, |o| o[i])).exp();
            let deviation: Vec<f64> = row.iter().zip(&self.means).map(|(x, m)| x - m).collect();
            for &t in times {
                let Some(at) = baseline.reached(t).checked_sub(1) else {
                    curves.survival.push(1.0);
                    curves.lower.push(1.0);
                    curves.upper.push(1.0);
                    continue;
                };
                let hazard = baseline.cumulative_hazard[at];
                let drift = &baseline.drift[at * p..(at + 1) * p];
                let q: Vec<f64> = deviation.iter().zip(drift).map(|(x, d)| x * hazard - d).collect();
                let from_coef: f64 = (0..p).map(|j| q[j] * (0..p).map(|k| variance[j * p + k] * q[k]).sum::<f64>()).sum();
                let se = factor * (baseline.variance[at] + from_coef).sqrt();
                curves.survival.push((-factor * hazard).exp());
                curves.lower.push((-factor * hazard - quantile * se).exp());
                curves.upper.push((-factor * hazard + quantile * se).exp().min(1.0));
            }
        }
        Ok(curves)
    }

    /// The baseline of a stratum; without one, that of a fit without strata.
    ///
    /// # Errors
    /// A stratum that the fit did not see, or none given for a fit with strata.
    pub fn baseline(&self, stratum: Option<u32>) -> Result<&Baseline, SurvivalError> {
        match (stratum, self.baselines.as_slice()) {
            (None, [only]) => Ok(only),
            (None, several) => Err(SurvivalError::BadOption {
                option: "strata",
                expected: "a stratum for each row, as in the fit",
                found: format!("none for a fit with {} strata", several.len()),
            }),
            (Some(code), baselines) => baselines.iter().find(|b| b.stratum == code).ok_or(SurvivalError::UnknownStratum { stratum: code }),
        }
    }
}
