//! Discretisation (IBSI reference manual, section 2.7).

use ndarray::Zip;

use super::prepare::Case;
use crate::binning::MAX_LEVELS;
use crate::{Binned, RadiomicsError, Settings};

/// Grey levels of the intensity mask in the box of the morphological mask.
///
/// With `bin_count` N the range of the region is cut into N bins, the maximum in the last. With `bin_width` bins start
/// at the lower bound of the resegmentation, or at the region's minimum where there is none.
pub(super) fn discretise(case: &Case, settings: &Settings) -> Result<Binned, RadiomicsError> {
    let values = case.intensities();
    let (minimum, maximum) = extremes(&values);
    let level: Box<dyn Fn(f64) -> f64> = match settings.bin_count {
        Some(count) => {
            let count = f64::from(count);
            Box::new(move |v| if v < maximum { (count * (v - minimum) / (maximum - minimum)).floor() + 1.0 } else { count })
        }
        None => {
            let start = case.range[0].unwrap_or(minimum);
            let width = settings.bin_width;
            Box::new(move |v| ((v - start) / width).floor() + 1.0)
        }
    };
    let highest = level(maximum);
    if highest > MAX_LEVELS as f64 {
        return Err(RadiomicsError::TooManyLevels { bins: highest as u64, limit: MAX_LEVELS });
    }
    let levels = Zip::from(&case.values).and(&case.inside).map_collect(|v, inside| if *inside { level(*v) as u32 } else { 0 });
    Ok(Binned { levels, n_levels: highest as u32, voxels: values.len(), spacing: case.spacing })
}

/// Least and greatest of some values.
pub(super) fn extremes(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)))
}
