//! Size and form of the region, independent of intensities: 14 features.
//!
//! Surface and mesh volume come from marching cubes, axis lengths from the principal moments of the voxel centres.

use std::f64::consts::PI;

use ndarray::Array3;

use crate::diameter::diameters;
use crate::mesh::mesh;

/// The features in alphabetical order. `inside` is `[z, y, x]`, `spacing` in mm in the same order.
pub(crate) fn shape(inside: &Array3<bool>, spacing: [f64; 3]) -> Vec<(&'static str, f64)> {
    let mesh = mesh(inside, spacing);
    let diameters = diameters(inside, spacing);
    let voxels = inside.iter().filter(|v| **v).count();
    let [least, minor, major] = principal_moments(inside, spacing);
    let axis = |moment: f64| if moment < 0.0 { f64::NAN } else { 4.0 * moment.sqrt() };
    let ratio = |moment: f64| if moment < 0.0 || major < 0.0 { f64::NAN } else { (moment / major).sqrt() };
    vec![
        ("Elongation", ratio(minor)),
        ("Flatness", ratio(least)),
        ("LeastAxisLength", axis(least)),
        ("MajorAxisLength", axis(major)),
        ("Maximum2DDiameterColumn", diameters.column),
        ("Maximum2DDiameterRow", diameters.row),
        ("Maximum2DDiameterSlice", diameters.slice),
        ("Maximum3DDiameter", diameters.maximum),
        ("MeshVolume", mesh.volume),
        ("MinorAxisLength", axis(minor)),
        ("Sphericity", (36.0 * PI * mesh.volume * mesh.volume).cbrt() / mesh.area),
        ("SurfaceArea", mesh.area),
        ("SurfaceVolumeRatio", mesh.area / mesh.volume),
        ("VoxelVolume", voxels as f64 * spacing.iter().product::<f64>()),
    ]
}

/// Eigenvalues of the covariance (1/n) of the voxel centres in mm2, ascending. Rounding below zero becomes 0.
pub(crate) fn principal_moments(inside: &Array3<bool>, spacing: [f64; 3]) -> [f64; 3] {
    let voxels = || inside.indexed_iter().filter(|(_, inside)| **inside).map(|((z, y, x), _)| [z, y, x]);
    let (mut n, mut sums) = (0u64, [0u64; 3]);
    for p in voxels() {
        n += 1;
        for d in 0..3 {
            sums[d] += p[d] as u64;
        }
    }
    let n = n as f64;
    let mean: [f64; 3] = std::array::from_fn(|d| sums[d] as f64 / n);
    let mut covariance = [[0.0; 3]; 3];
    for p in voxels() {
        let offset: [f64; 3] = std::array::from_fn(|d| (p[d] as f64 - mean[d]) * spacing[d]);
        for r in 0..3 {
            for c in 0..=r {
                covariance[r][c] += offset[r] * offset[c];
            }
        }
    }
    let covariance = std::array::from_fn(|r| std::array::from_fn(|c| covariance[r.max(c)][r.min(c)] / n));
    let mut moments = eigenvalues(covariance);
    moments.sort_by(f64::total_cmp);
    moments.map(|m| if m < 0.0 && m > -1e-10 { 0.0 } else { m })
}

/// Eigenvalues of a symmetric matrix by Jacobi rotations.
fn eigenvalues(mut m: [[f64; 3]; 3]) -> [f64; 3] {
    for _ in 0..50 {
        let scale: f64 = (0..3).map(|i| m[i][i].abs()).sum();
        let off = m[0][1].abs() + m[0][2].abs() + m[1][2].abs();
        if off <= f64::EPSILON * 1e-3 * scale {
            break;
        }
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            if m[p][q] == 0.0 {
                continue;
            }
            let theta = (m[q][q] - m[p][p]) / (2.0 * m[p][q]);
            let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
            let c = 1.0 / (t * t + 1.0).sqrt();
            let s = t * c;
            let (app, aqq, apq) = (m[p][p], m[q][q], m[p][q]);
            m[p][p] = app - t * apq;
            m[q][q] = aqq + t * apq;
            m[p][q] = 0.0;
            m[q][p] = 0.0;
            let r = 3 - p - q;
            let (arp, arq) = (m[r][p], m[r][q]);
            m[r][p] = c * arp - s * arq;
            m[p][r] = m[r][p];
            m[r][q] = s * arp + c * arq;
            m[q][r] = m[r][q];
        }
    }
    [m[0][0], m[1][1], m[2][2]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenvalues_of_a_known_matrix() {
        let mut found = eigenvalues([[2.0, 1.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, 5.0]]);
        found.sort_by(f64::total_cmp);
        for (a, b) in found.iter().zip([1.0, 3.0, 5.0]) {
            assert!((a - b).abs() < 1e-14, "{found:?}");
        }
    }

    #[test]
    fn a_box_has_the_moments_of_its_sides() {
        let moments = principal_moments(&Array3::from_elem((2, 3, 5), true), [3.0, 1.0, 1.0]);
        // Variance of n points that lie d apart: d^2 (n^2 - 1) / 12.
        for (a, b) in moments.iter().zip([8.0 / 12.0, 24.0 / 12.0, 9.0 * 3.0 / 12.0]) {
            assert!((a - b).abs() < 1e-14, "{moments:?}");
        }
    }
}
