//! Laplacian of Gaussian by Deriche's recursive filters, as ITK's `LaplacianRecursiveGaussianImageFilter`.
//!
//! Along each axis: the second derivative of a Gaussian on that axis, smoothing on the others, times
//! (sigma / spacing)^2. Lines are filtered in float64; what lies between two passes is rounded to float32, and so is the
//! running sum over the axes: ITK's bits, which decide on bin edges. Deriche, INRIA RR-1893 (1993).

use ndarray::{Array3, s};

use super::Box3;
use crate::Settings;
use crate::prepare::Frame;

/// Voxels per sigma (in voxels) after which the slowest pole, exp(-1.3732 / sigma), is below 1e-13, far below the float32 of the result.
const REACH: f64 = 22.0;

/// PyRadiomics' name of the image.
pub(crate) fn name(sigma: f64, settings: &Settings) -> String {
    let text = if settings.sigma_without_point.contains(&sigma) { format!("{sigma}") } else { format!("{sigma:?}") };
    format!("log-sigma-{}-mm-3D", text.replace('.', "-"))
}

/// Whether the image is large enough for `sigma` mm; PyRadiomics leaves out those that are not.
pub(crate) fn fits(dim: [usize; 3], spacing: [f64; 3], sigma: f64) -> bool {
    dim.iter().zip(spacing).all(|(&n, s)| n >= 4 && n as f64 >= (sigma / s).ceil() + 1.0)
}

/// Laplacian of Gaussian of the voxels of `area`. `spacing` and `sigma` in mm; arrays and `spacing` are z, y, x.
pub(crate) fn log(frame: &Frame<'_>, area: Box3, spacing: [f64; 3], sigma: f64) -> Array3<f64> {
    let dim = frame.dim();
    let margin = std::array::from_fn(|a| (REACH * sigma / spacing[a]).ceil() as usize + 4);
    let part = area.grown(margin, dim);
    let input = frame.region(part.lower, part.upper);
    let mut sum = Array3::<f32>::zeros(input.raw_dim());
    let axes = [2, 1, 0];
    for axis in axes {
        let second = Recursive::second_derivative(sigma, spacing[axis]);
        let mut image = pass(&input, axis, &second);
        for other in axes.into_iter().filter(|o| *o != axis) {
            image = pass(&image, other, &Recursive::smooth(sigma, spacing[other]));
        }
        let scale = 1.0 / (spacing[axis] * spacing[axis]);
        sum.zip_mut_with(&image, |total, v| *total = (f64::from(*total) + f64::from(*v) * scale) as f32);
    }
    let from: [usize; 3] = std::array::from_fn(|a| area.lower[a] - part.lower[a]);
    let to: [usize; 3] = std::array::from_fn(|a| area.upper[a] - part.lower[a]);
    sum.slice(s![from[0]..to[0], from[1]..to[1], from[2]..to[2]]).mapv(f64::from)
}

/// One line filter along `axis`, in float64, rounded to float32.
fn pass<T: Copy + Into<f64>>(input: &Array3<T>, axis: usize, filter: &Recursive) -> Array3<f32> {
    let mut out = Array3::zeros(input.raw_dim());
    let (mut data, mut causal, mut anticausal) = (Vec::new(), Vec::new(), Vec::new());
    let lines = input.lanes(ndarray::Axis(axis));
    for (line, mut target) in lines.into_iter().zip(out.lanes_mut(ndarray::Axis(axis))) {
        data.clear();
        data.extend(line.iter().map(|v| (*v).into()));
        filter.line(&data, &mut causal, &mut anticausal);
        for ((t, c), a) in target.iter_mut().zip(&causal).zip(&anticausal) {
            *t = (c + a) as f32;
        }
    }
    out
}

/// Coefficients of a fourth-order recursive filter: a causal and an anticausal half.
#[derive(Debug, Clone, Default)]
struct Recursive {
    /// Causal numerator.
    n: [f64; 4],
    /// Anticausal numerator.
    m: [f64; 4],
    /// Denominator of both.
    d: [f64; 4],
    /// Past of the border's value, causal and anticausal.
    bn: [f64; 4],
    bm: [f64; 4],
}

/// Frequencies and decays of the two complex pairs.
const W: [f64; 2] = [0.6681, 2.0787];
const L: [f64; 2] = [-1.3932, -1.3732];

