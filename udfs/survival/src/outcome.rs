//! The right-censored outcome that every kernel here starts from: checked once, ordered by time once.

use crate::ascending::ascending;
use crate::error::SurvivalError;

/// Follow-up times and event indicators, checked, with rows ordered by time and equal times grouped in blocks.
///
/// Times that differ by rounding only (an absolute or relative gap of at most sqrt(machine epsilon), the rule of R
/// `survival::aeqSurv`) are one time: 0.1 + 0.2 and 0.3 tie. The first time of such a run stands for all of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Rows of the input, by ascending time; rows of equal time keep their input order.
    order: Vec<u32>,
    /// `event` in that order.
    event: Vec<bool>,
    /// The distinct times, ascending.
    distinct: Vec<f64>,
    /// Block `b` holds the positions `starts[b]..starts[b + 1]` of the order.
    starts: Vec<u32>,
}

impl Outcome {
    /// # Errors
    /// Empty input, lengths that differ, more than 2^32 - 2 rows, and times that are negative or not finite.
    pub fn new(time: &[f64], event: &[bool]) -> Result<Self, SurvivalError> {
        check_rows("event", time.len(), event.len())?;
        if time.is_empty() {
            return Err(SurvivalError::Empty);
        }
        if time.len() >= u32::MAX as usize {
            return Err(SurvivalError::TooManyRows { rows: time.len() });
        }
        for (row, &t) in time.iter().enumerate() {
            if !t.is_finite() {
                return Err(SurvivalError::NotFinite { what: "time".into(), row, value: t });
            }
            if t < 0.0 {
                return Err(SurvivalError::NegativeTime { row, time: t });
            }
        }
        let sorted = ascending(time.iter().copied());
        let tolerance = f64::EPSILON.sqrt();
        let scale = time.iter().sum::<f64>() / time.len() as f64;
        let (mut distinct, mut starts) = (Vec::new(), Vec::new());
        let mut previous = f64::NEG_INFINITY;
        for (position, &(t, _)) in sorted.iter().enumerate() {
            let gap = t - previous;
            if gap > tolerance && gap > tolerance * scale {
                distinct.push(t);
                starts.push(position as u32);
            }
            previous = t;
        }
        starts.push(time.len() as u32);
        let order: Vec<u32> = sorted.into_iter().map(|(_, row)| row).collect();
        let event = order.iter().map(|&row| event[row as usize]).collect();
        Ok(Self { order, event, distinct, starts })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Always false: an outcome has at least one row.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Number of events.
    pub fn events(&self) -> usize {
        self.event.iter().filter(|&&e| e).count()
    }

    /// The input rows by ascending time.
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// Event indicators by ascending time.
    pub fn event(&self) -> &[bool] {
        &self.event
    }

    /// The distinct times, ascending.
    pub fn distinct_times(&self) -> &[f64] {
        &self.distinct
    }

    /// The positions (in [`Outcome::order`]) of the rows at distinct time `block`.
    pub fn block(&self, block: usize) -> std::ops::Range<usize> {
        self.starts[block] as usize..self.starts[block + 1] as usize
    }

    /// `values` (one per input row) by ascending time.
    pub fn arrange<T: Copy>(&self, values: &[T]) -> Vec<T> {
        self.order.iter().map(|&row| values[row as usize]).collect()
    }

    /// Rows at risk, events and censorings at each distinct time, each row counting its `weight` (by ascending time;
    /// 1 when absent).
    pub(crate) fn table(&self, weights: Option<&[f64]>) -> Vec<RiskRow> {
        let weight = |position: usize| weights.map_or(1.0, |w| w[position]);
        let mut at_risk = 0.0;
        let mut table: Vec<RiskRow> = (0..self.distinct.len())
            .rev()
            .map(|block| {
                let (mut events, mut censored) = (0.0, 0.0);
                for position in self.block(block) {
                    if self.event[position] { events += weight(position) } else { censored += weight(position) }
                }
                at_risk += events + censored;
                RiskRow { time: self.distinct[block], at_risk, events, censored }
            })
            .collect();
        table.reverse();
        table
    }
}

/// One distinct time of the risk table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RiskRow {
    pub time: f64,
    pub at_risk: f64,
    pub events: f64,
    pub censored: f64,
}

/// `found` must equal `expected` rows.
pub(crate) fn check_rows(what: &str, expected: usize, found: usize) -> Result<(), SurvivalError> {
    if expected == found { Ok(()) } else { Err(SurvivalError::LengthMismatch { what: what.into(), expected, found }) }
}

/// Every value must be finite.
pub(crate) fn check_finite(what: &str, values: &[f64]) -> Result<(), SurvivalError> {
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(row) => Err(SurvivalError::NotFinite { what: what.into(), row, value: values[row] }),
    }
}

/// The step function with `values[k]` from `times[k]` on and `before` before the first time, at `t`.
pub(crate) fn step_at(times: &[f64], values: &[f64], before: f64, t: f64) -> f64 {
    match times.partition_point(|&u| u <= t) {
        0 => before,
        k => values[k - 1],
    }
}

/// The same step function just before `t`.
pub(crate) fn step_before(times: &[f64], values: &[f64], before: f64, t: f64) -> f64 {
    match times.partition_point(|&u| u < t) {
        0 => before,
        k => values[k - 1],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_does_not_split_a_time() {
        let outcome = Outcome::new(&[0.1 + 0.2, 0.3, 0.5], &[true, false, true]).unwrap();
        assert_eq!(outcome.distinct_times().len(), 2);
        assert_eq!(outcome.block(0), 0..2);
    }

    #[test]
    fn bad_times_are_named() {
        let message = |t: &[f64], e: &[bool]| Outcome::new(t, e).unwrap_err().to_string();
        assert!(message(&[], &[]).contains("no rows"));
        assert!(message(&[1.0, -2.0], &[true, true]).contains("time is -2"));
        assert!(message(&[1.0, f64::NAN], &[true, true]).contains("time is NaN"));
        assert!(message(&[1.0], &[true, false]).contains("event"));
    }
}
