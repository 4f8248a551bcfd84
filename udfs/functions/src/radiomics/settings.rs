//! PyRadiomics' settings as options.

use esccsql_imaging::Interpolator;
use esccsql_radiomics::{
    Aggregation, FAMILIES, FeatureClass, FeatureSet, IbsiSettings, ImageType, Lbp2DMethod, ResegmentMode, Settings, WeightingNorm,
};

use crate::shape::{Problem, options};

options! {
    pub struct Options {
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
        /// 'default', 'ror' or 'uniform'.
        lbp_2d_method: String = "uniform".into(),
        /// Levels of the spherical harmonics of the 3D local binary pattern.
        lbp_3d_levels: u32 = 2,
        /// Radius of its sphere.
        lbp_3d_icosphere_radius: f64 = 1.0,
        /// Subdivisions of its sphere.
        lbp_3d_icosphere_subdivision: u32 = 1,
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
    }
    check |options| options.settings().map(|_| ()).map_err(|problem| problem.to_string())
}

impl Options {
    /// The kernel's settings.
    pub fn settings(&self) -> Result<Settings, Problem> {
        let ibsi = match self.profile.as_str() {
            "pyradiomics" => None,
            "ibsi" => Some(IbsiSettings {
                families: chosen("feature_classes", self.feature_classes.as_deref(), &FAMILIES)?,
                aggregations: self.aggregation.iter().map(|name| choose("aggregation", name, &AGGREGATIONS)).collect::<Result<_, _>>()?,
                resegment_outliers: self.resegment_outliers,
                round_intensities: self.round_intensities,
                ivh_bin_width: self.ivh_bin_width,
                ivh_bin_count: self.ivh_bin_count,
            }),
            other => return Err(Problem::user(format!("`profile` is '{other}'; expected 'pyradiomics' or 'ibsi'"))),
        };
        if ibsi.is_none() {
            self.without_ibsi()?;
        }
        let settings = Settings {
            image_types: self.image_types.iter().map(|name| choose("image_types", name, &IMAGE_TYPES)).collect::<Result<_, _>>()?,
            feature_classes: match ibsi {
                None => chosen("feature_classes", self.feature_classes.as_deref(), &CLASSES)?,
                Some(_) => None,
            },
            feature_set: choose("feature_set", &self.feature_set, &FEATURE_SETS)?,
            label: self.label,
            minimum_roi_dimensions: self.minimum_roi_dimensions,
            minimum_roi_size: self.minimum_roi_size,
            geometry_tolerance: self.geometry_tolerance,
            correct_mask: self.correct_mask,
            normalize: self.normalize,
            normalize_scale: self.normalize_scale,
            remove_outliers: self.remove_outliers,
            resampled_pixel_spacing: self.resampled_pixel_spacing,
            interpolator: Some(choose("interpolator", &self.interpolator, &INTERPOLATORS)?),
            pre_crop: self.pre_crop,
            pad_distance: self.pad_distance,
            resegment_range: self.resegment_range.clone(),
            resegment_mode: choose("resegment_mode", &self.resegment_mode, &MODES)?,
            resegment_shape: self.resegment_shape,
            bin_width: self.bin_width,
            bin_count: self.bin_count,
            force_2d: self.force_2d,
            force_2d_dimension: self.force_2d_dimension,
            distances: self.distances.clone(),
            symmetrical_glcm: self.symmetrical_glcm,
            weighting_norm: self.weighting_norm.as_ref().map(|name| choose("weighting_norm", name, &NORMS)).transpose()?,
            gldm_a: self.gldm_a,
            voxel_array_shift: self.voxel_array_shift,
            wavelet: self.wavelet.clone(),
            start_level: self.start_level,
            level: self.level,
            sigma: self.sigma.clone(),
            gradient_use_spacing: self.gradient_use_spacing,
            lbp_2d_radius: self.lbp_2d_radius,
            lbp_2d_samples: self.lbp_2d_samples,
            lbp_2d_method: choose("lbp_2d_method", &self.lbp_2d_method, &LBP_METHODS)?,
            lbp_3d_levels: self.lbp_3d_levels,
            lbp_3d_icosphere_radius: self.lbp_3d_icosphere_radius,
            lbp_3d_icosphere_subdivision: self.lbp_3d_icosphere_subdivision,
            ibsi,
        };
        settings.validate().map_err(Problem::user)?;
        Ok(settings)
    }

