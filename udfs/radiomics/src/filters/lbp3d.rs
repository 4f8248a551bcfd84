//! Rotation-invariant 3D local binary patterns, as PyRadiomics makes them.
//!
//! Each voxel is compared with samples on a small sphere around it, taken from a cubic B-spline (0 outside the image).
//! The pattern is projected on spherical harmonics; one image per degree holds the norm of the projection, a last one
//! the kurtosis of the samples. Three conventions are PyRadiomics' own: the sphere's (x, y, z) are added to (z, y, x)
//! indices, the polar and azimuthal angle change places, and nothing is conjugated, so that norms are the real parts of
//! complex roots. Banerjee et al., Quantitative imaging of spherical harmonics LBP (2013).

use std::collections::BTreeMap;
use std::f64::consts::PI;

use esccsql_imaging::SPLINE_MARGIN;
use ndarray::{Array3, Axis};

use super::Box3;
use crate::firstorder::mean_of;
use crate::prepare::Frame;
use crate::{RadiomicsError, Settings};

/// Calls `each` with `lbp-3D-m1`, `lbp-3D-m2`, ... and `lbp-3D-k`; voxels outside the region are 0.
pub(crate) fn lbp3d(
    frame: &Frame<'_>,
    area: Box3,
    inside: &Array3<bool>,
    settings: &Settings,
    mut each: impl FnMut(&str, Array3<f64>) -> Result<(), RadiomicsError>,
) -> Result<(), RadiomicsError> {
    let radius = settings.lbp_3d_icosphere_radius;
    let levels = settings.lbp_3d_levels as usize;
    let sphere = icosphere(settings.lbp_3d_icosphere_subdivision, radius);
    let harmonics: Vec<Vec<Vec<Complex>>> =
        (0..levels as i32).map(|n| (-n..=n).map(|m| harmonic(n, m, &sphere, radius)).collect()).collect();

    let dim = frame.dim();
    let part = area.grown([SPLINE_MARGIN + radius.ceil() as usize + 2; 3], dim);
    let values = frame.region(part.lower, part.upper);
    let mut coefficients = values.clone();
    (0..3).for_each(|axis| prefilter(&mut coefficients, axis));

    let mut images = vec![Array3::zeros(inside.raw_dim()); levels + 1];
    let mut samples = vec![0.0; sphere.len()];
    for ((z, y, x), _) in inside.indexed_iter().filter(|(_, inside)| **inside) {
        let voxel = [z + area.lower[0], y + area.lower[1], x + area.lower[2]];
        let centre = values[std::array::from_fn(|a| voxel[a] - part.lower[a])];
        for (sample, offset) in samples.iter_mut().zip(&sphere) {
            let at = std::array::from_fn(|a| voxel[a] as f64 + offset[a]);
            *sample = spline(&coefficients, part.lower, dim, at);
        }
        let above: Vec<bool> = samples.iter().map(|v| *v >= centre).collect();
        for (image, degree) in images.iter_mut().zip(&harmonics) {
            image[[z, y, x]] = projection(&above, degree);
        }
        images[levels][[z, y, x]] = kurtosis(&samples);
    }
    let last = images.len() - 1;
    for (i, image) in images.into_iter().enumerate() {
        let name = if i == last { "lbp-3D-k".to_string() } else { format!("lbp-3D-m{}", i + 1) };
        each(&name, image)?;
    }
    Ok(())
}

/// (real, imaginary).
type Complex = (f64, f64);

