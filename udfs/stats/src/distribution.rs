//! Tail probabilities and quantiles of the normal, Student, F and chi-squared distributions, good in the far tails.
//!
//! `statrs` supplies erfc and ln Γ. Its incomplete beta and gamma functions are not used: the beta stops after 140 terms of the
//! continued fraction (too few from about 20,000 degrees of freedom) and takes 1 - x by subtraction, and both form the prefactor
//! from differences of ln Γ, which loses the digits that a p of 1e-25 still has to have. Here the prefactor is Loader's saddle-point
//! form (C. Loader, Fast and accurate computation of binomial probabilities, 2000), and x and 1 - x arrive separately.

use std::f64::consts::{PI, SQRT_2};

use statrs::function::{erf, gamma};

/// P(Z > z) of the standard normal.
pub fn normal_sf(z: f64) -> f64 {
    0.5 * erf::erfc(z / SQRT_2)
}

/// P(|Z| > |z|) of the standard normal.
pub fn normal_two_sided(z: f64) -> f64 {
    erf::erfc(z.abs() / SQRT_2)
}

/// The z with P(Z <= z) = p.
pub fn normal_quantile(p: f64) -> f64 {
    -SQRT_2 * erf::erfc_inv(2.0 * p)
}

/// P(T > t) of Student's t with `df` degrees of freedom (not necessarily whole).
pub fn t_sf(t: f64, df: f64) -> f64 {
    if t.is_nan() || df.is_nan() {
        return f64::NAN;
    }
    let half = 0.5 * t_two_sided(t, df);
    if t >= 0.0 { half } else { 1.0 - half }
}

/// P(|T| > |t|) of Student's t with `df` degrees of freedom.
pub fn t_two_sided(t: f64, df: f64) -> f64 {
    if t.is_infinite() {
        return 0.0;
    }
    if df.is_infinite() {
        return normal_two_sided(t);
    }
    let square = t * t;
    let x = if square < df { 1.0 / (1.0 + square / df) } else { (df / square) / (1.0 + df / square) };
    let y = if square < df { (square / df) / (1.0 + square / df) } else { 1.0 / (1.0 + df / square) };
    beta_tails(0.5 * df, 0.5, x, y).0
}

/// The t >= 0 with P(|T| > t) = p.
pub fn t_two_sided_quantile(p: f64, df: f64) -> f64 {
    positive_root(|t| t_two_sided(t, df), p)
}

/// P(F > f) of Fisher's F with `df1` and `df2` degrees of freedom.
pub fn f_sf(f: f64, df1: f64, df2: f64) -> f64 {
    if f <= 0.0 {
        return 1.0;
    }
    if f.is_infinite() {
        return 0.0;
    }
    let ratio = df1 * f / df2;
    beta_tails(0.5 * df2, 0.5 * df1, 1.0 / (1.0 + ratio), ratio / (1.0 + ratio)).0
}

/// The f with P(F > f) = p.
pub fn f_upper_quantile(p: f64, df1: f64, df2: f64) -> f64 {
    positive_root(|f| f_sf(f, df1, df2), p)
}

/// P(X > x) of chi-squared with `df` degrees of freedom.
pub fn chi2_sf(x: f64, df: f64) -> f64 {
    if x <= 0.0 { 1.0 } else { gamma_upper(0.5 * df, 0.5 * x) }
}

/// (I_x(a, b), 1 - I_x(a, b)) of the regularised incomplete beta function, y = 1 - x given exactly.
/// Only the smaller of the two comes from the continued fraction, so that it keeps its relative accuracy.
pub fn beta_tails(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    if a.is_nan() || b.is_nan() || x.is_nan() || y.is_nan() {
        return (f64::NAN, f64::NAN);
    }
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if y <= 0.0 {
        return (1.0, 0.0);
    }
    let front = binomial_density(a, b, x, y) * (a / (a + b)) * b;
    if x * (a + b + 2.0) < a + 1.0 {
        let lower = front * beta_fraction(a, b, x, y);
        (lower, 1.0 - lower)
    } else {
        let upper = front * beta_fraction(b, a, y, x);
        (1.0 - upper, upper)
    }
}

/// The even part of the continued fraction of I_x(a, b) as Didonato & Morris write it (TOMS 708, BFRAC), by Lentz's method. It starts
/// from a y - b x instead of 1 - (a+b) x / (a+1), which cancels when x is near 1. Needs about sqrt(max(a, b)) terms.
fn beta_fraction(a: f64, b: f64, x: f64, y: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let guard = |v: f64| if v.abs() < TINY { TINY } else { v };
    let lambda = a * y - b * x;
    let mut h = guard(a / (a + 1.0) * (lambda + 1.0));
    let (mut c, mut d) = (h, 0.0);
    for n in 1..1_000_000 {
        let n = f64::from(n);
        let s = a + 2.0 * n - 1.0;
        let alpha = ((a + n - 1.0) / s) * ((a + b + n - 1.0) / s) * n * (b - n) * x * x;
        let beta = n + n * (b - n) * x / s + (a + n) / (s + 2.0) * (lambda + 1.0 + n * (1.0 + y));
        d = 1.0 / guard(beta + alpha * d);
        c = guard(beta + alpha / c);
        let step = c * d;
        h *= step;
        if (step - 1.0).abs() < 1e-16 {
            break;
        }
    }
    1.0 / h
}

