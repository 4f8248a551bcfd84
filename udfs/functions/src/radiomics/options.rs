//! The options of this topic's functions, one by one: PyRadiomics' settings in snake_case.

use super::filter::FilterOption;
use crate::shape::options;

options! {
    pub struct Fields {
        /// PyRadiomics' parameter file, or its text where it has line breaks. Options beside it replace what it says.
        params: Option<String> = None,
        /// 'pyradiomics', or 'ibsi': the definitions of the Image Biomarker Standardisation Initiative, under its tags.
        profile: String = "pyradiomics".into(),
        /// 'original', 'wavelet', 'log', 'square', 'squareroot', 'logarithm', 'exponential', 'gradient', 'lbp_2d', 'lbp_3d'.
        image_types: Vec<String> = vec!["original".into()],
        /// 'shape', 'shape2d', 'firstorder', 'glcm', 'glrlm', 'glszm', 'gldm', 'ngtdm'; by default all but 'shape2d'. Of the profile
        /// 'ibsi': 'morph', 'loc', 'stat', 'ih', 'ivh', 'cm', 'rlm', 'szm', 'dzm', 'ngt', 'ngl', 'diag'; by default all but 'diag'.
        feature_classes: Option<Vec<String>> = None,
        /// 'all', or 'escc2026': 22 co-occurrence features, 105 of the original image and 91 of each other, 833 with a wavelet.
        feature_set: String = "all".into(),
        /// Label of the region in the mask.
        label: u32 = 1,
        /// Channel of a mask with several numbers per voxel, from 0; such a mask needs it.
        label_channel: Option<u32> = None,
        /// Dimensions that the region must have at least: 1, 2 or 3.
        minimum_roi_dimensions: u32 = 2,
        /// Voxels that the region must have at least.
        minimum_roi_size: Option<u64> = None,
        /// Tolerance of the comparison of the two grids.
        geometry_tolerance: f64 = 1e-6,
        /// Resample a mask on another grid onto the image's.
        correct_mask: bool = false,
        /// Standardise the image over all its voxels before anything else.
        normalize: bool = false,
        /// Factor after standardising.
        normalize_scale: f64 = 1.0,
        /// Clamp the standardised image to this many standard deviations.
        remove_outliers: Option<f64> = None,
        /// Spacing in mm to resample to, x, y, z; 0 keeps an axis.
        resampled_pixel_spacing: Option<[f64; 3]> = None,
        /// 'bspline', 'linear' or 'nearest'.
        interpolator: String = "bspline".into(),
        /// Crop to the region, `pad_distance` wider, before filtering.
        pre_crop: bool = false,
        /// Voxels around the region that filters and resampling see.
        pad_distance: u32 = 5,
        /// Keep voxels of these intensities only: [lower] or [lower, upper].
        resegment_range: Option<Vec<f64>> = None,
        /// What the range means: 'absolute', 'relative' (to the maximum) or 'sigma'.
        resegment_mode: String = "absolute".into(),
        /// Resegment for the shape features too.
        resegment_shape: bool = false,
        /// Width of an intensity bin.
        bin_width: f64 = 25.0,
        /// Number of bins instead of a width.
        bin_count: Option<u32> = None,
        /// Matrices slice by slice.
        force_2d: bool = false,
        /// Axis of the slices: 0 is z, 1 is y, 2 is x.
        force_2d_dimension: usize = 0,
        /// Distances of neighbours in voxels.
        distances: Vec<u32> = vec![1],
        /// Count each pair of the co-occurrence matrix in both directions.
        symmetrical_glcm: bool = true,
        /// 'infinity', 'euclidean', 'manhattan' or 'no_weighting'; by default the directions' features are averaged.
        weighting_norm: Option<String> = None,
        /// Largest difference of levels that still depend on each other.
        gldm_a: f64 = 0.0,
        /// Added to intensities for energy and root mean square.
        voxel_array_shift: f64 = 0.0,
        /// Wavelet by PyWavelets' name.
        wavelet: String = "coif1".into(),
        /// First wavelet level that is used.
        start_level: u32 = 0,
        /// Wavelet levels.
        level: u32 = 1,
        /// Sigmas of the Laplacian of Gaussian in mm.
        sigma: Vec<f64> = Vec::new(),
        /// Gradient in intensity per mm, not per voxel.
        gradient_use_spacing: bool = true,
        /// Radius of the 2D local binary pattern.
        lbp_2d_radius: f64 = 1.0,
        /// Samples on its circle.
        lbp_2d_samples: u32 = 8,
        /// 'default', 'ror', 'uniform' or 'var'.
        lbp_2d_method: String = "uniform".into(),
        /// Levels of the spherical harmonics of the 3D local binary pattern.
        lbp_3d_levels: u32 = 2,
        /// Radius of its sphere.
        lbp_3d_icosphere_radius: f64 = 1.0,
        /// Subdivisions of its sphere.
        lbp_3d_icosphere_subdivision: u32 = 1,
        /// Profile 'ibsi': features of the response to a filter of IBSI-2: {'name': 'mean', 'support': 5}, {'name': 'log', 'sigma': 1.5},
        /// {'name': 'laws', 'kernels': 'L5E5E5', 'energy': 7}, {'name': 'gabor', 'sigma': 5, 'lambda': 2, 'gamma': 1.5},
        /// {'name': 'wavelet', 'wavelet': 'db3', 'band': 'LLH', 'level': 1} or {'name': 'simoncelli', 'level': 1}; each takes
        /// 'by_slice', the kernels and gabor also 'rotation_invariant' and 'pooling'.
        filter: Option<FilterOption> = None,
        /// Profile 'ibsi': how texture matrices see the region, '2D', '2.5D' and '3D'.
        aggregation: Vec<String> = vec!["3D".into()],
        /// Profile 'ibsi': keep intensities within this many standard deviations of the mean, after `resegment_range`.
        resegment_outliers: Option<f64> = None,
        /// Profile 'ibsi': round resampled intensities; by default those of images of integers.
        round_intensities: Option<bool> = None,
        /// Profile 'ibsi': width of a bin of the intensity-volume histogram; by default whole intensities are its levels, and others fall into 1000 bins.
        ivh_bin_width: Option<f64> = None,
        /// Profile 'ibsi': number of its bins instead.
        ivh_bin_count: Option<u32> = None,
        /// Of radiomics_map: voxels that a neighbourhood reaches in each direction.
        kernel_radius: u32 = 1,
        /// Of radiomics_map: leave voxels outside the region out of neighbourhoods.
        masked_kernel: bool = true,
        /// Of radiomics_map: value outside the region.
        init_value: f64 = 0.0,
    }
}
