//! Calibration of predicted survival at a time: curve by groups of prediction, slope, and calibration in the large.
//!
//! Observed survival is Kaplan-Meier's, so that censored rows count as long as they were seen. Austin, Harrell & van Klaveren, Stat
//! Med 2020;39:2714. McLernon et al., Ann Intern Med 2023;176:105.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::bootstrap::quantile_type_7;
use crate::cox::{Coefficient, CoxData, CoxOptions, fit};
use crate::error::SurvivalError;
use crate::km::{ConfidenceType, confidence_z, kaplan_meier};
use crate::outcome::check_rows;

/// One group of rows with similar predictions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationGroup {
    pub n: usize,
    /// Rows still followed at the time: with none, `observed` is carried from before.
    pub n_risk: usize,
    /// Mean predicted survival.
    pub predicted: f64,
    /// Kaplan-Meier survival, with its interval on the log scale; `None` where the curve has reached 0.
    pub observed: f64,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// Mean predicted against observed survival at time `at` in up to `groups` groups of equal size, cut at the quantiles (type 7) of
/// the prediction `survival`; equal predictions stay together. Ascending.
///
/// # Errors
/// Those of [`kaplan_meier`], predictions outside 0..=1, fewer than 2 groups, and a time that is not positive.
pub fn calibration_curve(
    time: &[f64],
    event: &[bool],
    survival: &[f64],
    at: f64,
    groups: usize,
    conf_level: f64,
) -> Result<Vec<CalibrationGroup>, SurvivalError> {
    check(time, survival, at)?;
    if groups < 2 {
        return Err(SurvivalError::BadOption { option: "groups", expected: "2 or more", found: groups.to_string() });
    }
    kaplan_meier(time, event, conf_level, ConfidenceType::Log)?;
    let mut sorted = survival.to_vec();
    sorted.sort_by(f64::total_cmp);
    let cuts: Vec<f64> = (1..groups).map(|k| quantile_type_7(&sorted, k as f64 / groups as f64)).collect();
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); groups];
    (0..time.len()).for_each(|row| members[cuts.partition_point(|cut| *cut < survival[row])].push(row));
    members.iter().filter(|rows| !rows.is_empty()).map(|rows| group(rows, time, event, survival, at, conf_level)).collect()
}

fn group(
    rows: &[usize],
    time: &[f64],
    event: &[bool],
    survival: &[f64],
    at: f64,
    conf_level: f64,
) -> Result<CalibrationGroup, SurvivalError> {
    let own_time: Vec<f64> = rows.iter().map(|&row| time[row]).collect();
    let own_event: Vec<bool> = rows.iter().map(|&row| event[row]).collect();
    let km = kaplan_meier(&own_time, &own_event, conf_level, ConfidenceType::Log)?;
    let limits = match km.time.partition_point(|&t| t <= at) {
        0 => (Some(1.0), Some(1.0)),
        k => (km.lower[k - 1], km.upper[k - 1]),
    };
    Ok(CalibrationGroup {
        n: rows.len(),
        n_risk: own_time.iter().filter(|&&t| t >= at).count(),
        predicted: rows.iter().map(|&row| survival[row]).sum::<f64>() / rows.len() as f64,
        observed: km.survival_at(at),
        lower: limits.0,
        upper: limits.1,
    })
}

/// How predictions at one time agree with what happened, in three numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Coefficient of log(-log(predicted survival)) in a Cox model: 1 is right, below 1 the predictions are too extreme. `None`
    /// where a prediction is 0 or 1, or all are equal.
    pub slope: Option<f64>,
    pub slope_std_err: Option<f64>,
    pub slope_lower: Option<f64>,
    pub slope_upper: Option<f64>,
    /// Share with the event by the time, by Kaplan-Meier.
    pub observed: f64,
    /// Mean predicted risk.
    pub expected: f64,
    /// Calibration in the large: observed over expected. The interval is on the log scale with Greenwood's variance.
    pub ratio: f64,
    pub ratio_lower: Option<f64>,
    pub ratio_upper: Option<f64>,
    pub n: usize,
    /// Events by the time.
    pub events: usize,
    /// Whether `observed` is carried from the last follow-up ([`KaplanMeier::is_beyond`](crate::km::KaplanMeier::is_beyond)).
    pub beyond_follow_up: bool,
}

