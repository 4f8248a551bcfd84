//! Moran's I and Geary's C over all pairs of voxels, weighted by their inverse distance (IBSI manual, 3.1.24 and 3.1.25).
//!
//! A weight depends on the step between two voxels only, so the sums over pairs are correlations, which transforms give
//! in n log n.

use super::fft::{Spectrum, quick_length};
use super::prepare::Case;

/// (Moran's I, Geary's C) of the intensity mask; NaN where all intensities are equal.
pub(super) fn autocorrelation(case: &Case) -> (f64, f64) {
    let size: [usize; 3] = [case.inside.dim().0, case.inside.dim().1, case.inside.dim().2];
    let dim = size.map(|n| quick_length(2 * n - 1));
    let values = case.intensities();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();

    // Steps of each sign, wrapped around.
    let step = |a: usize, k: usize| k.min(dim[a] - k) as f64 * case.spacing[a];
    let weight: Vec<f64> = Spectrum::of(dim, |[z, y, x]| {
        let square = step(0, z).powi(2) + step(1, y).powi(2) + step(2, x).powi(2);
        if square == 0.0 { 0.0 } else { 1.0 / square.sqrt() }
    })
    .values
    .into_iter()
    .map(|w| w.re)
    .collect();
    let spectrum = |f: &dyn Fn(f64) -> f64| {
        Spectrum::of(dim, |at| match case.inside.get(at) {
            Some(true) => f(case.values[at] - mean),
            _ => 0.0,
        })
    };
    let voxels = dim.iter().product::<usize>() as f64;
    // sum over pairs of w a_i b_j.
    let pairs = |a: &Spectrum, b: &Spectrum| {
        a.values.iter().zip(&b.values).zip(&weight).map(|((a, b), w)| w * (a.re * b.re + a.im * b.im)).sum::<f64>() / voxels
    };
    let deviation = spectrum(&|v| v);
    let products = pairs(&deviation, &deviation);
    drop(deviation);
    let mask = spectrum(&|_| 1.0);
    let weights = pairs(&mask, &mask);
    let squared = spectrum(&|v| v * v);
    let differences = 2.0 * pairs(&mask, &squared) - 2.0 * products;
    (n / weights * products / squares, (n - 1.0) / (2.0 * weights) * differences / squares)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array3;

    #[test]
    fn equals_the_sums_over_pairs() {
        let values = Array3::from_shape_fn((3, 4, 5), |(z, y, x)| ((7 * z + 3 * y * x + x) % 5) as f64);
        let inside = values.mapv(|v| v != 3.0);
        let spacing = [2.5, 1.0, 0.7];
        let case = Case::of(values.clone(), inside.clone(), spacing);
        let points: Vec<([f64; 3], f64)> = (values.indexed_iter().zip(&inside))
            .filter(|(_, inside)| **inside)
            .map(|(((z, y, x), v), _)| ([z as f64 * spacing[0], y as f64 * spacing[1], x as f64 * spacing[2]], *v))
            .collect();
        let n = points.len() as f64;
        let mean = points.iter().map(|p| p.1).sum::<f64>() / n;
        let (mut weights, mut products, mut differences) = (0.0, 0.0, 0.0);
        for (i, a) in points.iter().enumerate() {
            for (_, b) in points.iter().enumerate().filter(|(j, _)| *j != i) {
                let w = 1.0 / (0..3).map(|d| (a.0[d] - b.0[d]).powi(2)).sum::<f64>().sqrt();
                weights += w;
                products += w * (a.1 - mean) * (b.1 - mean);
                differences += w * (a.1 - b.1).powi(2);
            }
        }
        let squares: f64 = points.iter().map(|p| (p.1 - mean).powi(2)).sum();
        let (moran, geary) = autocorrelation(&case);
        assert!((moran - n / weights * products / squares).abs() < 1e-12, "{moran}");
        assert!((geary - (n - 1.0) / (2.0 * weights) * differences / squares).abs() < 1e-12, "{geary}");
    }
}