/// Trigonometry of the two pairs at one width in voxels.
struct Poles {
    sin: [f64; 2],
    cos: [f64; 2],
    exp: [f64; 2],
}

/// Numerator with its zeroth, first and second moment sums.
#[derive(Clone, Copy)]
struct Numerator {
    n: [f64; 4],
    sn: f64,
    dn: f64,
    en: f64,
}

impl Poles {
    fn new(sigma: f64) -> Poles {
        Poles { sin: W.map(|w| (w / sigma).sin()), cos: W.map(|w| (w / sigma).cos()), exp: L.map(|l| (l / sigma).exp()) }
    }

    /// Numerator for amplitudes `a` and `b` of the cosine and sine terms of both pairs.
    fn numerator(&self, a: [f64; 2], b: [f64; 2]) -> Numerator {
        let Poles { sin: [sin1, sin2], cos: [cos1, cos2], exp: [exp1, exp2] } = *self;
        let ([a1, a2], [b1, b2]) = (a, b);
        let n0 = a1 + a2;
        let mut n1 = exp2 * (b2 * sin2 - (a2 + 2.0 * a1) * cos2);
        n1 += exp1 * (b1 * sin1 - (a1 + 2.0 * a2) * cos1);
        let mut n2 = (a1 + a2) * cos2 * cos1;
        n2 -= b1 * cos2 * sin1 + b2 * cos1 * sin2;
        n2 *= 2.0 * exp1 * exp2;
        n2 += a2 * exp1 * exp1 + a1 * exp2 * exp2;
        let mut n3 = exp2 * exp1 * exp1 * (b2 * sin2 - a2 * cos2);
        n3 += exp1 * exp2 * exp2 * (b1 * sin1 - a1 * cos1);
        Numerator { n: [n0, n1, n2, n3], sn: n0 + n1 + n2 + n3, dn: n1 + 2.0 * n2 + 3.0 * n3, en: n1 + 4.0 * n2 + 9.0 * n3 }
    }

    fn denominator(&self) -> [f64; 4] {
        let Poles { cos: [cos1, cos2], exp: [exp1, exp2], .. } = *self;
        let d4 = exp1 * exp1 * exp2 * exp2;
        let mut d3 = -2.0 * cos1 * exp1 * exp2 * exp2;
        d3 += -2.0 * cos2 * exp2 * exp1 * exp1;
        let mut d2 = 4.0 * cos2 * cos1 * exp1 * exp2;
        d2 += exp1 * exp1 + exp2 * exp2;
        let d1 = -2.0 * (exp2 * cos2 + exp1 * cos1);
        [d1, d2, d3, d4]
    }
}

/// Amplitudes of the Gaussian and of its second derivative.
const A0: [f64; 2] = [1.3530, -0.3531];
const B0: [f64; 2] = [1.8151, 0.0902];
const A2: [f64; 2] = [-1.3563, 0.3446];
const B2: [f64; 2] = [5.2318, -2.2355];

impl Recursive {
    /// Gaussian of unit sum.
    fn smooth(sigma: f64, spacing: f64) -> Recursive {
        let poles = Poles::new(sigma / spacing);
        let d = poles.denominator();
        let zero = poles.numerator(A0, B0);
        let sd = 1.0 + d[0] + d[1] + d[2] + d[3];
        let alpha = 2.0 * zero.sn / sd - zero.n[0];
        Recursive::symmetric(zero.n.map(|n| n * (1.0 / alpha)), d)
    }

    /// Second derivative of a Gaussian, per voxel^2, times sigma^2 in mm2: zero sum, unit second moment.
    fn second_derivative(sigma: f64, spacing: f64) -> Recursive {
        let poles = Poles::new(sigma / spacing);
        let d = poles.denominator();
        let sd = 1.0 + d[0] + d[1] + d[2] + d[3];
        let dd = d[0] + 2.0 * d[1] + 3.0 * d[2] + 4.0 * d[3];
        let ed = d[0] + 4.0 * d[1] + 9.0 * d[2] + 16.0 * d[3];
        let (zero, two) = (poles.numerator(A0, B0), poles.numerator(A2, B2));
        let beta = -(2.0 * two.sn - sd * two.n[0]) / (2.0 * zero.sn - sd * zero.n[0]);
        let n: [f64; 4] = std::array::from_fn(|i| two.n[i] + beta * zero.n[i]);
        let (sn, dn, en) = (two.sn + beta * zero.sn, two.dn + beta * zero.dn, two.en + beta * zero.en);
        let mut alpha = en * sd * sd - ed * sn * sd - 2.0 * dn * dd * sd + 2.0 * dd * dd * sn;
        alpha /= sd * sd * sd;
        Recursive::symmetric(n.map(|n| n * (sigma * sigma / alpha)), d)
    }

