//! The Kaplan-Meier estimator with Greenwood's variance, pointwise limits and quantiles.
//!
//! `S(t) = prod_{u <= t} (1 - d / n)`, `var(log S) = sum d / (n (n - d))`. Agrees with R `survival::survfit`,
//! `quantile.survfit`. Kaplan & Meier, JASA 1958;53:457. Brookmeyer & Crowley, Biometrics 1982;38:29.

use serde::{Deserialize, Serialize};

use crate::error::SurvivalError;
use crate::outcome::{Outcome, check_finite, check_rows, step_at};
use crate::special::normal_quantile;

/// The scale on which pointwise limits are symmetric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfidenceType {
    /// log S (R's default).
    #[default]
    Log,
    /// log(-log S) (lifelines, SAS).
    LogLog,
    /// S itself.
    Plain,
}

/// A Kaplan-Meier curve: one entry per distinct time, events or not. The numbers are of rows, weighted or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KaplanMeier {
    pub time: Vec<f64>,
    pub n_risk: Vec<usize>,
    pub n_event: Vec<usize>,
    pub n_censor: Vec<usize>,
    pub survival: Vec<f64>,
    /// Standard error of log S, as R's `survfit` object holds it; infinite once S is 0.
    pub std_err_log: Vec<f64>,
    /// Pointwise limits; `None` once S is 0 and, on the log-log scale, while S is 1 (as in R).
    pub lower: Vec<Option<f64>>,
    pub upper: Vec<Option<f64>>,
    pub level: f64,
    pub confidence_type: ConfidenceType,
}

/// A quantile of the survival time with its limits; `None` where the curve does not fall far enough.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SurvivalQuantile {
    pub value: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// Fits the curve; `level` is the confidence level, 0.95 for 95 %.
///
/// # Errors
/// Those of [`Outcome::new`], and a level outside (0, 1).
pub fn kaplan_meier(time: &[f64], event: &[bool], level: f64, confidence_type: ConfidenceType) -> Result<KaplanMeier, SurvivalError> {
    weighted_kaplan_meier(time, event, None, level, confidence_type)
}

/// [`kaplan_meier`] with each row counting its weight (1 when absent). The curve holds for any weights; Greenwood's variance takes
/// them as numbers of equal rows (R's `survfit(robust = FALSE)`), so that weights of another kind, such as inverse probabilities,
/// call for a bootstrap.
///
/// # Errors
/// Those of [`kaplan_meier`], and weights that are negative, not finite, of another number or all 0.
pub fn weighted_kaplan_meier(
    time: &[f64],
    event: &[bool],
    weights: Option<&[f64]>,
    level: f64,
    confidence_type: ConfidenceType,
) -> Result<KaplanMeier, SurvivalError> {
    let outcome = Outcome::new(time, event)?;
    let z = confidence_z(level)?;
    if let Some(weights) = weights {
        check_rows("weight", outcome.len(), weights.len())?;
        check_finite("weight", weights)?;
        if let Some(row) = weights.iter().position(|&w| w < 0.0) {
            return Err(SurvivalError::NegativeWeight { row, weight: weights[row] });
        }
        if weights.iter().all(|&w| w == 0.0) {
            return Err(SurvivalError::ZeroWeight { row: 0 });
        }
    }
    let table = outcome.table(weights.map(|w| outcome.arrange(w)).as_deref());
    let counts = outcome.table(None);
    let mut km = KaplanMeier {
        time: Vec::with_capacity(table.len()),
        n_risk: Vec::with_capacity(table.len()),
        n_event: Vec::with_capacity(table.len()),
        n_censor: Vec::with_capacity(table.len()),
        survival: Vec::with_capacity(table.len()),
        std_err_log: Vec::with_capacity(table.len()),
        lower: Vec::with_capacity(table.len()),
        upper: Vec::with_capacity(table.len()),
        level,
        confidence_type,
    };
    let (mut survival, mut greenwood) = (1.0, 0.0);
    for (row, count) in table.iter().zip(&counts) {
        if row.events > 0.0 {
            survival *= (row.at_risk - row.events) / row.at_risk;
            greenwood += row.events / (row.at_risk * (row.at_risk - row.events));
        }
        let std_err_log = f64::sqrt(greenwood);
        let (lower, upper) = limits(survival, std_err_log, z, confidence_type);
        km.time.push(row.time);
        km.n_risk.push(count.at_risk as usize);
        km.n_event.push(count.events as usize);
        km.n_censor.push(count.censored as usize);
        km.survival.push(survival);
        km.std_err_log.push(std_err_log);
        km.lower.push(lower);
        km.upper.push(upper);
    }
    Ok(km)
}

