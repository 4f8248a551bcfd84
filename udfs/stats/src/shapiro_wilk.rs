//! Shapiro-Wilk test of normality by Royston's approximation (AS R94, Applied Statistics 1995;44:547), as R `shapiro.test`.

use serde::{Deserialize, Serialize};

use crate::distribution::{normal_quantile, normal_sf};
use crate::error::{Result, StatsError, check_count, check_finite};
use crate::summary;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ShapiroWilk {
    pub w: f64,
    pub p: f64,
    pub n: usize,
}

/// # Errors
/// Fewer than 3 or more than 5000 values, a value that is not finite, all values equal.
pub fn shapiro_wilk(values: &[f64]) -> Result<ShapiroWilk> {
    const WHAT: &str = "shapiro_wilk";
    check_count(WHAT, "values", values.len(), 3)?;
    check_finite(WHAT, "value", values)?;
    if values.len() > 5000 {
        let expected = "at most 5000 (the approximation was made for these); look at a Q-Q plot instead";
        return Err(StatsError::OutOfRange { what: WHAT, option: "number of values", value: values.len() as f64, expected });
    }
    if summary::is_constant(values) {
        return Err(StatsError::Constant { what: WHAT, which: "value".into(), value: values[0] });
    }
    let mut x = values.to_vec();
    x.sort_by(f64::total_cmp);
    let range = x[x.len() - 1] - x[0];
    let mean = summary::mean(&x);
    let z: Vec<f64> = x.iter().map(|v| (v - mean) / range).collect();
    let a = weights(x.len());
    let squares: f64 = z.iter().map(|v| v * v).sum();
    let product: f64 = z.iter().zip(&a).map(|(z, a)| z * a).sum();
    let length = (a.iter().map(|a| a * a).sum::<f64>() * squares).sqrt();
    // 1 - W as a product of differences: W close to 1 keeps its digits.
    let complement = (length - product) * (length + product) / (length * length);
    Ok(ShapiroWilk { w: 1.0 - complement, p: tail(complement, x.len()), n: x.len() })
}

/// Weights of the order statistics: normalised Blom scores, the outermost one or two by Royston's polynomials.
fn weights(n: usize) -> Vec<f64> {
    let m = n as f64;
    let half = n / 2;
    // Scores of the upper half, largest first.
    let scores: Vec<f64> = (1..=half).map(|i| -normal_quantile((i as f64 - 0.375) / (m + 0.25))).collect();
    let squares = 2.0 * scores.iter().map(|s| s * s).sum::<f64>();
    let mut upper = vec![0.0; half];
    if n == 3 {
        upper[0] = 0.5_f64.sqrt();
    } else {
        let root = 1.0 / m.sqrt();
        let first = polynomial(&[0.0, 0.221157, -0.147981, -2.07119, 4.434685, -2.706056], root) + scores[0] / squares.sqrt();
        upper[0] = first;
        let mut left = squares - 2.0 * scores[0] * scores[0];
        let mut weight = 1.0 - 2.0 * first * first;
        let mut fixed = 1;
        if n > 5 {
            let second = polynomial(&[0.0, 0.042981, -0.293762, -1.752461, 5.682633, -3.582633], root) + scores[1] / squares.sqrt();
            upper[1] = second;
            left -= 2.0 * scores[1] * scores[1];
            weight -= 2.0 * second * second;
            fixed = 2;
        }
        let factor = (left / weight).sqrt();
        for i in fixed..half {
            upper[i] = scores[i] / factor;
        }
    }
    let mut all = vec![0.0; n];
    for (i, w) in upper.into_iter().enumerate() {
        all[i] = -w;
        all[n - 1 - i] = w;
    }
    all
}

/// p from 1 - W.
fn tail(complement: f64, n: usize) -> f64 {
    let m = n as f64;
    if n == 3 {
        // Exact: 6/π (asin √W - asin √(3/4)).
        let p = 6.0 / std::f64::consts::PI * ((1.0 - complement).sqrt().asin() - 0.75_f64.sqrt().asin());
        return p.clamp(0.0, 1.0);
    }
    let y = complement.ln();
    if n <= 11 {
        let bound = polynomial(&[-2.273, 0.459], m);
        if y >= bound {
            return 1e-99;
        }
        let mean = polynomial(&[0.544, -0.39978, 0.025054, -6.714e-4], m);
        let sd = polynomial(&[1.3822, -0.77857, 0.062767, -0.0020322], m).exp();
        normal_sf((-(bound - y).ln() - mean) / sd)
    } else {
        let log = m.ln();
        let mean = polynomial(&[-1.5861, -0.31082, -0.083751, 0.0038915], log);
        let sd = polynomial(&[-0.4803, -0.082676, 0.0030302], log).exp();
        normal_sf((y - mean) / sd)
    }
}

fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}
