//! Features by the definitions of the Image Biomarker Standardisation Initiative, under its own tags.
//!
//! Where PyRadiomics differs on purpose, this profile follows IBSI-1 (Zwanenburg et al., Radiology 2020;295:328; reference
//! manual arXiv:1612.07003): grids are aligned by their centres, the mask is interpolated linearly and cut at one half,
//! resampled intensities of integer images are rounded, the mask for form and the one for intensities are two, bins
//! start at the lower bound of the resegmentation range, kurtosis is in excess of 3, the covariance of the voxel
//! centres divides by n - 1, and texture matrices are merged over slices and directions in each way that IBSI names.

mod catalogue;
mod fft;
mod filter;
mod hull;
mod intensity;
mod levels;
mod local;
mod matrices;
mod morphology;
mod prepare;
mod spatial;
mod texture;
mod volume_histogram;

use esccsql_imaging::Volume;

pub use catalogue::{FAMILIES, Family};
pub(crate) use catalogue::{code, ibsi_features};
pub use filter::{Filter, FilterKind, Pooling};

use crate::extract::Features;
use crate::{RadiomicsError, Settings};

/// How texture matrices see the region, and how they are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aggregation {
    /// Slice by slice: `2D_avg` averages over slices and directions, `2D_comb` merges each slice's directions first.
    TwoD,
    /// Neighbours in the slice, slices merged: `2_5D_avg` averages over directions, `2_5D_comb` merges these too.
    TwoHalfD,
    /// Neighbours in space: `3D_avg` averages over 13 directions, `3D_comb` merges them.
    ThreeD,
}

/// Settings that only this profile has; the others are those of [`Settings`].
#[derive(Debug, Clone, PartialEq)]
pub struct IbsiSettings {
    /// Take the features from the response to a filter of IBSI-2. Form, local intensities and diagnostics are of the image.
    pub filter: Option<Filter>,
    /// `None`: every family but `diag`; of a filter's response only those of its intensities.
    pub families: Option<Vec<Family>>,
    pub aggregations: Vec<Aggregation>,
    /// Leave intensities further than this many standard deviations from the mean out of the intensity mask, after
    /// `resegment_range`.
    pub resegment_outliers: Option<f64>,
    /// Round intensities after resampling. `None`: when the image holds integers.
    pub round_intensities: Option<bool>,
    /// Bin width of the intensity-volume histogram. Without it and `ivh_bin_count`, whole intensities are levels, and
    /// other ones fall into 1000 bins.
    pub ivh_bin_width: Option<f64>,
    pub ivh_bin_count: Option<u32>,
}

impl Default for IbsiSettings {
    fn default() -> Self {
        IbsiSettings {
            filter: None,
            families: None,
            aggregations: vec![Aggregation::ThreeD],
            resegment_outliers: None,
            round_intensities: None,
            ivh_bin_width: None,
            ivh_bin_count: None,
        }
    }
}

impl IbsiSettings {
    /// Whether features of a family are wanted.
    pub fn wants(&self, family: Family) -> bool {
        match &self.families {
            None if self.filter.is_some() => !Family::OF_IMAGE.contains(&family),
            None => family != Family::Diagnostics,
            Some(families) => families.contains(&family),
        }
    }

    /// What the names of features begin with.
    pub(crate) fn image_name(&self) -> &'static str {
        self.filter.as_ref().map_or("original", Filter::name)
    }

    /// Checks each value, and that `settings` asks for nothing that the profile has in another form.
    pub(crate) fn validate(&self, settings: &Settings) -> Result<(), RadiomicsError> {
        let refuse = |setting: &'static str, reason: &str| Err(RadiomicsError::Setting { setting, reason: reason.into() });
        let positive = |v: Option<f64>| v.is_none_or(|v| v.is_finite() && v > 0.0);
        let usual = Settings::default();
        let other = "has no meaning in the profile 'ibsi': leave it out";
        let changed = [
            ("image_types", settings.image_types != usual.image_types),
            ("feature_set", settings.feature_set != usual.feature_set),
            ("pre_crop", settings.pre_crop),
            ("resegment_mode", settings.resegment_mode != usual.resegment_mode),
            ("resegment_shape", settings.resegment_shape),
            ("force_2d", settings.force_2d),
            ("distances", settings.distances != usual.distances),
            ("symmetrical_glcm", !settings.symmetrical_glcm),
            ("weighting_norm", settings.weighting_norm.is_some()),
            ("gldm_a", settings.gldm_a != usual.gldm_a),
            ("voxel_array_shift", settings.voxel_array_shift != usual.voxel_array_shift),
        ];
        if let Some((setting, _)) = changed.into_iter().find(|(_, changed)| *changed) {
            return refuse(setting, other);
        }
        if self.families.as_ref().is_some_and(|families| families.is_empty()) {
            return refuse("feature_classes", "is empty: name at least one, or leave it out for all");
        }
        if let Some(filter) = &self.filter {
            filter.validate()?;
            if let Some(family) = Family::OF_IMAGE.into_iter().find(|family| self.families.is_some() && self.wants(*family)) {
                return refuse("feature_classes", &format!("has '{}', which a filter does not change: leave it out", family.name()));
            }
        }
        if self.aggregations.is_empty() {
            return refuse("aggregation", "is empty: name at least one of '2D', '2.5D' and '3D'");
        }
        if !positive(self.resegment_outliers) {
            return refuse("resegment_outliers", "must be above 0 standard deviations");
        }
        if !positive(self.ivh_bin_width) {
            return refuse("ivh_bin_width", "must be above 0");
        }
        if self.ivh_bin_count.is_some_and(|n| n < 2) {
            return refuse("ivh_bin_count", "must be 2 or more");
        }
        Ok(())
    }
}

/// Features of the region under the IBSI profile; `window` limits the intensities first.
pub(crate) fn extract(
    image: &Volume,
    window: Option<[f64; 2]>,
    mask: &Volume,
    settings: &Settings,
    ibsi: &IbsiSettings,
) -> Result<Features, RadiomicsError> {
    let case = prepare::prepare(image, window, mask, settings, ibsi)?;
    let image = ibsi.image_name();
    let mut found = Vec::new();
    let mut add = |family: Family, values: &mut dyn FnMut() -> Vec<(String, f64)>| {
        if ibsi.wants(family) {
            found.extend(values());
        }
    };
    add(Family::Diagnostics, &mut || case.diagnostics());
    add(Family::Morphology, &mut || morphology::morphology(&case));
    add(Family::Local, &mut || local::local_intensity(&case));
    add(Family::Statistics, &mut || intensity::statistics(&case.intensities()));
    if ibsi.wants(Family::Histogram) || catalogue::TEXTURES.into_iter().any(|family| ibsi.wants(family)) {
        let binned = levels::discretise(&case, settings)?;
        add(Family::Histogram, &mut || intensity::histogram(&binned));
        add(Family::VolumeHistogram, &mut || volume_histogram::volume_histogram(&case, ibsi));
        found.extend(texture::textures(&case, &binned, ibsi));
    } else {
        add(Family::VolumeHistogram, &mut || volume_histogram::volume_histogram(&case, ibsi));
    }
    Ok(Features(found.into_iter().map(|(tag, value)| (format!("{image}_{tag}"), value)).collect()))
}
