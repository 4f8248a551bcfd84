//! From options to settings: PyRadiomics' defaults or a parameter file, then each option that was given.

use std::io::Read;

use esccsql_imaging::{Interpolator, place};
use esccsql_radiomics::{
    Aggregation, FAMILIES, FeatureClass, FeatureSet, IbsiSettings, ImageType, Lbp2DMethod, Parameters, ResegmentMode, Settings,
    VoxelSettings, WeightingNorm,
};
use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value};

use super::options::Fields;
use crate::shape::{Environment, OptionDoc, Problem};

/// The options as they were given, checked, and what they come to.
#[derive(Debug, Clone, Default)]
pub struct Options {
    given: Map<String, Value>,
    parameters: Parameters,
}

impl crate::shape::Options for Options {
    fn docs() -> Vec<OptionDoc> {
        Fields::docs()
    }
}

impl<'de> Deserialize<'de> for Options {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Options, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let fields: Fields = serde_json::from_value(value.clone()).map_err(de::Error::custom)?;
        let Value::Object(given) = value else { return Err(de::Error::custom("expected a STRUCT")) };
        let parameters = fields.parameters(&given).map_err(de::Error::custom)?;
        Ok(Options { given, parameters })
    }
}

/// Options that only the profile 'ibsi' has.
const IBSI_ONLY: [&str; 6] = ["filter", "aggregation", "resegment_outliers", "round_intensities", "ivh_bin_width", "ivh_bin_count"];

/// Options that only maps have.
const MAP_ONLY: [&str; 3] = ["kernel_radius", "masked_kernel", "init_value"];

impl Options {
    /// The kernel's settings, for everything but maps.
    pub fn settings(&self) -> Result<&Settings, Problem> {
        match MAP_ONLY.into_iter().find(|name| self.given.contains_key(*name)) {
            Some(name) => Err(Problem::user(format!("options: `{name}` is an option of radiomics_map: leave it out here"))),
            None => Ok(&self.parameters.settings),
        }
    }

    /// The kernel's settings of a map.
    pub fn of_map(&self) -> (&Settings, &VoxelSettings) {
        (&self.parameters.settings, &self.parameters.voxel)
    }

    /// The options that were given, as JSON.
    pub fn given(&self) -> String {
        Value::Object(self.given.clone()).to_string()
    }
}