impl KaplanMeier {
    /// Whether `t` lies beyond the last follow-up while the curve is above 0: what it is there is carried, not seen.
    pub fn is_beyond(&self, t: f64) -> bool {
        matches!((self.time.last(), self.survival.last()), (Some(&last), Some(&survival)) if t > last && survival > 0.0)
    }

    /// S(t): 1 before the first time, the last value beyond the last.
    pub fn survival_at(&self, t: f64) -> f64 {
        step_at(&self.time, &self.survival, 1.0, t)
    }

    /// Standard error of S at each time (Greenwood); `None` once S is 0.
    pub fn std_err(&self) -> Vec<Option<f64>> {
        self.survival.iter().zip(&self.std_err_log).map(|(&s, &e)| (s > 0.0).then_some(s * e)).collect()
    }

    /// The median survival time.
    pub fn median(&self) -> SurvivalQuantile {
        self.quantile(0.5)
    }

    /// The time by which a fraction `p` has had the event: the first time with S <= 1 - p, or the middle of the step
    /// when S is 1 - p over a whole step. Limits invert the pointwise limits of the curve.
    pub fn quantile(&self, p: f64) -> SurvivalQuantile {
        let survival = self.survival.iter().map(|&s| Some(s));
        SurvivalQuantile {
            value: crossing(&self.time, survival, 1.0 - p),
            lower: crossing(&self.time, self.lower.iter().copied(), 1.0 - p),
            upper: crossing(&self.time, self.upper.iter().copied(), 1.0 - p),
        }
    }
}

/// z with P(|Z| <= z) = level.
pub fn confidence_z(level: f64) -> Result<f64, SurvivalError> {
    if level > 0.0 && level < 1.0 {
        Ok(normal_quantile(0.5 + level / 2.0))
    } else {
        Err(SurvivalError::BadOption {
            option: "conf_level",
            expected: "a confidence level between 0 and 1, such as 0.95",
            found: level.to_string(),
        })
    }
}

fn limits(survival: f64, std_err_log: f64, z: f64, kind: ConfidenceType) -> (Option<f64>, Option<f64>) {
    if survival <= 0.0 || (kind == ConfidenceType::LogLog && survival >= 1.0) {
        return (None, None);
    }
    if std_err_log == 0.0 {
        return (Some(survival), Some(survival));
    }
    let (lower, upper) = match kind {
        ConfidenceType::Log => {
            let spread = z * std_err_log;
            ((survival.ln() - spread).exp(), (survival.ln() + spread).exp())
        }
        ConfidenceType::LogLog => {
            let log = survival.ln();
            let (centre, spread) = ((-log).ln(), z * std_err_log / log);
            ((-(centre - spread).exp()).exp(), (-(centre + spread).exp()).exp())
        }
        ConfidenceType::Plain => {
            let spread = z * std_err_log * survival;
            (survival - spread, survival + spread)
        }
    };
    (Some(lower.max(0.0)), Some(upper.min(1.0)))
}

