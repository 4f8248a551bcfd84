//! Cumulative incidence with competing risks.
//!
//! `F_k(t) = sum_{u <= t} S(u-) d_k(u) / n(u)`, S the Kaplan-Meier curve of any event. The variance is that of the delta method
//! (Marubini & Valsecchi, Analysing Survival Data from Clinical Trials, 1995, section 10.4), which is Greenwood's where there is one
//! cause. Aalen & Johansen, Scand J Stat 1978;5:141.

use serde::{Deserialize, Serialize};

use crate::error::SurvivalError;
use crate::km::confidence_z;
use crate::outcome::{Outcome, check_rows, step_at};

/// Cumulative incidence of one cause, one entry per distinct time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CumulativeIncidence {
    pub cause: u32,
    pub time: Vec<f64>,
    pub n_risk: Vec<usize>,
    /// Events of this cause.
    pub n_event: Vec<usize>,
    pub incidence: Vec<f64>,
    pub std_err: Vec<f64>,
    /// On the log(-log) scale, so that they stay within 0 and 1; equal to the incidence while it is 0.
    pub lower: Vec<f64>,
    pub upper: Vec<f64>,
}

impl CumulativeIncidence {
    /// F(t): 0 before the first time, the last value beyond the last.
    pub fn at(&self, t: f64) -> f64 {
        step_at(&self.time, &self.incidence, 0.0, t)
    }
}

/// Cumulative incidence of each cause that occurs, by ascending code. `cause` is 0 for a censored row.
///
/// # Errors
/// Those of [`Outcome::new`], no events, and a confidence level out of range.
pub fn aalen_johansen(time: &[f64], cause: &[u32], conf_level: f64) -> Result<Vec<CumulativeIncidence>, SurvivalError> {
    check_rows("cause", time.len(), cause.len())?;
    let z = confidence_z(conf_level)?;
    let event: Vec<bool> = cause.iter().map(|&c| c > 0).collect();
    let outcome = Outcome::new(time, &event)?;
    let mut causes: Vec<u32> = cause.iter().copied().filter(|&c| c > 0).collect();
    if causes.is_empty() {
        return Err(SurvivalError::NoCauses { rows: time.len() });
    }
    causes.sort_unstable();
    causes.dedup();
    let ordered = outcome.arrange(cause);
    Ok(causes.into_iter().map(|cause| of_cause(&outcome, &ordered, cause, z)).collect())
}

