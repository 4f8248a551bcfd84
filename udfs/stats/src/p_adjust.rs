//! Adjustment of p values for many tests, as R `p.adjust`.

use serde::{Deserialize, Serialize};

use crate::error::{Result, StatsError};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PAdjust {
    /// False discovery rate (1995).
    #[default]
    BenjaminiHochberg,
    Holm,
    Bonferroni,
}

/// Adjusted p values in the order of the input.
///
/// # Errors
/// A value that is no probability.
pub fn p_adjust(p: &[f64], method: PAdjust) -> Result<Vec<f64>> {
    if let Some(&value) = p.iter().find(|v| !(0.0..=1.0).contains(*v)) {
        return Err(StatsError::OutOfRange { what: "p_adjust", option: "p", value, expected: "a probability from 0 to 1" });
    }
    let n = p.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![0.0; n];
    match method {
        PAdjust::Bonferroni => adjusted.iter_mut().zip(p).for_each(|(a, v)| *a = (v * n as f64).min(1.0)),
        PAdjust::Holm => {
            let mut running: f64 = 0.0;
            for (rank, &i) in order.iter().enumerate() {
                running = running.max((n - rank) as f64 * p[i]).min(1.0);
                adjusted[i] = running;
            }
        }
        PAdjust::BenjaminiHochberg => {
            let mut running: f64 = 1.0;
            for (rank, &i) in order.iter().enumerate().rev() {
                running = running.min(n as f64 / (rank + 1) as f64 * p[i]);
                adjusted[i] = running;
            }
        }
    }
    Ok(adjusted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let p = [0.04, 0.01, 0.02, 0.9];
        let close = |method, want: [f64; 4]| {
            for (g, w) in p_adjust(&p, method).unwrap().into_iter().zip(want) {
                assert!((g - w).abs() < 1e-15, "{method:?}: {g} {w}");
            }
        };
        close(PAdjust::Bonferroni, [0.16, 0.04, 0.08, 1.0]);
        close(PAdjust::Holm, [0.08, 0.04, 0.06, 0.9]);
        close(PAdjust::BenjaminiHochberg, [0.16 / 3.0, 0.04, 0.04, 0.9]);
        assert!(p_adjust(&[1.2], PAdjust::Holm).is_err() && p_adjust(&[f64::NAN], PAdjust::Holm).is_err());
        assert!(p_adjust(&[], PAdjust::Holm).unwrap().is_empty());
    }
}