    /// Both halves of a symmetric kernel, and the state that an endless border leaves.
    fn symmetric(n: [f64; 4], d: [f64; 4]) -> Recursive {
        let m = [n[1] - d[0] * n[0], n[2] - d[1] * n[0], n[3] - d[2] * n[0], -d[3] * n[0]];
        let sn = n[0] + n[1] + n[2] + n[3];
        let sm = m[0] + m[1] + m[2] + m[3];
        let sd = 1.0 + d[0] + d[1] + d[2] + d[3];
        Recursive { n, m, d, bn: d.map(|d| d * sn / sd), bm: d.map(|d| d * sm / sd) }
    }

    /// Filters a line of at least one voxel whose ends continue for ever: the result is `causal + anticausal`.
    fn line(&self, data: &[f64], causal: &mut Vec<f64>, anticausal: &mut Vec<f64>) {
        let count = data.len();
        let (first, last) = (data[0], data[count - 1]);
        let weigh = |v: [f64; 4], w: [f64; 4]| v[0] * w[0] + v[1] * w[1] + v[2] * w[2] + v[3] * w[3];
        causal.clear();
        causal.resize(count, 0.0);
        for i in 0..count {
            let x = |k: usize| if i >= k { data[i - k] } else { first };
            let mut value = weigh([x(0), x(1), x(2), x(3)], self.n);
            // Beyond the border stands the response to a constant: the border's value times `bn`.
            let past: [f64; 4] = std::array::from_fn(|k| if i > k { causal[i - k - 1] } else { first });
            let weights = std::array::from_fn(|k| if i > k { self.d[k] } else { self.bn[k] });
            value -= weigh(past, weights);
            causal[i] = value;
        }
        anticausal.clear();
        anticausal.resize(count, 0.0);
        for i in (0..count).rev() {
            let x = |k: usize| if i + k < count { data[i + k] } else { last };
            let mut value = weigh([x(1), x(2), x(3), x(4)], self.m);
            let past: [f64; 4] = std::array::from_fn(|k| if i + k + 1 < count { anticausal[i + k + 1] } else { last });
            let weights = std::array::from_fn(|k| if i + k + 1 < count { self.d[k] } else { self.bm[k] });
            value -= weigh(past, weights);
            anticausal[i] = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_has_no_laplacian_and_smoothing_keeps_it() {
        let flat = Array3::from_elem((12, 12, 12), 100.0);
        let area = Box3 { lower: [3; 3], upper: [9; 3] };
        let found = log(&Frame::Array(flat.clone()), area, [1.0, 2.0, 0.5], 2.0);
        assert!(found.iter().all(|v| v.abs() < 1e-3), "{found:?}");
        let smooth = pass(&flat, 0, &Recursive::smooth(2.0, 1.0));
        assert!(smooth.iter().all(|v| (v - 100.0).abs() < 1e-4));
    }

    #[test]
    fn a_parabola_has_a_constant_laplacian() {
        let parabola = Array3::from_shape_fn((41, 41, 41), |(_, _, x)| (x as f64 - 20.0).powi(2));
        let area = Box3 { lower: [20; 3], upper: [21; 3] };
        // Second derivative 2, times sigma^2.
        let found = log(&Frame::Array(parabola), area, [1.0; 3], 2.0)[[0, 0, 0]];
        assert!((found - 8.0).abs() < 1e-2, "{found}");
    }

    #[test]
    fn names_and_sizes() {
        let settings = Settings { sigma_without_point: vec![3.0], ..Settings::default() };
        assert_eq!([1.0, 2.5, 3.0].map(|s| name(s, &settings)), ["1-0", "2-5", "3"].map(|s| format!("log-sigma-{s}-mm-3D")));
        assert!(fits([4, 5, 6], [1.0; 3], 3.0));
        assert!(!fits([4, 5, 6], [1.0; 3], 3.5));
        assert!(!fits([3, 5, 6], [1.0; 3], 1.0));
    }
}
