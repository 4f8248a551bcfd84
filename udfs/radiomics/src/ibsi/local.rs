//! Local intensity peaks (IBSI reference manual, section 3.2): means in spheres of 1 cm3, as PET's SUVpeak.

use super::prepare::{Case, PEAK_RADIUS};

/// `loc_peak_loc`, around the brightest voxel (of several the greatest), and `loc_peak_glob`, the greatest of all.
///
/// A sphere takes every voxel of the image whose centre lies in it, within the region or not.
pub(super) fn local_intensity(case: &Case) -> Vec<(String, f64)> {
    let steps = sphere(case.spacing);
    let size = case.frame.dim();
    let size = [size.0 as isize, size.1 as isize, size.2 as isize];
    let flat = case.frame.as_slice().unwrap_or(&[]);
    let maximum = case.intensities().into_iter().fold(f64::NEG_INFINITY, f64::max);
    let (mut of_brightest, mut of_all) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    for ((z, y, x), _) in case.inside.indexed_iter().filter(|(_, inside)| **inside) {
        let at = [(z + case.lower[0]) as isize, (y + case.lower[1]) as isize, (x + case.lower[2]) as isize];
        let (mut sum, mut n) = (0.0, 0.0);
        for step in &steps {
            let [z, y, x]: [isize; 3] = std::array::from_fn(|a| at[a] + step[a]);
            if z >= 0 && y >= 0 && x >= 0 && z < size[0] && y < size[1] && x < size[2] {
                sum += flat[((z * size[1] + y) * size[2] + x) as usize];
                n += 1.0;
            }
        }
        let mean = sum / n;
        of_all = of_all.max(mean);
        if case.values[[z, y, x]] == maximum {
            of_brightest = of_brightest.max(mean);
        }
    }
    vec![("loc_peak_loc".into(), of_brightest), ("loc_peak_glob".into(), of_all)]
}

/// Steps in voxels to the centres within the sphere.
fn sphere(spacing: [f64; 3]) -> Vec<[isize; 3]> {
    let reach = spacing.map(|s| (PEAK_RADIUS / s).floor() as isize);
    let mut steps = Vec::new();
    for z in -reach[0]..=reach[0] {
        for y in -reach[1]..=reach[1] {
            for x in -reach[2]..=reach[2] {
                let square: f64 = [z, y, x].iter().zip(spacing).map(|(d, s)| (*d as f64 * s).powi(2)).sum();
                if square <= PEAK_RADIUS * PEAK_RADIUS {
                    steps.push([z, y, x]);
                }
            }
        }
    }
    steps
}