/// The first time at which a falling curve is at most `level`, within R's tolerance of sqrt(machine epsilon): without
/// it a product such as 0.5000000001 shifts a median.
fn crossing(time: &[f64], curve: impl Iterator<Item = Option<f64>> + Clone, level: f64) -> Option<f64> {
    let tolerance = f64::EPSILON.sqrt();
    let reached = |y: f64| y <= level + tolerance;
    let (first, y) = curve.clone().enumerate().find_map(|(k, y)| y.filter(|&y| reached(y)).map(|y| (k, y)))?;
    let flat = (y - level).abs() < tolerance;
    let next = flat.then(|| curve.skip(first).position(|later| later.is_some_and(|l| l < y - tolerance))).flatten();
    Some(next.map_or(time[first], |steps| (time[first] + time[first + steps]) / 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_a_flat_step_is_its_middle() {
        let km = kaplan_meier(&[1.0, 2.0, 3.0, 4.0], &[true; 4], 0.95, ConfidenceType::Log).unwrap();
        assert_eq!(km.median().value, Some(2.5));
        assert_eq!(km.lower.last(), Some(&None));
    }

    #[test]
    fn without_events_the_curve_is_one() {
        let km = kaplan_meier(&[1.0, 2.0], &[false; 2], 0.95, ConfidenceType::LogLog).unwrap();
        assert_eq!(km.survival, [1.0, 1.0]);
        assert_eq!(km.median(), SurvivalQuantile { value: None, lower: None, upper: None });
        assert_eq!(km.survival_at(0.5), 1.0);
    }

    #[test]
    fn a_weight_is_a_number_of_equal_rows() {
        let (time, event, weights) = ([4.0, 1.0, 3.0, 3.0, 6.0], [true, true, false, true, true], [2.0, 1.0, 3.0, 2.0, 1.0]);
        let repeat = |k: usize| weights[k] as usize;
        let many_times: Vec<f64> = (0..5).flat_map(|k| std::iter::repeat_n(time[k], repeat(k))).collect();
        let many_events: Vec<bool> = (0..5).flat_map(|k| std::iter::repeat_n(event[k], repeat(k))).collect();
        let weighted = weighted_kaplan_meier(&time, &event, Some(&weights), 0.95, ConfidenceType::LogLog).unwrap();
        let many = kaplan_meier(&many_times, &many_events, 0.95, ConfidenceType::LogLog).unwrap();
        assert_eq!((&weighted.survival, &weighted.std_err_log), (&many.survival, &many.std_err_log));
        assert_eq!((&weighted.lower, &weighted.upper, weighted.median()), (&many.lower, &many.upper, many.median()));
        assert_eq!((weighted.n_risk[0], many.n_risk[0]), (5, 9));
        // A common factor changes nothing of the curve, an absent row is a row of weight 0.
        let scaled = weighted_kaplan_meier(&time, &event, Some(&weights.map(|w| w / 4.0)), 0.95, ConfidenceType::Log).unwrap();
        assert_eq!(scaled.survival, many.survival);
        let without = weighted_kaplan_meier(&time, &event, Some(&[1.0, 1.0, 1.0, 1.0, 0.0]), 0.95, ConfidenceType::Log).unwrap();
        let four = kaplan_meier(&time[..4], &event[..4], 0.95, ConfidenceType::Log).unwrap();
        assert_eq!(without.survival[..3], four.survival[..]);
        for bad in [[1.0, -1.0, 1.0, 1.0, 1.0], [0.0; 5], [f64::NAN, 1.0, 1.0, 1.0, 1.0]] {
            let error = weighted_kaplan_meier(&time, &event, Some(&bad), 0.95, ConfidenceType::Log).unwrap_err();
            assert!(error.to_string().contains("weight"), "{error}");
        }
    }

    #[test]
    fn the_level_is_checked() {
        let error = kaplan_meier(&[1.0], &[true], 95.0, ConfidenceType::Log).unwrap_err();
        assert!(error.to_string().contains("level"));
    }
}
