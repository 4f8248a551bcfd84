//! Simoncelli's non-separable wavelet (Portilla & Simoncelli, Int J Comput Vis 2000;40:49; IBSI-2 manual, section 3.6).
//!
//! In frequencies relative to Nyquist's, level j passes cos(pi/2 log2(2 |f| 2^(j-1))) for 1/4 <= |f| 2^(j-1) <= 1. The
//! samples of an axis, ordered by frequency, stand for -1 to 1 at equal steps, ends included: for an even number of samples
//! this is a step of n - 1 where the transform has n. The consensus values need it so.

use std::f64::consts::PI;

use ndarray::{Array3, Axis};

use crate::filters::Box3;
use crate::ibsi::fft::Spectrum;

/// The response of the whole periodic image, or slice by slice.
pub(super) fn response(image: &Array3<f64>, area: Box3, level: u32, by_slice: bool) -> Array3<f64> {
    let (nz, ny, nx) = image.dim();
    let mut out = Array3::zeros(std::array::from_fn::<usize, 3, _>(|a| area.upper[a] - area.lower[a]));
    if by_slice {
        for (at, mut plane) in (area.lower[0]..area.upper[0]).zip(out.axis_iter_mut(Axis(0))) {
            let passed = pass([1, ny, nx], |[_, y, x]| image[[at, y, x]], level);
            plane.indexed_iter_mut().for_each(|((y, x), v)| *v = passed([0, y + area.lower[1], x + area.lower[2]]));
        }
    } else {
        let passed = pass([nz, ny, nx], |at| image[at], level);
        out.indexed_iter_mut().for_each(|((z, y, x), v)| *v = passed([z + area.lower[0], y + area.lower[1], x + area.lower[2]]));
    }
    out
}

fn pass(dim: [usize; 3], value: impl Fn([usize; 3]) -> f64, level: u32) -> impl Fn([usize; 3]) -> f64 {
    let mut spectrum = Spectrum::of(dim, value);
    // Where a frequency lies on the axis from -1 to 1, Nyquist's; an axis of one voxel has none.
    let frequency = |a: usize, k: usize| {
        let centre = 0.5 * (dim[a] as f64 - 1.0);
        if dim[a] == 1 { 0.0 } else { (((k + dim[a] / 2) % dim[a]) as f64 - centre) / centre }
    };
    let scale = (f64::from(level) - 1.0).exp2();
    let mut at = [0; 3];
    for value in &mut spectrum.values {
        let square: f64 = (0..3).map(|a| frequency(a, at[a]).powi(2)).sum();
        let f = square.sqrt() * scale;
        *value *= if (0.25..=1.0).contains(&f) { (PI / 2.0 * (2.0 * f).log2()).cos() } else { 0.0 };
        for a in (0..3).rev() {
            at[a] += 1;
            if at[a] < dim[a] {
                break;
            }
            at[a] = 0;
        }
    }
    spectrum.transform(true);
    let voxels = dim.iter().product::<usize>() as f64;
    move |[z, y, x]| spectrum.values[(z * dim[1] + y) * dim[2] + x].re / voxels
}