    /// Refuses what only the profile 'ibsi' knows.
    fn without_ibsi(&self) -> Result<(), Problem> {
        let defaults = Options::default();
        let given = [
            ("aggregation", self.aggregation != defaults.aggregation),
            ("resegment_outliers", self.resegment_outliers.is_some()),
            ("round_intensities", self.round_intensities.is_some()),
            ("ivh_bin_width", self.ivh_bin_width.is_some()),
            ("ivh_bin_count", self.ivh_bin_count.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((name, _)) => {
                Err(Problem::user(format!("`{name}` belongs to the profile 'ibsi': add 'profile': 'ibsi', or leave it out")))
            }
            None => Ok(()),
        }
    }
}

const AGGREGATIONS: [(&str, Aggregation); 3] = [("2D", Aggregation::TwoD), ("2.5D", Aggregation::TwoHalfD), ("3D", Aggregation::ThreeD)];

const IMAGE_TYPES: [(&str, ImageType); 10] = [
    ("original", ImageType::Original),
    ("wavelet", ImageType::Wavelet),
    ("log", ImageType::LoG),
    ("square", ImageType::Square),
    ("squareroot", ImageType::SquareRoot),
    ("logarithm", ImageType::Logarithm),
    ("exponential", ImageType::Exponential),
    ("gradient", ImageType::Gradient),
    ("lbp_2d", ImageType::Lbp2D),
    ("lbp_3d", ImageType::Lbp3D),
];

const CLASSES: [(&str, FeatureClass); 8] = [
    ("shape", FeatureClass::Shape),
    ("shape2d", FeatureClass::Shape2D),
    ("firstorder", FeatureClass::FirstOrder),
    ("glcm", FeatureClass::Glcm),
    ("glrlm", FeatureClass::Glrlm),
    ("glszm", FeatureClass::Glszm),
    ("gldm", FeatureClass::Gldm),
    ("ngtdm", FeatureClass::Ngtdm),
];

const FEATURE_SETS: [(&str, FeatureSet); 2] = [("all", FeatureSet::All), ("escc2026", FeatureSet::Escc2026)];

const INTERPOLATORS: [(&str, Interpolator); 3] =
    [("bspline", Interpolator::BSpline), ("linear", Interpolator::Linear), ("nearest", Interpolator::Nearest)];

const MODES: [(&str, ResegmentMode); 3] =
    [("absolute", ResegmentMode::Absolute), ("relative", ResegmentMode::Relative), ("sigma", ResegmentMode::Sigma)];

const NORMS: [(&str, WeightingNorm); 4] = [
    ("infinity", WeightingNorm::Infinity),
    ("euclidean", WeightingNorm::Euclidean),
    ("manhattan", WeightingNorm::Manhattan),
    ("no_weighting", WeightingNorm::NoWeighting),
];

const LBP_METHODS: [(&str, Lbp2DMethod); 3] =
    [("default", Lbp2DMethod::Default), ("ror", Lbp2DMethod::Ror), ("uniform", Lbp2DMethod::Uniform)];

/// The entries of some names; `None` stays `None`.
fn chosen<T: Copy>(option: &str, names: Option<&[String]>, entries: &[(&str, T)]) -> Result<Option<Vec<T>>, Problem> {
    names.map(|names| names.iter().map(|name| choose(option, name, entries)).collect()).transpose()
}

/// The entry of a name, or an error that lists the names.
fn choose<T: Copy>(option: &str, name: &str, entries: &[(&str, T)]) -> Result<T, Problem> {
    entries.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<String> = entries.iter().map(|(known, _)| format!("'{known}'")).collect();
        Problem::user(format!("`{option}` has '{name}'; expected {}", names.join(", ")))
    })
}