/// Slope and calibration in the large of predicted `survival` at time `at`.
///
/// # Errors
/// Those of [`kaplan_meier`], predictions outside 0..=1, no events, and a time that is not positive.
pub fn calibration(time: &[f64], event: &[bool], survival: &[f64], at: f64, conf_level: f64) -> Result<Calibration, SurvivalError> {
    check(time, survival, at)?;
    let z = confidence_z(conf_level)?;
    let km = kaplan_meier(time, event, conf_level, ConfidenceType::Log)?;
    let events = time.iter().zip(event).filter(|&(&t, &e)| e && t <= at).count();
    if events == 0 {
        return Err(SurvivalError::NoEvents { rows: time.len() });
    }
    let observed = 1.0 - km.survival_at(at);
    let expected = survival.iter().map(|s| 1.0 - s).sum::<f64>() / survival.len() as f64;
    let ratio = observed / expected;
    // se(log(1 - S)) = se(S) / (1 - S).
    let last = km.time.partition_point(|&t| t <= at).saturating_sub(1);
    let spread = km.std_err()[last].map(|se| (z * se / observed).exp());
    let slope = slope(time, event, survival)?;
    let limit = |sign: f64| slope.map(|(b, se)| b + sign * z * se);
    Ok(Calibration {
        slope: slope.map(|(b, _)| b),
        slope_std_err: slope.map(|(_, se)| se),
        slope_lower: limit(-1.0),
        slope_upper: limit(1.0),
        observed,
        expected,
        ratio,
        ratio_lower: spread.map(|s| ratio / s),
        ratio_upper: spread.map(|s| ratio * s),
        n: time.len(),
        events,
        beyond_follow_up: km.is_beyond(at),
    })
}

fn slope(time: &[f64], event: &[bool], survival: &[f64]) -> Result<Option<(f64, f64)>, SurvivalError> {
    if survival.iter().any(|&s| s <= 0.0 || s >= 1.0) || time.len() < 2 {
        return Ok(None);
    }
    let x = Array2::from_shape_fn((survival.len(), 1), |(i, _)| (-survival[i].ln()).ln());
    let model = fit(&CoxData::new(x.view(), time, event), &CoxOptions::default())?;
    Ok((model.status[0] == Coefficient::Estimated).then(|| (model.coef[0], model.variance[0].sqrt())))
}

pub(crate) fn check(time: &[f64], survival: &[f64], at: f64) -> Result<(), SurvivalError> {
    check_rows("survival", time.len(), survival.len())?;
    if let Some(row) = survival.iter().position(|s| !(0.0..=1.0).contains(s)) {
        return Err(SurvivalError::NotAProbability { what: "survival".into(), row, value: survival[row] });
    }
    if !(at > 0.0 && at.is_finite()) {
        return Err(SurvivalError::BadOption {
            option: "at",
            expected: "a positive time in the unit of the follow-up",
            found: at.to_string(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_ratio_by_hand() {
        let (time, event) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [true, true, true, false, true, false]);
        let survival = [0.2, 0.2, 0.4, 0.6, 0.8, 0.8];
        let curve = calibration_curve(&time, &event, &survival, 4.5, 2, 0.95).unwrap();
        assert_eq!(curve.iter().map(|g| g.n).collect::<Vec<_>>(), [3, 3]);
        assert!((curve[0].predicted - 0.8 / 3.0).abs() < 1e-15 && curve[0].observed == 0.0 && curve[0].n_risk == 0);
        assert!((curve[1].predicted - 2.2 / 3.0).abs() < 1e-15 && curve[1].observed == 1.0 && curve[1].n_risk == 2);
        let whole = calibration(&time, &event, &survival, 4.5, 0.95).unwrap();
        assert!((whole.observed - 0.5).abs() < 1e-15 && (whole.expected - 0.5).abs() < 1e-15 && (whole.ratio - 1.0).abs() < 1e-15);
        assert!(whole.events == 3 && !whole.beyond_follow_up);
        // The last row is censored at 6: beyond it nobody was seen.
        assert!(calibration(&time, &event, &survival, 6.5, 0.95).unwrap().beyond_follow_up);
    }

    /// The slope of a Cox model's own predictions on its own rows is 1.
    #[test]
    fn a_models_own_predictions_have_slope_one() {
        let n = 60;
        let x = Array2::from_shape_fn((n, 1), |(i, _)| ((i * 37) % 17) as f64 / 5.0);
        let time: Vec<f64> = (0..n).map(|i| ((i * 53) % 41) as f64 + 1.0 + x[(i, 0)]).collect();
        let event: Vec<bool> = (0..n).map(|i| i % 4 != 1).collect();
        let model = fit(&CoxData::new(x.view(), &time, &event), &CoxOptions::default()).unwrap();
        let survival = model.survival(x.view(), &[20.0], None, None, 0.95).unwrap().survival;
        let found = calibration(&time, &event, &survival, 20.0, 0.95).unwrap();
        assert!((found.slope.unwrap() - 1.0).abs() < 1e-9, "{found:?}");
        assert!((found.ratio - 1.0).abs() < 0.05, "{found:?}");
    }

    #[test]
    fn bad_input_is_named() {
        let run = |s: f64, at: f64| calibration(&[1.0, 2.0], &[true, false], &[0.5, s], at, 0.95).unwrap_err().to_string();
        assert!(run(1.5, 1.0).contains("probability"));
        assert!(run(0.5, 0.0).contains("positive time"));
        assert!(run(0.5, 0.5).contains("no events"));
        assert!(calibration(&[1.0, 2.0], &[true, false], &[0.5, 1.0], 1.0, 0.95).unwrap().slope.is_none());
    }
}
