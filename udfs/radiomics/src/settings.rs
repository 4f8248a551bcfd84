//! What to extract and how: PyRadiomics' settings under their own names in snake_case.

use esccsql_imaging::Interpolator;

use crate::{FeatureSet, IbsiSettings, RadiomicsError};

/// What `resegment_range` is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResegmentMode {
    /// Intensities as they are.
    Absolute,
    /// Fractions of the region's maximum.
    Relative,
    /// Standard deviations from the region's mean.
    Sigma,
}

/// Norm of an offset (in mm) that weights its co-occurrence and run length matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightingNorm {
    Infinity,
    Euclidean,
    Manhattan,
    /// Every offset has weight 1: the matrices are merged.
    NoWeighting,
}

/// Classes of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeatureClass {
    Shape,
    Shape2D,
    FirstOrder,
    Glcm,
    Glrlm,
    Glszm,
    Gldm,
    Ngtdm,
}

/// Images from which the features are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImageType {
    Original,
    Wavelet,
    LoG,
    Square,
    SquareRoot,
    Logarithm,
    Exponential,
    Gradient,
    Lbp2D,
    Lbp3D,
}

/// Every setting of an extraction. Defaults and meaning are those of PyRadiomics 3.1.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub image_types: Vec<ImageType>,
    /// `None`: every class but `shape2D`.
    pub feature_classes: Option<Vec<FeatureClass>>,
    /// Selection within the classes.
    pub feature_set: FeatureSet,
    /// Features of a class that are wanted, by name; a class that is not listed has all of its own.
    pub selected: Vec<(FeatureClass, Vec<String>)>,
    /// Settings of one image type where they differ: its filter's, its bins', its matrices'. What acts before the filters
    /// (grid, region, normalisation) is taken from `self` whatever they say.
    pub image_settings: Vec<(ImageType, Settings)>,

    /// Value of the region's voxels in the mask.
    pub label: u32,
    /// Channel of a mask file with several numbers per voxel, for whoever reads it. PyRadiomics takes channel 0 of such a mask
    /// unasked; here it is refused unless this says which.
    pub label_channel: Option<u32>,
    /// Fewest axes along which the region must have an extent above one voxel: 1, 2 or 3.
    pub minimum_roi_dimensions: u32,
    /// Regions of this many voxels or fewer are refused.
    pub minimum_roi_size: Option<u64>,
    /// Largest difference between the grids of image and mask, relative to the spacing.
    pub geometry_tolerance: f64,
    /// Bring a mask on another grid onto the image's grid instead of refusing it.
    pub correct_mask: bool,

    /// z-score the image with the mean and standard deviation of all its voxels.
    pub normalize: bool,
    /// Factor after the z-score.
    pub normalize_scale: f64,
    /// Limit z-scores to plus and minus this.
    pub remove_outliers: Option<f64>,

    /// New spacing in mm along x, y and z; 0 keeps the mask's spacing of that axis.
    pub resampled_pixel_spacing: Option<[f64; 3]>,
    /// Interpolation of the image; masks always take the nearest voxel.
    /// `None` leaves the image on its grid even when a spacing is given.
    pub interpolator: Option<Interpolator>,
    /// Crop to the region before filtering when no resampling takes place.
    pub pre_crop: bool,
    /// Voxels around the region that filters may see.
    pub pad_distance: u32,

    /// One or two bounds of the intensities that stay in the region.
    pub resegment_range: Option<Vec<f64>>,
    pub resegment_mode: ResegmentMode,
    /// Let the resegmentation act on the shape features too.
    pub resegment_shape: bool,

    /// Width of a bin, used when `bin_count` is absent.
    pub bin_width: f64,
    /// Number of bins.
    pub bin_count: Option<u32>,

    /// Look for neighbours within a plane only.
    pub force_2d: bool,
    /// Array axis across that plane: 0 = z, 1 = y, 2 = x.
    pub force_2d_dimension: usize,
    /// Chebyshev distances of neighbours in voxels.
    pub distances: Vec<u32>,
    /// Count co-occurrences in both directions.
    pub symmetrical_glcm: bool,
    pub weighting_norm: Option<WeightingNorm>,
    /// Largest level difference of a dependent neighbour.
    pub gldm_a: f64,
    /// Added to the intensities in Energy, TotalEnergy and RootMeanSquared.
    pub voxel_array_shift: f64,

    /// PyWavelets' name of the wavelet.
    pub wavelet: String,
    /// Decompositions that are skipped before the first one.
    pub start_level: u32,
    /// Number of decompositions.
    pub level: u32,
    /// Standard deviations of the Laplacian of Gaussian in mm.
    pub sigma: Vec<f64>,
    /// Those of them that image names have without a decimal point: a parameter file's `3` is `log-sigma-3-mm-3D`, its `3.0`
    /// is `log-sigma-3-0-mm-3D`.
    pub sigma_without_point: Vec<f64>,
    /// Gradient per mm (true) or per voxel.
    pub gradient_use_spacing: bool,
    pub lbp_2d_radius: f64,
    pub lbp_2d_samples: u32,
    pub lbp_2d_method: Lbp2DMethod,
    pub lbp_3d_levels: u32,
    pub lbp_3d_icosphere_radius: f64,
    pub lbp_3d_icosphere_subdivision: u32,

    /// Follow IBSI-1 instead of PyRadiomics, with what only that profile has.
    pub ibsi: Option<IbsiSettings>,
}