/// Γ(a+b+1) / (Γ(a+1) Γ(b+1)) x^a y^b for a, b > 0, by Loader's saddle-point form.
fn binomial_density(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let n = a + b;
    let exponent = stirling_error(n) - stirling_error(a) - stirling_error(b) - deviance(a, n * x) - deviance(b, n * y);
    exponent.exp() / (2.0 * PI * a * (b / n)).sqrt()
}

/// Q(a, x), the regularised upper incomplete gamma function.
fn gamma_upper(a: f64, x: f64) -> f64 {
    if a.is_nan() || x.is_nan() {
        return f64::NAN;
    }
    // x^a e^-x / Γ(a+1)
    let density = (-stirling_error(a) - deviance(a, x)).exp() / (2.0 * PI * a).sqrt();
    if x < a + 1.0 {
        let (mut sum, mut term, mut k) = (1.0, 1.0, a);
        while term > sum * 1e-17 {
            k += 1.0;
            term *= x / k;
            sum += term;
        }
        return 1.0 - density * sum;
    }
    let mut b = x + 1.0 - a;
    let mut c = 1e300;
    let mut d = 1.0 / b;
    let mut h = d;
    for i in 1..1_000_000 {
        let i = i as f64;
        let an = -i * (i - a);
        b += 2.0;
        d = 1.0 / (an * d + b);
        c = b + an / c;
        let step = d * c;
        h *= step;
        if (step - 1.0).abs() < 1e-16 {
            break;
        }
    }
    density * a * h
}

/// ln Γ(z+1) - (z + 1/2) ln z + z - ln(2π)/2, the error of Stirling's formula.
fn stirling_error(z: f64) -> f64 {
    if z < 16.0 {
        return gamma::ln_gamma(z + 1.0) - (z + 0.5) * z.ln() + z - 0.5 * (2.0 * PI).ln();
    }
    let s = 1.0 / (z * z);
    let series = 1.0 / 12.0 - s * (1.0 / 360.0 - s * (1.0 / 1260.0 - s * (1.0 / 1680.0 - s * (1.0 / 1188.0 - s * 691.0 / 360_360.0))));
    series / z
}

/// x ln(x/m) + m - x without cancellation when x is near m.
fn deviance(x: f64, m: f64) -> f64 {
    if (x - m).abs() < 0.1 * (x + m) {
        let v = (x - m) / (x + m);
        let mut sum = (x - m) * v;
        let mut term = 2.0 * x * v;
        for j in 1..1000 {
            term *= v * v;
            let next = sum + term / (2 * j + 1) as f64;
            if next == sum {
                break;
            }
            sum = next;
        }
        return sum;
    }
    x * (x / m).ln() + m - x
}

/// The u > 0 where the decreasing function `tail` equals p: bisection on ln u after doubling out a bracket, so that the
/// answer is as good as `tail` at any scale.
fn positive_root(tail: impl Fn(f64) -> f64, p: f64) -> f64 {
    if !(p > 0.0 && p < 1.0) {
        return if p == 0.0 {
            f64::INFINITY
        } else if p == 1.0 {
            0.0
        } else {
            f64::NAN
        };
    }
    let (mut low, mut high) = (1.0_f64, 1.0_f64);
    while tail(low) < p && low > 1e-300 {
        low *= 0.5;
    }
    while tail(high) > p && high < 1e300 {
        high *= 2.0;
    }
    let (mut low, mut high) = (low.ln(), high.ln());
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if tail(middle.exp()) > p { low = middle } else { high = middle }
    }
    (0.5 * (low + high)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, want: f64, tolerance: f64) {
        assert!((got - want).abs() <= tolerance * want.abs(), "{got:e} != {want:e}");
    }

    #[test]
    fn tails_are_inverses_and_complements() {
        for df in [1.0, 2.5, 13.0, 200.7, 1e6] {
            for p in [1e-12, 1e-3, 0.05, 0.5, 0.99] {
                close(t_two_sided(t_two_sided_quantile(p, df), df), p, 1e-11);
                close(f_sf(f_upper_quantile(p, df, 7.0), df, 7.0), p, 1e-11);
            }
        }
        // Student with 1 degree of freedom is Cauchy; F(2, 2) and chi-squared(2) have closed tails.
        close(t_sf(3.0, 1.0), 0.5 - 3.0_f64.atan() / PI, 1e-13);
        close(f_sf(5.0, 2.0, 2.0), 1.0 / 6.0, 1e-14);
        close(chi2_sf(700.0, 2.0), (-350.0_f64).exp(), 1e-13);
        close(t_sf(1.0, f64::INFINITY), normal_sf(1.0), 1e-15);
    }
}
