//! Where an axis has its ticks.

use crate::number::fixed;

/// Ticks with one label each.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticks {
    pub places: Vec<f64>,
    pub labels: Vec<String>,
}

/// Months and weeks are read in halves and whole years.
const MONTHS: [f64; 11] = [1.0, 2.0, 3.0, 6.0, 12.0, 24.0, 36.0, 48.0, 60.0, 120.0, 240.0];
const WEEKS: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 13.0, 26.0, 52.0, 104.0];
const DAYS: [f64; 11] = [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 90.0, 180.0, 365.0, 730.0];

/// Ticks every 1, 2 or 5 times a power of ten inside `from..=to`, about `count` of them and at least three: one alone tells no
/// distance.
pub fn linear(from: f64, to: f64, count: usize) -> Ticks {
    let ticks = |count: usize| every(step(to - from, count), from, to);
    (count..count + 8).map(ticks).find(|ticks| ticks.places.len() >= 3).unwrap_or_else(|| ticks(count))
}

/// Ticks of a follow-up from 0, in steps that suit the unit.
pub fn time(to: f64, unit: Option<&str>, count: usize) -> Ticks {
    let steps: &[f64] = match unit.map(|unit| unit.trim_end_matches('s')) {
        Some("month") => &MONTHS,
        Some("week") => &WEEKS,
        Some("day") => &DAYS,
        _ => &[],
    };
    let fits = |step: &&f64| to / **step <= count.max(1) as f64 && to / **step >= 1.0;
    every(steps.iter().find(fits).copied().unwrap_or_else(|| step(to, count)), 0.0, to)
}

/// Ticks at the multiples of `step`.
pub fn every(step: f64, from: f64, to: f64) -> Ticks {
    let slack = 1e-9;
    let (first, last) = ((from / step - slack).ceil() as i64, (to / step + slack).floor() as i64);
    let decimals = (0..10).find(|&d| ((step * 10f64.powi(d)).round() / 10f64.powi(d) - step).abs() < step * 1e-6).unwrap_or(10);
    let places: Vec<f64> = (first..=last).map(|k| k as f64 * step).collect();
    let labels = places.iter().map(|&place| fixed(place, decimals as usize)).collect();
    Ticks { places, labels }
}

/// The round step that gives at most `count` intervals.
pub fn step(span: f64, count: usize) -> f64 {
    let rough = span / count.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough * (1.0 - 1e-9)).unwrap_or(10.0);
    factor * power
}

/// The range with a margin, and never empty.
pub fn widen(low: f64, high: f64, margin: f64) -> (f64, f64) {
    if high > low {
        (low - (high - low) * margin, high + (high - low) * margin)
    } else {
        let room = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
        (low - room, low + room)
    }
}

/// Ticks of a ratio's logarithmic axis: 1, 2, 5 times powers of ten, thinned to powers (and their halves) where they crowd.
pub fn ratio(from: f64, to: f64, count: usize) -> Ticks {
    let candidates = |factors: &[f64], powers: usize| -> Vec<f64> {
        (-12i32..=12)
            .step_by(powers)
            .flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powi(power)))
            .filter(|&place| place >= from * (1.0 - 1e-9) && place <= to * (1.0 + 1e-9))
            .collect()
    };
    let sets = [(&[1.0, 1.5, 2.0, 3.0, 5.0, 7.0][..], 1), (&[1.0, 2.0, 5.0], 1), (&[1.0, 3.0], 1), (&[1.0], 1), (&[1.0], 2), (&[1.0], 4)];
    let places = sets.into_iter().map(|(factors, powers)| candidates(factors, powers)).find(|places| places.len() <= count.max(2));
    let places = places.unwrap_or_else(|| vec![1.0]);
    let labels = places.iter().map(|&place| crate::number::short(place)).collect();
    Ticks { places, labels }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_labels_have_the_steps_decimals() {
        assert_eq!(linear(0.0, 1.0, 5).labels, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(linear(-0.26, 0.31, 4).labels, ["\u{2212}0.2", "0.0", "0.2"]);
        assert_eq!(linear(-4.2, 4.1, 4).labels, ["\u{2212}4", "\u{2212}2", "0", "2", "4"]);
        assert_eq!(time(61.0, Some("months"), 7).labels, ["0", "12", "24", "36", "48", "60"]);
        assert_eq!(time(5.0, None, 6).labels, ["0", "1", "2", "3", "4", "5"]);
        assert_eq!(ratio(0.4, 6.0, 6).labels, ["0.5", "1", "2", "5"]);
    }
}
