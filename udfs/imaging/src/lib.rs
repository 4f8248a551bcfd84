//! Medical volumes: files, geometry, resampling, masks and pictures. Knows no engine.

mod grid;
mod interpolate;
mod labels;
mod volume;

pub use grid::GridMap;
pub use interpolate::{Interpolator, SPLINE_MARGIN, crop_f64, footprint, prefilter, resample, resample_values};
pub use labels::{Region, labels};
pub use volume::{Geometry, Volume, Voxels};
