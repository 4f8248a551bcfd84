//! Texture classes: matrices that count grey levels in relation to their neighbours, and the features of these.
//!
//! All classes read one [`Lattice`]. Features come in alphabetical order, with PyRadiomics' names and conventions.

mod eigen;
pub(crate) mod emphasis;
pub(crate) mod glcm;
mod gldm;
mod glrlm;
mod glszm;
pub(crate) mod lattice;
pub(crate) mod ngtdm;

pub(crate) use self::glcm::glcm;
pub(crate) use self::ngtdm::ngtdm;
pub(crate) use gldm::gldm;
pub(crate) use glrlm::glrlm;
pub(crate) use glszm::glszm;
pub(crate) use lattice::Lattice;

/// Added inside every logarithm and some denominators, as PyRadiomics does: 2^-52.
const EPSILON: f64 = f64::EPSILON;

/// Mean of the values that are numbers; NaN when there is none.
fn nan_mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    for v in values.filter(|v| !v.is_nan()) {
        sum += v;
        n += 1.0;
    }
    sum / n
}

/// Mean over directions of features that come in the same order for each; numbers that are NaN are left out.
pub(crate) fn mean_over(directions: &[Vec<(&'static str, f64)>], names: &[&'static str]) -> Vec<(&'static str, f64)> {
    names.iter().enumerate().map(|(i, name)| (*name, nan_mean(directions.iter().map(|d| d[i].1)))).collect()
}