/// How the 2D local binary pattern is encoded, by scikit-image's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lbp2DMethod {
    Default,
    Ror,
    Uniform,
    /// Variance of the samples.
    Var,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            image_types: vec![ImageType::Original],
            feature_classes: None,
            feature_set: FeatureSet::All,
            selected: Vec::new(),
            image_settings: Vec::new(),
            label: 1,
            label_channel: None,
            minimum_roi_dimensions: 2,
            minimum_roi_size: None,
            geometry_tolerance: 1e-6,
            correct_mask: false,
            normalize: false,
            normalize_scale: 1.0,
            remove_outliers: None,
            resampled_pixel_spacing: None,
            interpolator: Some(Interpolator::BSpline),
            pre_crop: false,
            pad_distance: 5,
            resegment_range: None,
            resegment_mode: ResegmentMode::Absolute,
            resegment_shape: false,
            bin_width: 25.0,
            bin_count: None,
            force_2d: false,
            force_2d_dimension: 0,
            distances: vec![1],
            symmetrical_glcm: true,
            weighting_norm: None,
            gldm_a: 0.0,
            voxel_array_shift: 0.0,
            wavelet: "coif1".to_string(),
            start_level: 0,
            level: 1,
            sigma: Vec::new(),
            sigma_without_point: Vec::new(),
            gradient_use_spacing: true,
            lbp_2d_radius: 1.0,
            lbp_2d_samples: 8,
            lbp_2d_method: Lbp2DMethod::Uniform,
            lbp_3d_levels: 2,
            lbp_3d_icosphere_radius: 1.0,
            lbp_3d_icosphere_subdivision: 1,
            ibsi: None,
        }
    }
}

