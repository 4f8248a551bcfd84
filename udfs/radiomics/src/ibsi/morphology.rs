//! Form of the region (IBSI reference manual, section 3.1).
//!
//! Surface and volume are those of the mesh of the morphological mask. The bounding box, hull and ellipsoid that the
//! densities compare it with are the axis-aligned box, the convex hull of the mesh's vertices, and the ellipsoid with
//! the region's principal axes.

use std::f64::consts::PI;

use super::hull::hull;
use super::prepare::Case;
use super::spatial::autocorrelation;
use crate::diameter::{diameters, surface_corners};
use crate::mesh::mesh;
use crate::shape::principal_moments;

/// Terms of the series for an ellipsoid's surface.
const LEGENDRE_TERMS: usize = 20;

/// `morph_*`.
pub(super) fn morphology(case: &Case) -> Vec<(String, f64)> {
    let (inside, spacing) = (&case.morphological, case.spacing);
    let mesh = mesh(inside, spacing);
    let (volume, area) = (mesh.volume, mesh.area);
    let voxels = inside.iter().filter(|v| **v).count() as f64;
    // IBSI's covariance divides by n - 1.
    let [least, minor, major] = principal_moments(inside, spacing).map(|m| (m * voxels / (voxels - 1.0)).max(0.0).sqrt());
    let sphericity = (36.0 * PI * volume * volume).cbrt() / area;
    let sides: [f64; 3] = std::array::from_fn(|a| inside.shape()[a] as f64 * spacing[a]);
    let half = spacing.map(|s| 0.5 * s);
    let (hull_area, hull_volume) = hull(&surface_corners(inside), half);
    let axes = [2.0 * major, 2.0 * minor, 2.0 * least];
    let values = case.intensities();
    let (moran, geary) = autocorrelation(case);
    let named = [
        ("volume", volume),
        ("vol_approx", voxels * spacing.iter().product::<f64>()),
        ("area_mesh", area),
        ("av", area / volume),
        ("comp_1", volume / (PI.sqrt() * area.powf(1.5))),
        ("comp_2", sphericity.powi(3)),
        ("sph_dispr", 1.0 / sphericity),
        ("sphericity", sphericity),
        ("asphericity", 1.0 / sphericity - 1.0),
        ("com", centre_shift(case)),
        ("diam", diameters(inside, spacing).maximum),
        ("pca_maj_axis", 4.0 * major),
        ("pca_min_axis", 4.0 * minor),
        ("pca_least_axis", 4.0 * least),
        ("pca_elongation", minor / major),
        ("pca_flatness", least / major),
        ("vol_dens_aabb", volume / sides.iter().product::<f64>()),
        ("area_dens_aabb", area / (2.0 * (sides[0] * sides[1] + sides[0] * sides[2] + sides[1] * sides[2]))),
        ("vol_dens_aee", volume / (4.0 / 3.0 * PI * axes.iter().product::<f64>())),
        ("area_dens_aee", area / ellipsoid_surface(axes)),
        ("vol_dens_conv_hull", volume / hull_volume),
        ("area_dens_conv_hull", area / hull_area),
        ("integ_int", volume * values.iter().sum::<f64>() / values.len() as f64),
        ("moran_i", moran),
        ("geary_c", geary),
    ];
    named.into_iter().map(|(name, value)| (format!("morph_{name}"), value)).collect()
}

/// Distance in mm between the centre of the region and the centre of its intensities.
fn centre_shift(case: &Case) -> f64 {
    let (mut form, mut n) = ([0.0; 3], 0.0);
    for ((z, y, x), _) in case.morphological.indexed_iter().filter(|(_, inside)| **inside) {
        for (sum, p) in form.iter_mut().zip([z, y, x]) {
            *sum += p as f64;
        }
        n += 1.0;
    }
    let (mut weighted, mut weight) = ([0.0; 3], 0.0);
    for ((z, y, x), _) in case.inside.indexed_iter().filter(|(_, inside)| **inside) {
        let v = case.values[[z, y, x]];
        for (sum, p) in weighted.iter_mut().zip([z, y, x]) {
            *sum += v * p as f64;
        }
        weight += v;
    }
    (0..3).map(|a| ((form[a] / n - weighted[a] / weight) * case.spacing[a]).powi(2)).sum::<f64>().sqrt()
}

/// Surface of an ellipsoid with the semi-axes a >= b >= c by the manual's series of Legendre polynomials.
///
/// The manual takes alpha^2 = 1 - b^2 / a^2 and beta^2 = 1 - c^2 / a^2, and the consensus values stand on that; the
/// series of the true surface has 1 - c^2 / b^2 and 1 - c^2 / a^2 (4 % more for the digital phantom's ellipsoid).
///
/// Each term holds (alpha beta)^v P_v((alpha^2 + beta^2) / (2 alpha beta)), whose recurrence has no division by
/// alpha beta, which is 0 for a sphere.
fn ellipsoid_surface([a, b, c]: [f64; 3]) -> f64 {
    let (alpha, beta) = ((1.0 - (b / a).powi(2)).max(0.0), (1.0 - (c / a).powi(2)).max(0.0));
    let (half_sum, product) = (0.5 * (alpha + beta), alpha * beta);
    let (mut before, mut term, mut sum) = (0.0, 1.0, 0.0);
    for v in 0..=LEGENDRE_TERMS {
        let k = v as f64;
        sum += term / (1.0 - 4.0 * k * k);
        let next = ((2.0 * k + 1.0) * half_sum * term - k * product * before) / (k + 1.0);
        (before, term) = (term, next);
    }
    4.0 * PI * a * b * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surfaces_of_a_sphere_and_of_an_ellipsoid_by_the_manuals_series() {
        assert!((ellipsoid_surface([3.0; 3]) - 36.0 * PI).abs() < 1e-12);
        // Three terms by hand, with (alpha beta)^2 P_2 = (3 (alpha^2 + beta^2)^2 / 4 - alpha^2 beta^2) / 2.
        let [a, b, c] = [1.0, 0.99, 0.98];
        let (alpha, beta) = (1.0 - b * b, 1.0 - c * c);
        let second = 0.5 * (0.75 * (alpha + beta) * (alpha + beta) - alpha * beta);
        let by_hand = 4.0 * PI * a * b * (1.0 - (alpha + beta) / 6.0 - second / 15.0);
        assert!((ellipsoid_surface([a, b, c]) / by_hand - 1.0).abs() < 1e-5);
    }
}
