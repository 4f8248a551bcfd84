//! Discretisation of the region's intensities, with numpy's sequence of operations.
//!
//! Bins of a fixed width are aligned to 0, not to the minimum. A value on an edge belongs to the upper bin, so that a
//! maximum on an edge opens a bin of its own.

use ndarray::Array3;

use crate::{Binned, RadiomicsError, Settings};

/// Grey levels above which the co-occurrence matrices no longer fit in memory.
pub(crate) const MAX_LEVELS: u64 = 1 << 14;

/// Edges of the bins, ascending. A value's bin is the number of edges that are at most the value.
enum Edges {
    /// `count` edges: `first + k * step`.
    Even {
        first: f64,
        step: f64,
        count: u64,
    },
    Listed(Vec<f64>),
}

impl Edges {
    /// Edges for values from `minimum` to `maximum`.
    fn new(minimum: f64, maximum: f64, settings: &Settings) -> Edges {
        if let Some(count) = settings.bin_count {
            return Edges::counted(minimum, maximum, count);
        }
        let width = settings.bin_width;
        let low = minimum - floored_modulo(minimum, width);
        let high = maximum + 2.0 * width;
        let count = ((high - low) / width).ceil();
        // Intensities beyond what f64 holds have no bins.
        let count = if count.is_nan() { u64::MAX } else { count as u64 };
        // numpy.arange takes the difference of its first two values as the step.
        Edges::Even { first: low, step: (low + width) - low, count }
    }

    /// `numpy.histogram_bin_edges`, with the last edge moved up so that the maximum falls in the last bin.
    fn counted(minimum: f64, maximum: f64, count: u32) -> Edges {
        let (low, high) = if minimum == maximum { (minimum - 0.5, maximum + 0.5) } else { (minimum, maximum) };
        let step = (high - low) / count as f64;
        let mut listed: Vec<f64> = (0..count).map(|k| k as f64 * step + low).collect();
        listed.push(high + 1.0);
        Edges::Listed(listed)
    }

    /// The edges one by one; an error when there are too many.
    fn list(self) -> Result<Vec<f64>, RadiomicsError> {
        let bins = match &self {
            Edges::Even { count, .. } => *count,
            Edges::Listed(edges) => edges.len() as u64,
        };
        if bins > MAX_LEVELS {
            return Err(RadiomicsError::TooManyLevels { bins, limit: MAX_LEVELS });
        }
        Ok(match self {
            Edges::Even { first, step, count } => (0..count).map(|k| first + k as f64 * step).collect(),
            Edges::Listed(edges) => edges,
        })
    }
}

/// Number of edges at or below `value`, at least 1; `per_edge` is about 1 / the distance of two edges.
fn bin_of(edges: &[f64], per_edge: f64, value: f64) -> u32 {
    let last = edges.len() - 1;
    let mut k = (((value - edges[0]) * per_edge) as usize).min(last);
    while k > 0 && edges[k] > value {
        k -= 1;
    }
    while k < last && edges[k + 1] <= value {
        k += 1;
    }
    k as u32 + 1
}

/// `a - w floor(a / w)` as numpy computes it: the C remainder, moved to the sign of `w`.
fn floored_modulo(a: f64, w: f64) -> f64 {
    let r = a % w;
    if r == 0.0 {
        0.0_f64.copysign(w)
    } else if (w < 0.0) != (r < 0.0) {
        r + w
    } else {
        r
    }
}

/// Bins the intensities of a region. `values` and `inside` are `[z, y, x]`, `spacing` is in the same order.
///
/// # Errors
/// [`RadiomicsError::TooManyLevels`] when the intensities span more bins than a texture matrix can have.
pub(crate) fn bin(values: &Array3<f64>, inside: &Array3<bool>, spacing: [f64; 3], settings: &Settings) -> Result<Binned, RadiomicsError> {
    let (values, inside) = (values.as_standard_layout(), inside.as_standard_layout());
    let voxels = || values.as_slice().unwrap_or(&[]).iter().zip(inside.as_slice().unwrap_or(&[]));
    let (mut minimum, mut maximum, mut n) = (f64::INFINITY, f64::NEG_INFINITY, 0);
    for (value, inside) in voxels() {
        if *inside {
            minimum = minimum.min(*value);
            maximum = maximum.max(*value);
            n += 1;
        }
    }
    let edges = Edges::new(minimum, maximum, settings).list()?;
    // The last of counted edges is raised; the first two are as far apart as any.
    let per_edge = match edges[..] {
        [a, b, ..] => 1.0 / (b - a),
        _ => 1.0,
    };
    let mut n_levels = 0;
    let levels = voxels().map(|(value, inside)| {
        let level = if *inside { bin_of(&edges, per_edge, *value) } else { 0 };
        n_levels = n_levels.max(level);
        level
    });
    let levels = levels.collect();
    // One level for each voxel, so the shape fits.
    let levels = Array3::from_shape_vec(values.raw_dim(), levels).unwrap_or_default();
    Ok(Binned { levels, n_levels, voxels: n, spacing })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(values: &[f64], settings: &Settings) -> Vec<u32> {
        let values = Array3::from_shape_vec((1, 1, values.len()), values.to_vec()).unwrap();
        let inside = Array3::from_elem(values.dim(), true);
        bin(&values, &inside, [1.0; 3], settings).unwrap().levels.into_iter().collect()
    }

    #[test]
    fn bins_of_a_width_start_at_multiples_of_it() {
        let settings = Settings::default();
        assert_eq!(levels(&[-30.0, -25.0, -0.1, 0.0, 24.9, 25.0], &settings), [1, 2, 2, 3, 3, 4]);
        assert_eq!(levels(&[50.0, 50.0], &settings), [1, 1]);
        assert_eq!(levels(&[1.0, 26.0], &settings), [1, 2]);
    }

    #[test]
    fn a_count_of_bins_ends_at_the_maximum() {
        let settings = Settings { bin_count: Some(4), ..Settings::default() };
        assert_eq!(levels(&[0.0, 1.0, 2.0, 3.0, 4.0], &settings), [1, 2, 3, 4, 4]);
        assert_eq!(levels(&[7.0, 7.0], &settings), [3, 3]);
    }

    #[test]
    fn too_narrow_bins_are_refused() {
        let values = Array3::from_shape_vec((1, 1, 2), vec![0.0, 1e9]).unwrap();
        let inside = Array3::from_elem(values.dim(), true);
        let refused = bin(&values, &inside, [1.0; 3], &Settings::default());
        assert!(matches!(refused, Err(RadiomicsError::TooManyLevels { .. })));
    }

    #[test]
    fn modulo_has_the_sign_of_the_width() {
        assert_eq!(floored_modulo(-7.0, 25.0), 18.0);
        assert_eq!(floored_modulo(-50.0, 25.0), 0.0);
        assert_eq!(floored_modulo(7.0, 25.0), 7.0);
    }
}