impl Fields {
    /// What the options come to; `given` are those that count.
    fn parameters(&self, given: &Map<String, Value>) -> Result<Parameters, Problem> {
        let mut parameters = match &self.params {
            None => Parameters::default(),
            Some(params) => read_parameters(params)?,
        };
        match self.profile.as_str() {
            "pyradiomics" => {
                if let Some(name) = IBSI_ONLY.into_iter().find(|name| given.contains_key(*name)) {
                    return Err(Problem::user(format!("`{name}` belongs to the profile 'ibsi': add 'profile': 'ibsi', or leave it out")));
                }
            }
            "ibsi" if self.params.is_some() => {
                return Err(Problem::user(
                    "`params` is a file of PyRadiomics' settings; the profile 'ibsi' takes options: leave one of the two out",
                ));
            }
            "ibsi" => parameters.settings.ibsi = Some(self.ibsi()?),
            other => return Err(Problem::user(format!("`profile` is '{other}'; expected 'pyradiomics' or 'ibsi'"))),
        }
        let given: Vec<&str> = given.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name.as_str()).collect();
        for name in &given {
            self.apply(name, &mut parameters.settings)?;
            for (_, own) in &mut parameters.settings.image_settings {
                self.apply(name, own)?;
            }
        }
        let voxel = &mut parameters.voxel;
        for name in given {
            match name {
                "kernel_radius" => voxel.kernel_radius = self.kernel_radius,
                "masked_kernel" => voxel.masked_kernel = self.masked_kernel,
                "init_value" => voxel.init_value = self.init_value,
                _ => {}
            }
        }
        parameters.settings.validate().map_err(Problem::user)?;
        parameters.voxel.validate().map_err(Problem::user)?;
        Ok(parameters)
    }

    fn ibsi(&self) -> Result<IbsiSettings, Problem> {
        Ok(IbsiSettings {
            filter: self.filter.as_ref().map(|filter| filter.0.filter()),
            families: self.feature_classes.as_ref().map(|names| choose_all("feature_classes", names, &FAMILIES)).transpose()?,
            aggregations: choose_all("aggregation", &self.aggregation, &AGGREGATIONS)?,
            resegment_outliers: self.resegment_outliers,
            round_intensities: self.round_intensities,
            ivh_bin_width: self.ivh_bin_width,
            ivh_bin_count: self.ivh_bin_count,
        })
    }

    /// Gives `s` the value of one option.
    fn apply(&self, name: &str, s: &mut Settings) -> Result<(), Problem> {
        match name {
            "image_types" => s.image_types = choose_all(name, &self.image_types, &IMAGE_TYPES)?,
            "feature_classes" if s.ibsi.is_none() => {
                s.feature_classes = self.feature_classes.as_ref().map(|names| choose_all(name, names, &CLASSES)).transpose()?;
            }
            "feature_set" => s.feature_set = choose(name, &self.feature_set, &FEATURE_SETS)?,
            "label" => s.label = self.label,
            "label_channel" => s.label_channel = self.label_channel,
            "minimum_roi_dimensions" => s.minimum_roi_dimensions = self.minimum_roi_dimensions,
            "minimum_roi_size" => s.minimum_roi_size = self.minimum_roi_size,
            "geometry_tolerance" => s.geometry_tolerance = self.geometry_tolerance,
            "correct_mask" => s.correct_mask = self.correct_mask,
            "normalize" => s.normalize = self.normalize,
            "normalize_scale" => s.normalize_scale = self.normalize_scale,
            "remove_outliers" => s.remove_outliers = self.remove_outliers,
            "resampled_pixel_spacing" => s.resampled_pixel_spacing = self.resampled_pixel_spacing,
            "interpolator" => s.interpolator = Some(choose(name, &self.interpolator, &INTERPOLATORS)?),
            "pre_crop" => s.pre_crop = self.pre_crop,
            "pad_distance" => s.pad_distance = self.pad_distance,
            "resegment_range" => s.resegment_range = self.resegment_range.clone(),
            "resegment_mode" => s.resegment_mode = choose(name, &self.resegment_mode, &MODES)?,
            "resegment_shape" => s.resegment_shape = self.resegment_shape,
            "bin_width" => s.bin_width = self.bin_width,
            "bin_count" => s.bin_count = self.bin_count,
            "force_2d" => s.force_2d = self.force_2d,
            "force_2d_dimension" => s.force_2d_dimension = self.force_2d_dimension,
            "distances" => s.distances = self.distances.clone(),
            "symmetrical_glcm" => s.symmetrical_glcm = self.symmetrical_glcm,
            "weighting_norm" => {
                s.weighting_norm = self.weighting_norm.as_ref().map(|norm| choose(name, norm, &NORMS)).transpose()?;
            }
            "gldm_a" => s.gldm_a = self.gldm_a,
            "voxel_array_shift" => s.voxel_array_shift = self.voxel_array_shift,
            "wavelet" => s.wavelet = self.wavelet.clone(),
            "start_level" => s.start_level = self.start_level,
            "level" => s.level = self.level,
            "sigma" => {
                s.sigma = self.sigma.clone();
                s.sigma_without_point.clear();
            }
            "gradient_use_spacing" => s.gradient_use_spacing = self.gradient_use_spacing,
            "lbp_2d_radius" => s.lbp_2d_radius = self.lbp_2d_radius,
            "lbp_2d_samples" => s.lbp_2d_samples = self.lbp_2d_samples,
            "lbp_2d_method" => s.lbp_2d_method = choose(name, &self.lbp_2d_method, &LBP_METHODS)?,
            "lbp_3d_levels" => s.lbp_3d_levels = self.lbp_3d_levels,
            "lbp_3d_icosphere_radius" => s.lbp_3d_icosphere_radius = self.lbp_3d_icosphere_radius,
            "lbp_3d_icosphere_subdivision" => s.lbp_3d_icosphere_subdivision = self.lbp_3d_icosphere_subdivision,
            _ => {}
        }
        Ok(())
    }
}

/// Bytes that are read of a parameter file.
const LONGEST: u64 = 2 << 20;

