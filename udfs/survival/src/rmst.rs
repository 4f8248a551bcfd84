//! Restricted mean survival time: the area under the Kaplan-Meier curve up to `tau`.
//!
//! `se = sqrt(sum_u A_u^2 d / (n (n - d)))`, A_u the area from u to tau. Beyond the last time the curve keeps its last
//! value. Agrees with R `summary(survfit(...), rmean = tau)`. Royston & Parmar, BMC Med Res Methodol 2013;13:152.

use serde::{Deserialize, Serialize};

use crate::error::SurvivalError;
use crate::km::{ConfidenceType, KaplanMeier, kaplan_meier};

/// A restricted mean in the unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RestrictedMean {
    pub rmst: f64,
    pub std_err: f64,
    pub tau: f64,
    /// Whether the mean rests on a carried value ([`KaplanMeier::is_beyond`]).
    pub beyond_follow_up: bool,
}

/// # Errors
/// Those of [`kaplan_meier`], and a `tau` that is not positive and finite.
pub fn rmst(time: &[f64], event: &[bool], tau: f64) -> Result<RestrictedMean, SurvivalError> {
    if !(tau > 0.0 && tau.is_finite()) {
        return Err(SurvivalError::BadOption {
            option: "tau",
            expected: "a positive time in the unit of the follow-up",
            found: tau.to_string(),
        });
    }
    Ok(area(&kaplan_meier(time, event, 0.95, ConfidenceType::Log)?, tau))
}

fn area(km: &KaplanMeier, tau: f64) -> RestrictedMean {
    let used = km.time.partition_point(|&t| t <= tau);
    let (mut after, mut variance) = (0.0, 0.0);
    for k in (0..used).rev() {
        let next = if k + 1 < used { km.time[k + 1] } else { tau };
        after += km.survival[k] * (next - km.time[k]);
        let (n, d) = (km.n_risk[k] as f64, km.n_event[k] as f64);
        // The last drop to 0 leaves no area behind it, hence no variance.
        if n > d {
            variance += after * after * d / (n * (n - d));
        }
    }
    let first = if used > 0 { km.time[0] } else { tau };
    RestrictedMean { rmst: first + after, std_err: variance.sqrt(), tau, beyond_follow_up: km.is_beyond(tau) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_by_hand() {
        let (time, event) = ([1.0, 2.0, 4.0], [true, false, true]);
        let mean = |tau| rmst(&time, &event, tau).unwrap();
        assert_eq!(mean(0.5).rmst, 0.5);
        assert!((mean(3.0).rmst - (1.0 + 2.0 * 2.0 / 3.0)).abs() < 1e-15);
        assert!((mean(9.0).rmst - 3.0).abs() < 1e-15 && !mean(9.0).beyond_follow_up);
        assert!(rmst(&[1.0, 2.0], &[true, false], 3.0).unwrap().beyond_follow_up);
        assert!(rmst(&time, &event, -1.0).unwrap_err().to_string().contains("tau"));
    }
}
