//! Gabor filters in a plane: the modulus of the response to a wave under a Gaussian (IBSI-2 manual, section 3.4).
//!
//! With x' along the wave and y' across it, in mm: exp(-(x'^2 + gamma^2 y'^2) / (2 sigma^2) + 2 pi i x' / lambda). The
//! Gaussian ends where it is below 1e-10.

use std::f64::consts::PI;

use ndarray::{Array3, Axis};
use rayon::prelude::*;

use super::separable::{mirrored, pool};
use super::{Filter, FilterKind, shape};
use crate::filters::Box3;
use crate::ibsi::fft::{Complex64, Spectrum, quick_length};

/// Standard deviations at which the Gaussian ends.
const REACH: f64 = 6.8;

/// The response; in space and rotation-invariant it is pooled over the planes across z, y and x too.
pub(super) fn response(filter: &Filter, image: &Array3<f64>, area: Box3, spacing: [f64; 3]) -> Array3<f64> {
    let FilterKind::Gabor { theta, theta_step, .. } = filter.kind else { return Array3::zeros([0; 3]) };
    let planes = if filter.rotation_invariant && !filter.by_slice { 3 } else { 1 };
    // The modulus is the same half a turn on.
    let directions = if filter.rotation_invariant { (180.0 / theta_step - 1e-9).ceil().max(1.0) as usize } else { 1 };
    let thetas: Vec<f64> = (0..directions).map(|k| (theta + theta_step * k as f64).to_radians()).collect();
    let responses = (0..planes).flat_map(|across| in_planes(filter, image, area, spacing, across, &thetas));
    pool(responses, planes * directions, filter.pooling)
}

/// The response of each direction, plane by plane across an axis.
fn in_planes(filter: &Filter, image: &Array3<f64>, area: Box3, spacing: [f64; 3], across: usize, thetas: &[f64]) -> Vec<Array3<f64>> {
    let FilterKind::Gabor { sigma, lambda, gamma, .. } = filter.kind else { return Vec::new() };
    let [row, column] = match across {
        0 => [1, 2],
        1 => [0, 2],
        _ => [0, 1],
    };
    let dim = shape(image);
    let widest = REACH * sigma / gamma.min(1.0);
    let reach = |axis: usize| ((widest / spacing[axis]).ceil() as usize).min(dim[axis]);
    let (down, right) = (reach(row), reach(column));
    let size = |axis: usize| area.upper[axis] - area.lower[axis];
    let padded = [1, quick_length(size(row) + 2 * down), quick_length(size(column) + 2 * right)];
    // The kernel around the first voxel, wrapped.
    let kernel = |theta: &f64| {
        let (sin, cos) = theta.sin_cos();
        let mut values = vec![Complex64::default(); padded[1] * padded[2]];
        for r in -(down as isize)..=down as isize {
            for c in -(right as isize)..=right as isize {
                let (y, x) = (r as f64 * spacing[row], c as f64 * spacing[column]);
                let (along, beside) = (x * cos + y * sin, x * sin - y * cos);
                let envelope = -(along * along + gamma * gamma * beside * beside) / (2.0 * sigma * sigma);
                if envelope >= -REACH * REACH / 2.0 {
                    let at = r.rem_euclid(padded[1] as isize) as usize * padded[2] + c.rem_euclid(padded[2] as isize) as usize;
                    values[at] = Complex64::from_polar(envelope.exp(), 2.0 * PI * along / lambda);
                }
            }
        }
        let mut spectrum = Spectrum { dim: padded, values };
        spectrum.transform(false);
        spectrum.values
    };
    let kernels: Vec<Vec<Complex64>> = thetas.iter().map(kernel).collect();
    let plane = |at: usize| -> Vec<Vec<f64>> {
        let slice = image.index_axis(Axis(across), at);
        let seen = Spectrum::of(padded, |[_, r, c]| {
            let r = mirrored((area.lower[row] + r) as isize - down as isize, dim[row]);
            let c = mirrored((area.lower[column] + c) as isize - right as isize, dim[column]);
            slice[[r, c]]
        });
        let modulus = |kernel: &Vec<Complex64>| {
            let values = seen.values.iter().zip(kernel).map(|(a, b)| a * b).collect();
            let mut product = Spectrum { dim: padded, values };
            product.transform(true);
            let voxels = (padded[1] * padded[2]) as f64;
            let at = |r: usize, c: usize| product.values[(r + down) * padded[2] + c + right].norm() / voxels;
            (0..size(row)).flat_map(|r| (0..size(column)).map(move |c| (r, c))).map(|(r, c)| at(r, c)).collect()
        };
        kernels.iter().map(modulus).collect()
    };
    let planes: Vec<Vec<Vec<f64>>> = (area.lower[across]..area.upper[across]).into_par_iter().map(plane).collect();
    let sizes: [usize; 3] = std::array::from_fn(size);
    (0..thetas.len())
        .map(|direction| {
            Array3::from_shape_fn(sizes, |(z, y, x)| {
                let at = [z, y, x];
                planes[at[across]][direction][at[row] * size(column) + at[column]]
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ibsi::filter::Pooling;

    /// The sum over the image of a few voxels, by its definition.
    #[test]
    fn an_impulse_shows_the_gaussian() {
        let (sigma, gamma) = (1.2, 0.8);
        let kind = FilterKind::Gabor { sigma, lambda: 3.0, gamma, theta: 30.0, theta_step: 0.0 };
        let filter = Filter { kind, by_slice: true, rotation_invariant: false, pooling: Pooling::Mean };
        let mut image = Array3::zeros([1, 31, 33]);
        image[[0, 15, 16]] = 2.0;
        let area = Box3 { lower: [0, 10, 11], upper: [1, 21, 22] };
        let found = response(&filter, &image, area, [1.0, 1.0, 0.5]);
        let (sin, cos) = 30.0_f64.to_radians().sin_cos();
        for ((_, r, c), v) in found.indexed_iter() {
            let (y, x) = (r as f64 - 5.0, (c as f64 - 5.0) * 0.5);
            let (along, beside) = (x * cos + y * sin, x * sin - y * cos);
            let expected = 2.0 * (-(along * along + (gamma * beside).powi(2)) / (2.0 * sigma * sigma)).exp();
            assert!((v - expected).abs() < 1e-9, "{v} {expected}");
        }
    }
}
