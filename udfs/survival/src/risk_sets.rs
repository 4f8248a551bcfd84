//! The order in which a partial likelihood visits its rows.

use std::ops::Range;

use crate::error::SurvivalError;
use crate::outcome::{Outcome, check_finite, check_rows};

/// Rows by stratum (ascending code), then by descending time, events before censorings at equal times. A walk from the first
/// position of a stratum to its last lets the rows enter the risk set; the way back lets the hazard accumulate.
pub(crate) struct RiskSets {
    /// The input row at each position.
    pub row: Vec<u32>,
    pub event: Vec<bool>,
    pub weight: Vec<f64>,
    pub offset: Vec<f64>,
    pub strata: Vec<Stratum>,
    pub blocks: Vec<Block>,
    pub events: usize,
}

/// Its blocks stand in descending time.
pub(crate) struct Stratum {
    pub code: u32,
    pub blocks: Range<usize>,
    pub rows: Range<usize>,
}

/// The rows of one stratum at one time: the first `events` of them are events.
pub(crate) struct Block {
    pub time: f64,
    pub rows: Range<usize>,
    pub events: usize,
    /// Sum of the weights of the events.
    pub event_weight: f64,
}

/// Blocks of one stratum whose risks are powers of e from one shift, so that no sum over a risk set is lost beside a larger risk
/// that has left it. Nearly always a whole stratum.
#[derive(Clone)]
pub(crate) struct Span {
    /// Which of the strata.
    pub stratum: usize,
    pub blocks: Range<usize>,
    pub rows: Range<usize>,
    /// What is subtracted from the linear predictor: its largest value so far in the stratum, once all of the span are in.
    pub shift: f64,
    /// What a sum of risks is multiplied by as it comes from the span before: 0 where a stratum begins. The hazard takes it on the
    /// way back.
    pub carry: f64,
}

/// Within a span, the largest value at risk grows by less than this; e^-745 is 0.
const REACH: f64 = 200.0;

impl Block {
    pub fn event_rows(&self) -> Range<usize> {
        self.rows.start..self.rows.start + self.events
    }
}

impl RiskSets {
    /// # Errors
    /// Those of [`Outcome::new`], lengths that differ, weights that are not positive, an offset that is not finite, fewer
    /// than 2 rows, no events.
    pub fn new(
        time: &[f64],
        event: &[bool],
        weights: Option<&[f64]>,
        strata: Option<&[u32]>,
        offset: Option<&[f64]>,
    ) -> Result<Self, SurvivalError> {
        let outcome = Outcome::new(time, event)?;
        let n = time.len();
        if n < 2 {
            return Err(SurvivalError::TooFewRows { rows: n, needed: 2 });
        }
        if outcome.events() == 0 {
            return Err(SurvivalError::NoEvents { rows: n });
        }
        if let Some(weights) = weights {
            check_rows("weights", n, weights.len())?;
            check_finite("weight", weights)?;
            if let Some(row) = weights.iter().position(|&w| w <= 0.0) {
                let weight = weights[row];
                return Err(if weight == 0.0 { SurvivalError::ZeroWeight { row } } else { SurvivalError::NegativeWeight { row, weight } });
            }
        }
        if let Some(offset) = offset {
            check_rows("offset", n, offset.len())?;
            check_finite("offset", offset)?;
        }
        if let Some(strata) = strata {
            check_rows("strata", n, strata.len())?;
        }
        let code = |row: u32| strata.map_or(0, |s| s[row as usize]);

        // Each row with its time's number.
        let mut visits: Vec<(u32, u32)> = Vec::with_capacity(n);
        for block in (0..outcome.distinct_times().len()).rev() {
            let positions = outcome.block(block);
            let (rows, is_event) = (&outcome.order()[positions.clone()], &outcome.event()[positions]);
            for first in [true, false] {
                visits.extend(rows.iter().zip(is_event).filter(|&(_, &event)| event == first).map(|(&row, _)| (row, block as u32)));
            }
        }
        if strata.is_some() {
            visits.sort_by_key(|&(row, _)| code(row));
        }
        let row: Vec<u32> = visits.iter().map(|&(row, _)| row).collect();

        let take =
            |values: Option<&[f64]>, default: f64| -> Vec<f64> { row.iter().map(|&r| values.map_or(default, |v| v[r as usize])).collect() };
        let (weight, offset) = (take(weights, 1.0), take(offset, 0.0));
        let event: Vec<bool> = row.iter().map(|&r| event[r as usize]).collect();
        let (mut found, mut blocks): (Vec<Stratum>, Vec<Block>) = (Vec::new(), Vec::new());
        let mut start = 0;
        while start < n {
            let (first, block) = visits[start];
            let same = |&(row, other): &(u32, u32)| other == block && code(row) == code(first);
            let end = start + visits[start..].iter().take_while(|visit| same(visit)).count();
            let events = event[start..end].iter().filter(|&&e| e).count();
            let time = outcome.distinct_times()[block as usize];
            if found.last().is_none_or(|s| s.code != code(first)) {
                found.push(Stratum { code: code(first), blocks: blocks.len()..blocks.len(), rows: start..start });
            }
            let event_weight = weight[start..start + events].iter().sum();
            blocks.push(Block { time, rows: start..end, events, event_weight });
            if let Some(stratum) = found.last_mut() {
                stratum.blocks.end = blocks.len();
                stratum.rows.end = end;
            }
            start = end;
        }
        Ok(Self { event, weight, offset, strata: found, blocks, events: outcome.events(), row })
    }

    pub fn len(&self) -> usize {
        self.row.len()
    }

    /// Cuts the strata for a linear predictor (by position).
    pub fn spans(&self, eta: &[f64]) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::with_capacity(self.strata.len());
        for (which, stratum) in self.strata.iter().enumerate() {
            let before = spans.len();
            let (mut start, mut top) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
            for b in stratum.blocks.clone() {
                let rows = self.blocks[b].rows.clone();
                top = eta[rows.clone()].iter().copied().fold(top, f64::max);
                match spans[before..].last_mut() {
                    Some(span) if top - start < REACH => {
                        (span.blocks.end, span.rows.end, span.shift) = (b + 1, rows.end, top);
                    }
                    _ => {
                        start = top;
                        spans.push(Span { stratum: which, blocks: b..b + 1, rows, shift: top, carry: 0.0 });
                    }
                }
            }
            for i in before + 1..spans.len() {
                spans[i].carry = (spans[i - 1].shift - spans[i].shift).exp();
            }
        }
        spans
    }

    /// `values` (by input row) in the order of the positions.
    pub fn arrange(&self, values: impl Fn(usize) -> f64) -> Vec<f64> {
        self.row.iter().map(|&r| values(r as usize)).collect()
    }

    /// `values` (by position) in the order of the input rows.
    pub fn restore(&self, values: &[f64]) -> Vec<f64> {
        let mut restored = vec![0.0; values.len()];
        for (&row, &value) in self.row.iter().zip(values) {
            restored[row as usize] = value;
        }
        restored
    }
}
