//! Tails and quantiles of the distributions that tests refer to.

use statrs::function::beta::beta_reg;
use statrs::function::erf::erfc_inv;
use statrs::function::gamma::gamma_ur;
use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

/// The complementary error function to about 1e-15 relative: a series of positive terms below 1, the continued fraction of
/// Laplace above (Abramowitz & Stegun 7.1.6 and 7.1.14).
fn erfc(x: f64) -> f64 {
    if x < 0.0 {
        return 2.0 - erfc(-x);
    }
    let gauss = (-x * x).exp() / PI.sqrt();
    if x < 1.0 {
        let (mut term, mut sum, mut n) = (x, x, 1.0);
        while term > sum * 1e-17 {
            term *= 2.0 * x * x / (2.0 * n + 1.0);
            sum += term;
            n += 1.0;
        }
        return 1.0 - 2.0 * gauss * sum;
    }
    // Its remainder after k terms falls as exp(-2 x sqrt(2 k)).
    let terms = (200.0 / (x * x)) as u32 + 8;
    let fraction = (1..=terms).rev().fold(x, |below, k| x + f64::from(k) / 2.0 / below);
    gauss / fraction
}

/// P(Z > z) of a standard normal, accurate far into the tail.
pub(crate) fn normal_upper(z: f64) -> f64 {
    0.5 * erfc(z * FRAC_1_SQRT_2)
}

/// P(|Z| > |z|).
pub(crate) fn normal_two_sided(z: f64) -> f64 {
    erfc(z.abs() * FRAC_1_SQRT_2)
}

/// z with P(Z <= z) = p, for p in (0, 1).
pub(crate) fn normal_quantile(p: f64) -> f64 {
    let z = -SQRT_2 * erfc_inv(2.0 * p);
    // One Newton step takes the approximation to full precision.
    let density = (-0.5 * z * z).exp() / (2.0 * PI).sqrt();
    if density > 0.0 { z + (normal_upper(z) - (1.0 - p)) / density } else { z }
}

/// P(X > x) of a chi-square with `df` degrees of freedom.
pub(crate) fn chi_square_tail(x: f64, df: f64) -> f64 {
    if !x.is_finite() {
        // An infinite statistic leaves no tail, one that is not a number has none.
        if x > 0.0 { 0.0 } else { f64::NAN }
    } else if x <= 0.0 {
        1.0
    } else if df == 1.0 {
        erfc((x / 2.0).sqrt())
    } else {
        gamma_ur(df / 2.0, x / 2.0)
    }
}

/// P(T > t) of a Student t with `df` degrees of freedom.
pub(crate) fn student_upper(t: f64, df: f64) -> f64 {
    let half = 0.5 * beta_reg(df / 2.0, 0.5, df / (df + t * t));
    if t >= 0.0 { half } else { 1.0 - half }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of R: qnorm(0.975), pnorm(-10), pchisq(30, 3, lower = FALSE), pt(-3, 10).
    #[test]
    fn values_of_r() {
        let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-13, "{a} {b}");
        close(normal_quantile(0.975), 1.959963984540054);
        close(normal_upper(10.0), 7.619853024160527e-24);
        close(normal_two_sided(-10.0), 2.0 * 7.619853024160527e-24);
        close(chi_square_tail(30.0, 3.0), 1.3800570312932553e-6);
        close(student_upper(3.0, 10.0), 0.006671827511284765);
    }
}