impl Settings {
    /// Checks each value and the combinations.
    ///
    /// # Errors
    /// [`RadiomicsError::Setting`] names the first setting that cannot be used and what it may be.
    pub fn validate(&self) -> Result<(), RadiomicsError> {
        let refuse = |setting: &'static str, reason: String| Err(RadiomicsError::Setting { setting, reason });
        let positive = |v: f64| v.is_finite() && v > 0.0;
        if let Some(ibsi) = &self.ibsi {
            ibsi.validate(self)?;
        }
        for (_, own) in &self.image_settings {
            own.validate()?;
        }
        if self.image_types.is_empty() {
            return refuse("image_types", "is empty: name at least one, for example 'original'".into());
        }
        if self.feature_classes.as_ref().is_some_and(|c| c.is_empty()) {
            return refuse("feature_classes", "is empty: name at least one, or leave it out for all".into());
        }
        if self.label == 0 {
            return refuse("label", "is 0, which is the background: give the region's label, 1 or more".into());
        }
        if !(1..=3).contains(&self.minimum_roi_dimensions) {
            return refuse("minimum_roi_dimensions", format!("is {}: it can be 1, 2 or 3", self.minimum_roi_dimensions));
        }
        if !positive(self.geometry_tolerance) {
            return refuse("geometry_tolerance", format!("is {}: it must be above 0", self.geometry_tolerance));
        }
        if !positive(self.normalize_scale) {
            return refuse("normalize_scale", format!("is {}: it must be above 0", self.normalize_scale));
        }
        if let Some(k) = self.remove_outliers.filter(|&k| !positive(k)) {
            return refuse("remove_outliers", format!("is {k}: it must be above 0 standard deviations"));
        }
        if let Some(t) = self.resampled_pixel_spacing
            && t.iter().any(|v| !v.is_finite() || *v < 0.0)
        {
            return refuse(
                "resampled_pixel_spacing",
                format!("is {t:?}: each of x, y and z must be above 0 mm, or 0 to keep the mask's spacing"),
            );
        }
        if let Some(range) = &self.resegment_range {
            let ordered = range.len() < 2 || range[0] <= range[1];
            if !(1..=2).contains(&range.len()) || range.iter().any(|v| v.is_nan()) || !ordered {
                return refuse("resegment_range", format!("is {range:?}: give [lower] or [lower, upper]"));
            }
        }
        if !positive(self.bin_width) {
            return refuse("bin_width", format!("is {}: it must be above 0", self.bin_width));
        }
        if self.bin_count == Some(0) {
            return refuse("bin_count", "is 0: it must be at least 1".into());
        }
        if self.force_2d_dimension > 2 {
            return refuse("force_2d_dimension", format!("is {}: it can be 0 (z), 1 (y) or 2 (x)", self.force_2d_dimension));
        }
        if self.distances.is_empty() || self.distances.contains(&0) {
            return refuse("distances", format!("is {:?}: give whole numbers of voxels, 1 or more", self.distances));
        }
        if !(self.gldm_a.is_finite() && self.gldm_a >= 0.0) {
            return refuse("gldm_a", format!("is {}: it must be 0 or more", self.gldm_a));
        }
        if !self.voxel_array_shift.is_finite() {
            return refuse("voxel_array_shift", format!("is {}: it must be a number", self.voxel_array_shift));
        }
        if self.image_types.contains(&ImageType::LoG) && self.of_image(ImageType::LoG).sigma.is_empty() {
            return refuse("sigma", "is empty, and the image type 'log' needs it: give the widths in mm".into());
        }
        if let Some(s) = self.sigma.iter().find(|s| !positive(**s)) {
            return refuse("sigma", format!("contains {s}: each must be above 0 mm"));
        }
        if self.level == 0 {
            return refuse("level", "is 0: at least one decomposition is needed".into());
        }
        if !positive(self.lbp_2d_radius) {
            return refuse("lbp_2d_radius", format!("is {}: it must be above 0", self.lbp_2d_radius));
        }
        if self.lbp_2d_samples == 0 {
            return refuse("lbp_2d_samples", "is 0: at least one sample is needed".into());
        }
        if self.lbp_3d_levels == 0 {
            return refuse("lbp_3d_levels", "is 0: at least one level is needed".into());
        }
        if !positive(self.lbp_3d_icosphere_radius) {
            return refuse("lbp_3d_icosphere_radius", format!("is {}: it must be above 0", self.lbp_3d_icosphere_radius));
        }
        if self.lbp_3d_icosphere_subdivision > 5 {
            return refuse("lbp_3d_icosphere_subdivision", format!("is {}: it can be 0 to 5", self.lbp_3d_icosphere_subdivision));
        }
        Ok(())
    }

    /// Whether features of `class` are wanted.
    pub fn wants(&self, class: FeatureClass) -> bool {
        match &self.feature_classes {
            None => class != FeatureClass::Shape2D,
            Some(classes) => classes.contains(&class),
        }
    }

    /// Whether a feature is wanted.
    pub fn has(&self, class: FeatureClass, name: &str) -> bool {
        let chosen = self.selected.iter().find(|(of, _)| *of == class);
        self.wants(class) && self.feature_set.has(class, name) && chosen.is_none_or(|(_, names)| names.iter().any(|n| n == name))
    }

    /// The settings of one image type's images.
    pub fn of_image(&self, image_type: ImageType) -> &Settings {
        self.image_settings.iter().find(|(of, _)| *of == image_type).map_or(self, |(_, own)| own)
    }
}

impl FeatureClass {
    /// PyRadiomics' name of the class.
    pub fn name(self) -> &'static str {
        match self {
            FeatureClass::Shape => "shape",
            FeatureClass::Shape2D => "shape2D",
            FeatureClass::FirstOrder => "firstorder",
            FeatureClass::Glcm => "glcm",
            FeatureClass::Glrlm => "glrlm",
            FeatureClass::Glszm => "glszm",
            FeatureClass::Gldm => "gldm",
            FeatureClass::Ngtdm => "ngtdm",
        }
    }
}
