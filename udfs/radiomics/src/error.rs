//! What can go wrong in an extraction.

use thiserror::Error;

/// Why features cannot be extracted. Each message says what to do next.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum RadiomicsError {
    #[error("{setting} {reason}")]
    Setting { setting: &'static str, reason: String },

    #[error("No labels found in this mask (i.e. nothing is segmented)! Segment a region, or leave this mask out")]
    EmptyMask,

    #[error("Label ({label}) not present in mask. Choose from {present:?} with the setting label")]
    LabelAbsent { label: u32, present: Vec<u32> },

    #[error(
        "image and mask sizes differ: the image has {image:?} voxels (x, y, z), the mask {mask:?}. Set correct_mask to \
         bring the mask onto the image's grid, or set resampled_pixel_spacing"
    )]
    SizeMismatch { image: [usize; 3], mask: [usize; 3] },

    #[error(
        "image and mask do not lie at the same place: {what} of the image is {image}, of the mask {mask} (tolerance \
         {tolerance}). Set correct_mask to bring the mask onto the image's grid, set resampled_pixel_spacing, or raise \
         geometry_tolerance"
    )]
    GeometryMismatch { what: &'static str, image: String, mask: String, tolerance: f64 },

    #[error(
        "Bounding box of ROI is larger than image space: in voxels of the image (x, y, z) the region spans {lower:?} to \
         {upper:?}, the image has {size:?}. Check that image and mask belong together"
    )]
    OutsideImage { lower: [f64; 3], upper: [f64; 3], size: [usize; 3] },

    #[error("mask only contains 1 segmented voxel! Cannot extract features for a single voxel.")]
    OneVoxel,

    #[error(
        "mask has too few dimensions (number of dimensions {found}, minimum required {required}). Lower \
         minimum_roi_dimensions to accept it"
    )]
    TooFewDimensions { found: u32, required: u32 },

    #[error("Size of the ROI is too small (minimum size: {minimum}, ROI size: {found}): it must be above minimum_roi_size")]
    TooSmall { minimum: u64, found: u64 },

    #[error("the mask has no voxel of label {label} left on the new grid: use a finer resampled_pixel_spacing")]
    LostInResampling { label: u32 },

    #[error(
        "Resegmentation excluded too many voxels with label {label} (retained {retained} voxel(s))! Cannot extract \
         features: widen resegment_range"
    )]
    Resegmentation { label: u32, retained: usize },

    #[error("every voxel of the image is {value}, so it cannot be z-scored: set normalize to false")]
    ConstantImage { value: f64 },

    #[error("the image has {count} voxels inside the region that are not finite numbers: repair the image")]
    NotFinite { count: usize },

    #[error("there is no map of '{feature}': {reason}")]
    NoFeature { feature: String, reason: String },

    #[error("nothing to extract: features of shape2d need force_2d and a region of one slice, this one has {slices}; take shape")]
    NoShape2D { slices: usize },

    #[error("{bins} grey levels are too many for a texture matrix (at most {limit}): raise bin_width or set bin_count")]
    TooManyLevels { bins: u64, limit: u64 },
}
