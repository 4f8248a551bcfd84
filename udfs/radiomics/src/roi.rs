//! The region of interest after binning: what every texture matrix is counted on.

use ndarray::Array3;

/// The region of interest, cropped to its bounding box and discretised.
#[derive(Debug, Clone, PartialEq)]
pub struct Binned {
    /// Grey level of each voxel, indexed `[z, y, x]`: `1..=n_levels` inside the region, 0 outside.
    pub levels: Array3<u32>,
    /// Number of grey levels Ng: the highest level that occurs in the region. Lower levels may be empty.
    pub n_levels: u32,
    /// Voxels in the region.
    pub voxels: usize,
    /// Millimetres between voxel centres, in array order: `[z, y, x]`.
    pub spacing: [f64; 3],
}
