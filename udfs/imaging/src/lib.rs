//! Medical volumes: files, geometry, resampling, masks and pictures. Knows no engine.

mod cache;
mod error;
mod format;
mod grid;
mod hash;
mod interpolate;
mod labels;
pub mod mask;
pub mod ops;
mod picture;
mod recipe;
mod spline;
mod volume;

pub use cache::Cache;
pub use error::{GeometryError, ImageError, Result};
pub use format::dicom::{DicomEntry, Found, Guard, is_dicom, list_dicom, open_to_all, parse_dicom, place};
pub use format::{
    Dtype, Format, Header, parse_channel, parse_metaimage, parse_nifti, parse_nrrd, parse_volume, read_header, read_volume, write_volume,
};
pub use grid::GridMap;
pub use hash::{sha256_file, sha256_files};
pub use interpolate::{Interpolator, SPLINE_MARGIN, crop_f64, crop_map, footprint, resample, resample_values};
pub use labels::{Region, labels};
pub use picture::{Heat, Plane, PngOptions, png};
pub use recipe::{FeatureMaps, Label, Op, Recipe, Role};
pub use spline::prefilter;
pub use volume::{Geometry, Volume, Voxels};