/// A parameter file by its path, or the text of one.
fn read_parameters(params: &str) -> Result<Parameters, Problem> {
    if params.contains('\n') {
        return Parameters::parse(params).map_err(|error| Problem::user(format!("`params`: {error}")));
    }
    let told = |error: String| Problem::user(format!("`params` {params}: {error}"));
    Environment::current().check_path(&place(params))?;
    let mut text = String::new();
    let file = std::fs::File::open(place(params)).map_err(|error| told(format!("cannot be opened ({error})")))?;
    file.take(LONGEST).read_to_string(&mut text).map_err(|error| told(format!("is not a text ({error})")))?;
    Parameters::parse(&text).map_err(|error| told(error.to_string()))
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

const LBP_METHODS: [(&str, Lbp2DMethod); 4] =
    [("default", Lbp2DMethod::Default), ("ror", Lbp2DMethod::Ror), ("uniform", Lbp2DMethod::Uniform), ("var", Lbp2DMethod::Var)];

/// The entries of some names.
fn choose_all<T: Copy>(option: &str, names: &[String], entries: &[(&str, T)]) -> Result<Vec<T>, Problem> {
    names.iter().map(|name| choose(option, name, entries)).collect()
}

/// The entry of a name, or an error that lists the names.
fn choose<T: Copy>(option: &str, name: &str, entries: &[(&str, T)]) -> Result<T, Problem> {
    entries.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<String> = entries.iter().map(|(known, _)| format!("'{known}'")).collect();
        Problem::user(format!("`{option}` has '{name}'; expected {}", names.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Options as _;
    use serde_json::json;

    fn parse(value: Value) -> Result<Options, Problem> {
        Options::parse(&value)
    }

    /// Each option, given with a value that is not its default, changes what the kernel is told.
    #[test]
    fn no_option_is_passed_over() {
        let others = json!({
            "image_types": ["square"], "feature_classes": ["glcm"], "feature_set": "escc2026", "label": 2, "label_channel": 0, "minimum_roi_dimensions": 3,
            "minimum_roi_size": 9, "geometry_tolerance": 1e-3, "correct_mask": true, "normalize": true, "normalize_scale": 2,
            "remove_outliers": 3, "resampled_pixel_spacing": [1, 2, 3], "interpolator": "linear", "pre_crop": true, "pad_distance": 6,
            "resegment_range": [0], "resegment_mode": "sigma", "resegment_shape": true, "bin_width": 5, "bin_count": 8, "force_2d": true,
            "force_2d_dimension": 1, "distances": [2], "symmetrical_glcm": false, "weighting_norm": "manhattan", "gldm_a": 1,
            "voxel_array_shift": 5, "wavelet": "haar", "start_level": 1, "level": 2, "sigma": [2], "gradient_use_spacing": false,
            "lbp_2d_radius": 2, "lbp_2d_samples": 9, "lbp_2d_method": "var", "lbp_3d_levels": 3, "lbp_3d_icosphere_radius": 2,
            "lbp_3d_icosphere_subdivision": 2, "kernel_radius": 2, "masked_kernel": false, "init_value": 1, "profile": "ibsi",
            "filter": { "name": "mean" }, "aggregation": ["2D"], "resegment_outliers": 3, "round_intensities": true, "ivh_bin_width": 2, "ivh_bin_count": 9,
            "params": "setting:\n  label: 3",
        });
        for doc in Fields::docs() {
            let value = others[doc.name].clone();
            assert!(!value.is_null(), "{}: a value is missing in this test", doc.name);
            let mut options = json!({ doc.name: value });
            if IBSI_ONLY.contains(&doc.name) {
                options["profile"] = "ibsi".into();
            }
            assert_ne!(parse(options).unwrap().parameters, Parameters::default(), "{}", doc.name);
        }
    }

    #[test]
    fn options_replace_what_the_file_says() {
        let text = "imageType:\n  Original:\n  LoG: {sigma: [2], binWidth: 7}\nsetting:\n  label: 3\n  binWidth: 10\n";
        let file = parse(json!({ "params": text })).unwrap();
        let settings = file.settings().unwrap();
        assert_eq!((settings.label, settings.bin_width, settings.of_image(ImageType::LoG).bin_width), (3, 10.0, 7.0));
        let both = parse(json!({ "params": text, "bin_width": 25 })).unwrap();
        let settings = both.settings().unwrap();
        assert_eq!((settings.label, settings.bin_width, settings.of_image(ImageType::LoG).bin_width), (3, 25.0, 25.0));
        assert_eq!(serde_json::from_str::<Value>(&both.given()).unwrap()["bin_width"], 25);
    }

    #[test]
    fn what_does_not_go_together_is_told() {
        for (options, words) in [
            (json!({ "params": "setting:\n  binwidth: 3" }), "PyRadiomics knows minimumROIDimensions"),
            (json!({ "params": "no/such/file.yaml" }), "cannot be opened"),
            (json!({ "params": "setting:\n  label: 3", "profile": "ibsi" }), "leave one of the two out"),
            (json!({ "aggregation": ["3D"] }), "add 'profile': 'ibsi'"),
            (json!({ "bin_width": 0 }), "bin_width"),
            (json!({ "profile": "ibsi", "filter": { "name": "mean", "suport": 3 } }), "unknown option `suport`"),
            (json!({ "profile": "ibsi", "filter": { "name": "mean", "support": 4 } }), "odd number"),
            (json!({ "profile": "ibsi", "filter": { "name": "sobel" } }), "sobel"),
            (json!({ "profile": "ibsi", "filter": { "name": "mean" }, "feature_classes": ["morph"] }), "filter does not change"),
            (json!({ "kernel_radius": 0 }), "kernel_radius"),
            (json!({ "bin_wdth": 1 }), "unknown option `bin_wdth`, expected one of `params`"),
            (json!({ "bin_width": "wide" }), "option `bin_width`"),
        ] {
            let message = parse(options.clone()).unwrap_err().to_string();
            assert!(message.contains(words), "{options}: {message}");
        }
        let map = parse(json!({ "kernel_radius": 2 })).unwrap();
        assert!(map.settings().unwrap_err().to_string().contains("radiomics_map"));
        assert_eq!(map.of_map().1.kernel_radius, 2);
    }
}
