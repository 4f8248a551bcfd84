//! Medical volumes: files, geometry, resampling, masks and pictures. Knows no engine.

mod error;
mod format;
mod grid;
mod interpolate;
mod labels;
mod volume;

pub use error::{GeometryError, ImageError, Result};
pub use format::{Dtype, Format, Header, parse_metaimage, parse_nifti, parse_nrrd, parse_volume, read_header, read_volume, write_volume};
pub use grid::GridMap;
pub use interpolate::{Interpolator, SPLINE_MARGIN, crop_f64, footprint, prefilter, resample, resample_values};
pub use labels::{Region, labels};
pub use volume::{Geometry, Volume, Voxels};