fn of_cause(outcome: &Outcome, cause: &[u32], which: u32, z: f64) -> CumulativeIncidence {
    let blocks = outcome.distinct_times().len();
    let mut found = CumulativeIncidence {
        cause: which,
        time: outcome.distinct_times().to_vec(),
        n_risk: Vec::with_capacity(blocks),
        n_event: Vec::with_capacity(blocks),
        incidence: Vec::with_capacity(blocks),
        std_err: Vec::with_capacity(blocks),
        lower: Vec::with_capacity(blocks),
        upper: Vec::with_capacity(blocks),
    };
    let (mut survival, mut incidence) = (1.0, 0.0);
    // Sums of g, g F and g F^2 with g = d / (n (n - d)), of S^2 (n - d_k) d_k / n^3, and of h and h F with h = S d_k / n^2: with them
    // the variance at t is F(t)^2 g0 - 2 F(t) g1 + g2 + own - 2 (F(t) h0 - h1).
    let (mut g0, mut g1, mut g2, mut own, mut h0, mut h1) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for block in 0..blocks {
        let n = (outcome.len() - outcome.block(block).start) as f64;
        let d = outcome.block(block).filter(|&i| cause[i] > 0).count() as f64;
        let dk = outcome.block(block).filter(|&i| cause[i] == which).count();
        let k = dk as f64;
        if d > 0.0 {
            incidence += survival * k / n;
            own += survival * survival * (n - k) * k / (n * n * n);
            let h = survival * k / (n * n);
            h0 += h;
            h1 += h * incidence;
            // Where all at risk have an event, F does not move after it: the term is 0.
            if n > d {
                let g = d / (n * (n - d));
                g0 += g;
                g1 += g * incidence;
                g2 += g * incidence * incidence;
            }
            survival *= (n - d) / n;
        }
        let variance: f64 = incidence * incidence * g0 - 2.0 * incidence * g1 + g2 + own - 2.0 * (incidence * h0 - h1);
        let std_err = variance.max(0.0).sqrt();
        let (lower, upper) = if incidence > 0.0 && incidence < 1.0 {
            let scale = z * std_err / (incidence * f64::ln(incidence));
            (incidence.powf((-scale).exp()), incidence.powf(scale.exp()))
        } else {
            (incidence, incidence)
        };
        found.n_risk.push(n as usize);
        found.n_event.push(dk);
        found.incidence.push(incidence);
        found.std_err.push(std_err);
        found.lower.push(lower);
        found.upper.push(upper);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::km::{ConfidenceType, kaplan_meier};

    const TIME: [f64; 10] = [1.0, 2.0, 2.0, 3.0, 4.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    const CAUSE: [u32; 10] = [1, 2, 1, 0, 2, 1, 0, 1, 2, 0];

    #[test]
    fn one_cause_is_kaplan_meier_with_greenwood() {
        let cause: Vec<u32> = CAUSE.iter().map(|&c| u32::from(c > 0)).collect();
        let found = &aalen_johansen(&TIME, &cause, 0.95).unwrap()[0];
        let event: Vec<bool> = cause.iter().map(|&c| c > 0).collect();
        let km = kaplan_meier(&TIME, &event, 0.95, ConfidenceType::Log).unwrap();
        for (i, se) in km.std_err().into_iter().enumerate() {
            assert!((found.incidence[i] - (1.0 - km.survival[i])).abs() < 1e-15);
            assert!((found.std_err[i] - se.unwrap()).abs() < 1e-12, "{i}");
        }
    }

    #[test]
    fn incidences_and_survival_add_up_to_one() {
        let found = aalen_johansen(&TIME, &CAUSE, 0.95).unwrap();
        assert_eq!(found.iter().map(|f| f.cause).collect::<Vec<_>>(), [1, 2]);
        let km = kaplan_meier(&TIME, &CAUSE.map(|c| c > 0), 0.95, ConfidenceType::Log).unwrap();
        for (i, survival) in km.survival.iter().enumerate() {
            let sum: f64 = found.iter().map(|f| f.incidence[i]).sum();
            assert!((sum + survival - 1.0).abs() < 1e-14);
            assert!(found.iter().all(|f| f.lower[i] <= f.incidence[i] && f.incidence[i] <= f.upper[i]));
        }
        // By hand: at 2, F_1 = 1/10 + 9/10 * 1/9.
        assert!((found[0].at(2.5) - 0.2).abs() < 1e-15);
        assert!(aalen_johansen(&TIME, &[0; 10], 0.95).unwrap_err().to_string().contains("check that `cause`"));
    }

    /// The running sums against the variance term by term.
    #[test]
    fn the_variance_is_the_sum_of_its_terms() {
        let found = &aalen_johansen(&TIME, &CAUSE, 0.95).unwrap()[1];
        let km = kaplan_meier(&TIME, &CAUSE.map(|c| c > 0), 0.95, ConfidenceType::Log).unwrap();
        for t in 0..found.time.len() {
            let mut variance = 0.0;
            for u in 0..=t {
                let (n, d, k) = (found.n_risk[u] as f64, km.n_event[u] as f64, found.n_event[u] as f64);
                let before = if u == 0 { 1.0 } else { km.survival[u - 1] };
                let later = found.incidence[t] - found.incidence[u];
                if n > d {
                    variance += later * later * d / (n * (n - d));
                }
                variance += before * before * (n - k) * k / (n * n * n) - 2.0 * later * before * k / (n * n);
            }
            assert!((found.std_err[t] - variance.sqrt()).abs() < 1e-12, "{t}");
        }
    }
}
