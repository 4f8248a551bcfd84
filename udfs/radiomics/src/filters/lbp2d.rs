//! Local binary patterns slice by slice, as scikit-image's `local_binary_pattern`.
//!
//! Each voxel is compared with samples on a circle around it, interpolated linearly, 0 outside the slice. Ojala et al.,
//! IEEE Trans. Pattern Anal. 2002;24:971.

use std::f64::consts::PI;

use ndarray::{Array3, ArrayView2, Axis};

use super::Box3;
use crate::prepare::Frame;
use crate::{Lbp2DMethod, Settings};

/// Codes of the voxels of `area`. Slices lie across `force_2d_dimension`.
pub(crate) fn lbp2d(frame: &Frame<'_>, area: Box3, settings: &Settings) -> Array3<f64> {
    let across = settings.force_2d_dimension;
    let dim = frame.dim();
    let mut margin = [settings.lbp_2d_radius.ceil() as usize + 1; 3];
    margin[across] = 0;
    let part = area.grown(margin, dim);
    let values = frame.region(part.lower, part.upper);
    // scikit-image rounds the circle to 5 decimals.
    let round = |v: f64| (v * 1e5).round_ties_even() / 1e5;
    let samples = settings.lbp_2d_samples;
    let circle: Vec<(f64, f64)> = (0..samples)
        .map(|i| 2.0 * PI * f64::from(i) / f64::from(samples))
        .map(|angle| (round(-settings.lbp_2d_radius * angle.sin()), round(settings.lbp_2d_radius * angle.cos())))
        .collect();
    let size: [usize; 3] = std::array::from_fn(|a| area.upper[a] - area.lower[a]);
    let offset: [usize; 3] = std::array::from_fn(|a| area.lower[a] - part.lower[a]);
    // PyRadiomics swaps the slice axis with z, so the rows of a slice are along the lower remaining axis but for y.
    let (rows, columns) = match across {
        0 => (1, 2),
        1 => (0, 2),
        _ => (1, 0),
    };
    Array3::from_shape_fn(size, |(z, y, x)| {
        let at = [z, y, x];
        let slice = values.index_axis(Axis(across), at[across] + offset[across]);
        // Columns along a lower axis than the rows: the slice is seen transposed.
        let slice = if columns < rows { slice.reversed_axes() } else { slice };
        code(slice, at[rows] + offset[rows], at[columns] + offset[columns], &circle, settings.lbp_2d_method)
    })
}

/// Code of one voxel. The slice is a part of the image: samples beyond it lie outside the image.
fn code(slice: ArrayView2<f64>, row: usize, column: usize, circle: &[(f64, f64)], method: Lbp2DMethod) -> f64 {
    let centre = slice[[row, column]];
    let samples: Vec<f64> = circle.iter().map(|(dr, dc)| bilinear(slice, row as f64 + dr, column as f64 + dc)).collect();
    let bits: Vec<bool> = samples.iter().map(|v| v - centre >= 0.0).collect();
    let pattern = |bits: &[bool]| bits.iter().enumerate().fold(0.0, |code, (i, b)| if *b { code + (i as f64).exp2() } else { code });
    let ones = bits.iter().filter(|b| **b).count();
    let changes = bits.windows(2).filter(|w| w[0] != w[1]).count();
    let n = bits.len();
    match method {
        Lbp2DMethod::Default => pattern(&bits),
        Lbp2DMethod::Ror => (0..n)
            .map(|turn| {
                let turned: Vec<bool> = (0..n).map(|i| bits[(i + turn) % n]).collect();
                pattern(&turned)
            })
            .fold(f64::INFINITY, f64::min),
        Lbp2DMethod::Var => {
            let (sum, squares) = samples.iter().fold((0.0, 0.0), |(sum, squares), v| (sum + v, squares + v * v));
            let variance = (squares - sum * sum / n as f64) / n as f64;
            if variance == 0.0 { f64::NAN } else { variance }
        }
        Lbp2DMethod::Uniform => (if changes <= 2 { ones } else { n + 1 }) as f64,
    }
}

fn bilinear(slice: ArrayView2<f64>, row: f64, column: f64) -> f64 {
    let (r0, c0, r1, c1) = (row.floor(), column.floor(), row.ceil(), column.ceil());
    let (dr, dc) = (row - r0, column - c0);
    let (rows, columns) = slice.dim();
    let at = |r: f64, c: f64| {
        let within = r >= 0.0 && c >= 0.0 && r < rows as f64 && c < columns as f64;
        if within { slice[[r as usize, c as usize]] } else { 0.0 }
    };
    let top = (1.0 - dc) * at(r0, c0) + dc * at(r0, c1);
    let bottom = (1.0 - dc) * at(r1, c0) + dc * at(r1, c1);
    (1.0 - dr) * top + dr * bottom
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_a_plain_and_a_star() {
        let settings = Settings { force_2d: true, ..Settings::default() };
        let codes = |values: Array3<f64>| {
            let area = Box3 { lower: [0, 2, 2], upper: [1, 3, 3] };
            lbp2d(&Frame::Array(values), area, &settings)[[0, 0, 0]]
        };
        let mut peak = Array3::zeros((1, 5, 5));
        peak[[0, 2, 2]] = 1.0;
        assert_eq!(codes(peak), 0.0);
        assert_eq!(codes(Array3::zeros((1, 5, 5))), 8.0);
        // Higher along the axes, lower at the corners: more than two changes around the circle.
        let star = Array3::from_shape_fn((1, 5, 5), |(_, y, x)| match (x != 2, y != 2) {
            (true, true) => -10.0,
            (false, false) => 0.0,
            _ => 1.0,
        });
        assert_eq!(codes(star), 9.0);
    }

    /// On a slope the samples are the cosines of their angles, whose variance is one half; on a plain there is none.
    #[test]
    fn the_variance_of_the_samples() {
        let settings = Settings { force_2d: true, lbp_2d_method: Lbp2DMethod::Var, ..Settings::default() };
        let area = Box3 { lower: [0, 2, 2], upper: [1, 3, 3] };
        let variance = |values: Array3<f64>| lbp2d(&Frame::Array(values), area, &settings)[[0, 0, 0]];
        assert!((variance(Array3::from_shape_fn((1, 5, 5), |(_, _, x)| x as f64)) - 0.5).abs() < 1e-5);
        assert!(variance(Array3::zeros((1, 5, 5))).is_nan());
    }
}
