//! Decision curve analysis: what acting on a predicted risk gains over treating all or none.
//!
//! At threshold p, treating the rows with a risk of p or more has the net benefit
//! `P(treated) (1 - S(t)) - P(treated) S(t) p / (1 - p)`, S the Kaplan-Meier survival of the treated rows at the time. Vickers,
//! Cronin, Elkin & Gonen, BMC Med Inform Decis Mak 2008;8:53.

use serde::{Deserialize, Serialize};

use crate::calibration::check;
use crate::error::SurvivalError;
use crate::km::{ConfidenceType, KaplanMeier, kaplan_meier};

/// A risk this little below a threshold reaches it: 1 - 0.9 is 0.1 less a rounding error.
const ROUNDING: f64 = 1e-12;

/// One threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub threshold: f64,
    /// Rows with a predicted risk at or above it.
    pub treated: usize,
    pub net_benefit: f64,
    /// Of treating every row; treating none has 0.
    pub treat_all: f64,
    /// Whether survival of the rows treated, or of all, is carried from their last follow-up ([`KaplanMeier::is_beyond`]).
    pub beyond_follow_up: bool,
}

/// Net benefit of predicted `survival` at time `at` for each threshold of the risk.
///
/// # Errors
/// Those of [`kaplan_meier`], predictions outside 0..=1, thresholds outside 0..1, and a time that is not positive.
pub fn decision_curve(time: &[f64], event: &[bool], survival: &[f64], at: f64, thresholds: &[f64]) -> Result<Vec<Decision>, SurvivalError> {
    check(time, survival, at)?;
    if let Some(bad) = thresholds.iter().find(|t| !(0.0..1.0).contains(*t)) {
        return Err(SurvivalError::BadOption { option: "thresholds", expected: "risks of at least 0 and below 1", found: bad.to_string() });
    }
    let curve = |rows: &[usize]| -> Result<KaplanMeier, SurvivalError> {
        let time: Vec<f64> = rows.iter().map(|&row| time[row]).collect();
        let event: Vec<bool> = rows.iter().map(|&row| event[row]).collect();
        kaplan_meier(&time, &event, 0.95, ConfidenceType::Log)
    };
    let all: Vec<usize> = (0..time.len()).collect();
    let of_all = curve(&all)?;
    let benefit = |share: f64, curve: &KaplanMeier, odds: f64| {
        let alive = curve.survival_at(at);
        share * (1.0 - alive) - share * alive * odds
    };
    thresholds
        .iter()
        .map(|&threshold| {
            let odds = threshold / (1.0 - threshold);
            let treated: Vec<usize> = all.iter().copied().filter(|&row| 1.0 - survival[row] >= threshold - ROUNDING).collect();
            let (net_benefit, carried) = match treated.len() {
                0 => (0.0, false),
                n => {
                    let own = curve(&treated)?;
                    (benefit(n as f64 / all.len() as f64, &own, odds), own.is_beyond(at))
                }
            };
            let treat_all = benefit(1.0, &of_all, odds);
            Ok(Decision { threshold, treated: treated.len(), net_benefit, treat_all, beyond_follow_up: carried || of_all.is_beyond(at) })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without censoring the formula counts: true positives / n - false positives / n * odds.
    #[test]
    fn counts_without_censoring() {
        let (time, event) = ([1.0, 2.0, 3.0, 9.0, 9.0], [true; 5]);
        let survival = [0.1, 0.7, 0.3, 0.4, 0.9];
        let found = decision_curve(&time, &event, &survival, 5.0, &[0.0, 0.5, 0.95]).unwrap();
        assert!((found[0].net_benefit - 0.6).abs() < 1e-15 && found[0].net_benefit == found[0].treat_all);
        // Treated at 0.5: rows 1, 3 and 4, of which two have the event by 5.
        assert_eq!(found[1].treated, 3);
        assert!((found[1].net_benefit - (2.0 / 5.0 - 1.0 / 5.0)).abs() < 1e-15);
        assert!((found[1].treat_all - (3.0 / 5.0 - 2.0 / 5.0)).abs() < 1e-15);
        assert_eq!((found[2].treated, found[2].net_benefit), (0, 0.0));
        assert!(found.iter().all(|found| !found.beyond_follow_up));
        // The two rows that would be treated at 0.65 were seen until 3 only, all rows until 9.
        let censored = [true, true, false, true, true];
        let at_risk = decision_curve(&time, &censored, &survival, 5.0, &[0.65, 0.95]).unwrap();
        assert_eq!(at_risk.iter().map(|found| (found.treated, found.beyond_follow_up)).collect::<Vec<_>>(), [(2, true), (0, false)]);
        // A risk of 1 - 0.9 reaches 0.1, one of 1 - 0.7 reaches 0.3.
        let at_risks = decision_curve(&time, &event, &survival, 5.0, &[0.1, 0.3, 0.3 + 1e-9]).unwrap();
        assert_eq!(at_risks.iter().map(|found| found.treated).collect::<Vec<_>>(), [5, 4, 3]);
        assert_eq!(at_risks[0].net_benefit, at_risks[0].treat_all);
        assert!(decision_curve(&time, &event, &survival, 5.0, &[1.0]).unwrap_err().to_string().contains("thresholds"));
    }
}