fn times(a: Complex, b: Complex) -> Complex {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

/// Real part of sqrt(sum over the sphere of f^2), f the pattern's projection on the harmonics of one degree.
fn projection(above: &[bool], degree: &[Vec<Complex>]) -> f64 {
    let weights: Vec<Complex> = degree
        .iter()
        .map(|y| y.iter().zip(above).filter(|(_, above)| **above).fold((0.0, 0.0), |s, (y, _)| (s.0 + y.0, s.1 + y.1)))
        .collect();
    let mut square = (0.0, 0.0);
    for v in 0..above.len() {
        let f = degree.iter().zip(&weights).fold((0.0, 0.0), |s, (y, w)| {
            let t = times(*w, y[v]);
            (s.0 + t.0, s.1 + t.1)
        });
        let s = times(f, f);
        square = (square.0 + s.0, square.1 + s.1);
    }
    (0.5 * (square.0.hypot(square.1) + square.0)).max(0.0).sqrt()
}

/// Spherical harmonic of degree `n` and order `m` at each point of the sphere, with polar and azimuthal angle swapped.
fn harmonic(n: i32, m: i32, sphere: &[[f64; 3]], radius: f64) -> Vec<Complex> {
    let order = m.abs();
    let ratio: f64 = (n - order + 1..=n + order).map(f64::from).product();
    let norm = (f64::from(2 * n + 1) / (4.0 * PI) / ratio).sqrt();
    let sign = if m < 0 && order % 2 == 1 { -1.0 } else { 1.0 };
    sphere
        .iter()
        .map(|p| {
            let azimuth = (p[2] / radius).clamp(-1.0, 1.0).acos();
            let polar = p[1].atan2(p[0]);
            let magnitude = sign * norm * legendre(n, order, polar.cos());
            let angle = f64::from(m) * azimuth;
            (magnitude * angle.cos(), magnitude * angle.sin())
        })
        .collect()
}

/// Associated Legendre function with the Condon-Shortley phase.
fn legendre(n: i32, m: i32, x: f64) -> f64 {
    let sine = (1.0 - x * x).max(0.0).sqrt();
    let mut current: f64 = (0..m).map(|k| -f64::from(2 * k + 1) * sine).product();
    let mut previous = 0.0;
    for degree in m + 1..=n {
        let next = (f64::from(2 * degree - 1) * x * current - f64::from(degree + m - 1) * previous) / f64::from(degree - m);
        (previous, current) = (current, next);
    }
    current
}

/// Excess kurtosis; NaN where the samples do not differ, as scipy has it.
fn kurtosis(samples: &[f64]) -> f64 {
    let mean = mean_of(samples, |v| v);
    let m2 = mean_of(samples, |v| (v - mean) * (v - mean));
    let m4 = mean_of(samples, |v| ((v - mean) * (v - mean)).powi(2));
    if m2 <= (1e-15 * mean).powi(2) { f64::NAN } else { m4 / (m2 * m2) - 3.0 }
}

/// Points of a sphere: an icosahedron whose edges are halved `subdivisions` times. In trimesh's order and with its
/// arithmetic, which a kurtosis of nearly equal samples tells.
fn icosphere(subdivisions: u32, radius: f64) -> Vec<[f64; 3]> {
    let t = (1.0 + 5.0_f64.sqrt()) / 2.0;
    let mut points = Vec::new();
    for place in [|a, b| [a, b, 0.0], |a, b| [0.0, a, b], |a, b| [b, 0.0, a]] as [fn(f64, f64) -> [f64; 3]; 3] {
        points.extend([(-1.0, t), (1.0, t), (-1.0, -t), (1.0, -t)].map(|(a, b)| place(a, b)));
    }
    // The third quarter lies on the positive side first.
    points[8..].copy_from_slice(&[[t, 0.0, -1.0], [t, 0.0, 1.0], [-t, 0.0, -1.0], [-t, 0.0, 1.0]]);
    let apart = |i: usize, j: usize| (0..3).map(|d| (points[i][d] - points[j][d]).powi(2)).sum::<f64>();
    let near = |i, j| apart(i, j) < 4.1;
    let mut faces = Vec::new();
    for i in 0..12 {
        for j in i + 1..12 {
            for k in j + 1..12 {
                if near(i, j) && near(j, k) && near(i, k) {
                    faces.push([i, j, k]);
                }
            }
        }
    }
    let unit = (2.0 + t).sqrt();
    let mut points: Vec<[f64; 3]> = points.into_iter().map(|p| p.map(|c| c / unit)).collect();
    let onto_sphere = |p: [f64; 3]| {
        let length = (p[0] * p[0] + p[1] * p[1] + p[2] * p[2]).sqrt();
        p.map(|c| c + c / length * (radius - length))
    };
    for _ in 0..subdivisions {
        // Middles in the order of their edges' later, then earlier end.
        let mut edges: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for [i, j, k] in &faces {
            for (a, b) in [(i, j), (j, k), (i, k)] {
                edges.insert((*a.max(b), *a.min(b)), 0);
            }
        }
        for ((later, earlier), middle) in &mut edges {
            *middle = points.len();
            points.push(std::array::from_fn(|d| (points[*earlier][d] + points[*later][d]) / 2.0));
        }
        let middle = |a: usize, b: usize| edges[&(a.max(b), a.min(b))];
        faces = faces
            .into_iter()
            .flat_map(|[i, j, k]| {
                let (ij, jk, ki) = (middle(i, j), middle(j, k), middle(k, i));
                [[i, ij, ki], [j, jk, ij], [k, ki, jk], [ij, jk, ki]]
            })
            .collect();
        points = points.into_iter().map(onto_sphere).collect();
    }
    if subdivisions == 0 {
        points = points.into_iter().map(onto_sphere).collect();
    }
    points
}

/// Cubic B-spline coefficients along one axis with exactly mirrored borders (scipy; ITK's start is an approximation).
fn prefilter(values: &mut Array3<f64>, axis: usize) {
    let pole = 3.0_f64.sqrt() - 2.0;
    let gain = (1.0 - pole) * (1.0 - 1.0 / pole);
    for mut line in values.lanes_mut(Axis(axis)) {
        let n = line.len();
        if n < 2 {
            continue;
        }
        line.mapv_inplace(|v| v * gain);
        let end = pole.powi(n as i32 - 1);
        let mut power = pole;
        let mut first = line[0] + end * line[n - 1];
        for i in 1..n - 1 {
            first += power * (line[i] + end * line[n - 1 - i]);
            power *= pole;
        }
        line[0] = first / (1.0 - end * end);
        for i in 1..n {
            line[i] += pole * line[i - 1];
        }
        line[n - 1] = (pole * line[n - 2] + line[n - 1]) * pole / (pole * pole - 1.0);
        for i in (0..n - 1).rev() {
            line[i] = pole * (line[i + 1] - line[i]);
        }
    }
}

/// The spline at a position (z, y, x) of an image of `dim` voxels; `lower` is where `coefficients` begin. 0 beyond the
/// outermost voxel centres.
fn spline(coefficients: &Array3<f64>, lower: [usize; 3], dim: [usize; 3], at: [f64; 3]) -> f64 {
    let mut taps = [[0usize; 4]; 3];
    let mut weights = [[0.0; 4]; 3];
    for a in 0..3 {
        if !(at[a] >= 0.0 && at[a] <= dim[a] as f64 - 1.0) {
            return 0.0;
        }
        let floor = at[a].floor();
        let (y, z) = (at[a] - floor, 1.0 - (at[a] - floor));
        let w = &mut weights[a];
        w[1] = (y * y * (y - 2.0) * 3.0 + 4.0) / 6.0;
        w[2] = (z * z * (z - 2.0) * 3.0 + 4.0) / 6.0;
        w[0] = z * z * z / 6.0;
        w[3] = 1.0 - w[0] - w[1] - w[2];
        let last = dim[a] as isize - 1;
        for (k, tap) in taps[a].iter_mut().enumerate() {
            let i = (floor as isize - 1 + k as isize).abs();
            let i = if i > last { 2 * last - i } else { i };
            *tap = i.clamp(0, last) as usize - lower[a];
        }
    }
    let mut sum = 0.0;
    for (z, wz) in taps[0].into_iter().zip(weights[0]) {
        for (y, wy) in taps[1].into_iter().zip(weights[1]) {
            for (x, wx) in taps[2].into_iter().zip(weights[2]) {
                sum += coefficients[[z, y, x]] * wz * wy * wx;
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sphere_of_42_points() {
        let sphere = icosphere(1, 2.0);
        assert_eq!(sphere.len(), 42);
        assert!(sphere.iter().all(|p| (p.iter().map(|c| c * c).sum::<f64>().sqrt() - 2.0).abs() < 1e-14));
        assert_eq!(icosphere(0, 1.0).len(), 12);
        assert_eq!(icosphere(2, 1.0).len(), 162);
    }

    #[test]
    fn legendre_functions() {
        let (x, s) = (0.3_f64, (1.0_f64 - 0.09).sqrt());
        for (n, m, expected) in [(0, 0, 1.0), (1, 0, x), (1, 1, -s), (2, 1, -3.0 * x * s), (2, 2, 3.0 * s * s)] {
            assert!((legendre(n, m, x) - expected).abs() < 1e-15, "{n} {m}");
        }
    }

    #[test]
    fn the_spline_passes_through_the_voxels() {
        let values = Array3::from_shape_fn((5, 6, 7), |(z, y, x)| ((z * 7 + y * 3 + x * x) % 11) as f64);
        let mut c = values.clone();
        (0..3).for_each(|a| prefilter(&mut c, a));
        for (at, v) in values.indexed_iter() {
            let found = spline(&c, [0; 3], [5, 6, 7], [at.0 as f64, at.1 as f64, at.2 as f64]);
            assert!((found - v).abs() < 1e-12, "{at:?}: {found} {v}");
        }
        assert_eq!(spline(&c, [0; 3], [5, 6, 7], [-0.1, 1.0, 1.0]), 0.0);
    }
}
