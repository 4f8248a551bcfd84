//! PyRadiomics' parameter files: YAML with `imageType`, `featureClass`, `setting` and `voxelSetting`.
//!
//! A file is taken as PyRadiomics 3.1 takes it: without image types the original image is used, without feature classes
//! all but `shape2D`; a class with names gives these features only; settings under an image type hold for its images
//! alone. `additionalInfo`, `label_channel`, `enableCExtensions` and `verbose` change no feature and are read past. A name
//! that PyRadiomics does not have is an error that names it.

use esccsql_imaging::Interpolator;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::features::feature_names;
use crate::{FeatureClass, ImageType, Lbp2DMethod, RadiomicsError, ResegmentMode, Settings, VoxelSettings, WeightingNorm};

/// Bytes that a parameter file may have.
const LONGEST: usize = 1 << 20;

/// What a parameter file asks for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parameters {
    pub settings: Settings,
    /// `voxelSetting`: of feature maps only.
    pub voxel: VoxelSettings,
}

/// Why a parameter file cannot be used.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ParametersError {
    #[error("the parameter file is not YAML: {0}")]
    Yaml(String),
    #[error("the parameter file has {0} bytes: at most {LONGEST} are read")]
    Long(usize),
    #[error("the parameter file has '{name}' under {place}; PyRadiomics knows {known}")]
    Unknown { name: String, place: String, known: String },
    #[error("the parameter file has {place}: {found}; expected {expected}")]
    Value { place: String, found: String, expected: &'static str },
    #[error("the parameter file: {0}")]
    Setting(#[from] RadiomicsError),
}

type Result<T> = std::result::Result<T, ParametersError>;

impl Parameters {
    /// Reads a parameter file's text.
    ///
    /// # Errors
    /// [`ParametersError`] says what PyRadiomics does not know, or what cannot be used.
    pub fn parse(text: &str) -> Result<Parameters> {
        if text.len() > LONGEST {
            return Err(ParametersError::Long(text.len()));
        }
        let empty = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
        let file: Value = match empty {
            true => Value::Null,
            false => serde_saphyr::from_str(text).map_err(|error| ParametersError::Yaml(error.to_string()))?,
        };
        Parameters::from_value(&file)
    }

    /// The same from a parsed file.
    pub fn from_value(file: &Value) -> Result<Parameters> {
        let mut parameters = Parameters::default();
        let file = mapping(file, "its top level")?;
        let sections = ["imageType", "featureClass", "setting", "voxelSetting"];
        if let Some(name) = file.keys().find(|name| !sections.contains(&name.as_str())) {
            return Err(unknown(name, "its top level", &sections));
        }
        let section = |name: &str| mapping(file.get(name).unwrap_or(&Value::Null), name);
        for (name, value) in section("setting")? {
            set(&mut parameters.settings, name, value, "setting")?;
        }
        for (name, value) in section("voxelSetting")? {
            parameters.voxel.set(name, value)?;
        }
        let image_types = section("imageType")?;
        if !image_types.is_empty() {
            parameters.settings.image_types.clear();
        }
        for (name, custom) in image_types {
            let image_type = entry(name, "imageType", &IMAGE_TYPES)?;
            parameters.settings.image_types.push(image_type);
            let place = format!("imageType, {name}");
            let custom = mapping(custom, &place)?;
            if !custom.is_empty() {
                let mut own = Settings { image_types: vec![image_type], ..parameters.settings.clone() };
                own.image_settings.clear();
                for (name, value) in custom {
                    set(&mut own, name, value, &place)?;
                }
                parameters.settings.image_settings.push((image_type, own));
            }
        }
        classes(&mut parameters.settings, &section("featureClass")?)?;
        parameters.settings.validate()?;
        parameters.voxel.validate()?;
        Ok(parameters)
    }
}

/// Classes and, where a class has names, its features.
fn classes(settings: &mut Settings, section: &Map<String, Value>) -> Result<()> {
    if section.is_empty() {
        return Ok(());
    }
    let mut classes = Vec::new();
    let mut selected = Vec::new();
    for (name, features) in section {
        let class = entry(name, "featureClass", &CLASSES)?;
        let place = format!("featureClass, {name}");
        classes.push(class);
        let names = match features {
            Value::Null => &[][..],
            Value::Array(names) => names,
            other => return Err(wrong(&place, other, "a list of features, or nothing for all")),
        };
        let known: Vec<&str> = feature_names(class).collect();
        let mut wanted = Vec::new();
        for name in names {
            let name = text(name, &place)?;
            if !known.contains(&name) {
                return Err(unknown(name, &place, &known));
            }
            wanted.push(name.to_string());
        }
        if !wanted.is_empty() {
            selected.push((class, wanted));
        }
    }
    settings.feature_classes = Some(classes.clone());
    settings.selected = selected.clone();
    for (_, own) in &mut settings.image_settings {
        own.feature_classes = Some(classes.clone());
        own.selected = selected.clone();
    }
    Ok(())
}

/// Gives `settings` one of PyRadiomics' settings.
fn set(s: &mut Settings, name: &str, v: &Value, section: &str) -> Result<()> {
    let place = &format!("{section}, {name}");
    let some = !v.is_null();
    match name {
        "minimumROIDimensions" => s.minimum_roi_dimensions = whole(v, place)?,
        "minimumROISize" => s.minimum_roi_size = some.then(|| whole(v, place).map(u64::from)).transpose()?,
        "geometryTolerance" => s.geometry_tolerance = if some { number(v, place)? } else { Settings::default().geometry_tolerance },
        "correctMask" => s.correct_mask = flag(v, place)?,
        "label" => s.label = whole(v, place)?,
        "binWidth" => s.bin_width = number(v, place)?,
        "binCount" => s.bin_count = some.then(|| whole(v, place)).transpose()?,
        "normalize" => s.normalize = flag(v, place)?,
        "normalizeScale" => s.normalize_scale = number(v, place)?,
        "removeOutliers" => s.remove_outliers = some.then(|| number(v, place)).transpose()?,
        "resampledPixelSpacing" => {
            let spacing = |v| <[f64; 3]>::try_from(numbers(v, place)?).map_err(|_| wrong(place, v, "three spacings in mm, x, y, z"));
            s.resampled_pixel_spacing = some.then(|| spacing(v)).transpose()?;
        }
        "interpolator" => s.interpolator = interpolator(v, place)?,
        "padDistance" => s.pad_distance = whole(v, place)?,
        "distances" => s.distances = list(v, place)?.iter().map(|v| whole(v, place)).collect::<Result<_>>()?,
        "force2D" => s.force_2d = flag(v, place)?,
        "force2Ddimension" => s.force_2d_dimension = whole(v, place)? as usize,
        "resegmentRange" => s.resegment_range = some.then(|| numbers(v, place)).transpose()?,
        "resegmentMode" => s.resegment_mode = entry(text(v, place)?, place, &MODES)?,
        "resegmentShape" => s.resegment_shape = flag(v, place)?,
        "preCrop" => s.pre_crop = flag(v, place)?,
        "sigma" => {
            s.sigma = numbers(v, place)?;
            s.sigma_without_point = list(v, place)?.iter().filter(|v| !v.is_f64()).filter_map(Value::as_f64).collect();
        }
        "start_level" => s.start_level = whole(v, place)?,
        "level" => s.level = whole(v, place)?,
        "wavelet" => s.wavelet = text(v, place)?.to_string(),
        "gradientUseSpacing" => s.gradient_use_spacing = flag(v, place)?,
        "lbp2DRadius" => s.lbp_2d_radius = number(v, place)?,
        "lbp2DSamples" => s.lbp_2d_samples = whole(v, place)?,
        "lbp2DMethod" => s.lbp_2d_method = entry(text(v, place)?, place, &LBP_METHODS)?,
        "lbp3DLevels" => s.lbp_3d_levels = whole(v, place)?,
        "lbp3DIcosphereRadius" => s.lbp_3d_icosphere_radius = number(v, place)?,
        "lbp3DIcosphereSubdivision" => s.lbp_3d_icosphere_subdivision = whole(v, place)?,
        "voxelArrayShift" => s.voxel_array_shift = number(v, place)?,
        "symmetricalGLCM" => s.symmetrical_glcm = flag(v, place)?,
        "weightingNorm" => s.weighting_norm = some.then(|| entry(text(v, place)?, place, &NORMS)).transpose()?,
        "gldm_a" => s.gldm_a = number(v, place)?,
        "label_channel" => whole(v, place).map(|_| ())?,
        "additionalInfo" | "enableCExtensions" | "verbose" => {}
        _ => return Err(unknown(name, section, &SETTINGS)),
    }
    Ok(())
}

impl VoxelSettings {
    /// Gives one of PyRadiomics' settings of feature maps.
    fn set(&mut self, name: &str, v: &Value) -> Result<()> {
        let place = &format!("voxelSetting, {name}");
        match name {
            "kernelRadius" => self.kernel_radius = whole(v, place)?,
            "maskedKernel" => self.masked_kernel = flag(v, place)?,
            "initValue" => {
                self.init_value = match v.as_str().map(str::to_ascii_lowercase).as_deref() {
                    Some("nan" | ".nan") => f64::NAN,
                    _ => number(v, place)?,
                }
            }
            // Maps are made voxel by voxel: any batch gives the same map.
            "voxelBatch" => number(v, place).map(|_| ())?,
            _ => return Err(unknown(name, "voxelSetting", &["kernelRadius", "maskedKernel", "initValue", "voxelBatch"])),
        }
        Ok(())
    }
}

/// SimpleITK's interpolators by name or number. `None` leaves the image on its grid.
fn interpolator(v: &Value, place: &str) -> Result<Option<Interpolator>> {
    let expected = "sitkBSpline, sitkLinear or sitkNearestNeighbor (or their numbers 3, 2 and 1)";
    Ok(Some(match (v, v.as_str(), v.as_u64()) {
        (Value::Null, ..) => return Ok(None),
        (_, Some("sitkBSpline"), _) | (.., Some(3)) => Interpolator::BSpline,
        (_, Some("sitkLinear"), _) | (.., Some(2)) => Interpolator::Linear,
        (_, Some("sitkNearestNeighbor"), _) | (.., Some(1)) => Interpolator::Nearest,
        _ => return Err(wrong(place, v, expected)),
    }))
}

fn unknown(name: &str, place: &str, known: &[&str]) -> ParametersError {
    ParametersError::Unknown { name: name.into(), place: place.into(), known: known.join(", ") }
}

fn wrong(place: &str, found: &Value, expected: &'static str) -> ParametersError {
    let mut found: String = found.to_string().chars().take(80).collect();
    if found.is_empty() {
        found = "nothing".into();
    }
    ParametersError::Value { place: place.into(), found, expected }
}

/// A mapping; nothing is an empty one.
fn mapping(v: &Value, place: &str) -> Result<Map<String, Value>> {
    match v {
        Value::Null => Ok(Map::new()),
        Value::Object(map) => Ok(map.clone()),
        other => Err(wrong(place, other, "names with values")),
    }
}

fn flag(v: &Value, place: &str) -> Result<bool> {
    v.as_bool().ok_or_else(|| wrong(place, v, "true or false"))
}

fn number(v: &Value, place: &str) -> Result<f64> {
    v.as_f64().ok_or_else(|| wrong(place, v, "a number"))
}

fn whole(v: &Value, place: &str) -> Result<u32> {
    v.as_u64().and_then(|v| u32::try_from(v).ok()).ok_or_else(|| wrong(place, v, "a whole number of 0 or more"))
}

fn text<'a>(v: &'a Value, place: &str) -> Result<&'a str> {
    v.as_str().ok_or_else(|| wrong(place, v, "a name"))
}

fn list<'a>(v: &'a Value, place: &str) -> Result<&'a [Value]> {
    v.as_array().map(Vec::as_slice).ok_or_else(|| wrong(place, v, "a list"))
}

fn numbers(v: &Value, place: &str) -> Result<Vec<f64>> {
    list(v, place)?.iter().map(|v| number(v, place)).collect()
}

/// The entry of a name.
fn entry<T: Copy>(name: &str, place: &str, entries: &[(&str, T)]) -> Result<T> {
    let found = entries.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    found.ok_or_else(|| unknown(name, place, &entries.iter().map(|(known, _)| *known).collect::<Vec<_>>()))
}

const IMAGE_TYPES: [(&str, ImageType); 10] = [
    ("Original", ImageType::Original),
    ("Wavelet", ImageType::Wavelet),
    ("LoG", ImageType::LoG),
    ("Square", ImageType::Square),
    ("SquareRoot", ImageType::SquareRoot),
    ("Logarithm", ImageType::Logarithm),
    ("Exponential", ImageType::Exponential),
    ("Gradient", ImageType::Gradient),
    ("LBP2D", ImageType::Lbp2D),
    ("LBP3D", ImageType::Lbp3D),
];

const CLASSES: [(&str, FeatureClass); 8] = [
    ("shape", FeatureClass::Shape),
    ("shape2D", FeatureClass::Shape2D),
    ("firstorder", FeatureClass::FirstOrder),
    ("glcm", FeatureClass::Glcm),
    ("glrlm", FeatureClass::Glrlm),
    ("glszm", FeatureClass::Glszm),
    ("gldm", FeatureClass::Gldm),
    ("ngtdm", FeatureClass::Ngtdm),
];

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

/// Every setting that a file may have.
const SETTINGS: [&str; 39] = [
    "minimumROIDimensions",
    "minimumROISize",
    "geometryTolerance",
    "correctMask",
    "additionalInfo",
    "label",
    "label_channel",
    "binWidth",
    "binCount",
    "normalize",
    "normalizeScale",
    "removeOutliers",
    "resampledPixelSpacing",
    "interpolator",
    "padDistance",
    "distances",
    "force2D",
    "force2Ddimension",
    "resegmentRange",
    "resegmentMode",
    "resegmentShape",
    "preCrop",
    "sigma",
    "start_level",
    "level",
    "wavelet",
    "gradientUseSpacing",
    "lbp2DRadius",
    "lbp2DSamples",
    "lbp2DMethod",
    "lbp3DLevels",
    "lbp3DIcosphereRadius",
    "lbp3DIcosphereSubdivision",
    "voxelArrayShift",
    "symmetricalGLCM",
    "weightingNorm",
    "gldm_a",
    "enableCExtensions",
    "verbose",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_as_published_with_pyradiomics() {
        let text = "\
# Comments stay comments
imageType:
  Original: {}
  LoG:
    sigma: [1.0, 3]
    binWidth: 10
  Wavelet:
featureClass:
  shape:
  firstorder: [Mean, Energy]
  glcm: []
setting:
  resampledPixelSpacing: null
  interpolator: 'sitkBSpline'
  binWidth: 25
  label: 2
  weightingNorm:
voxelSetting:
  kernelRadius: 2
  initValue: nan
";
        let Parameters { settings, voxel } = Parameters::parse(text).unwrap();
        assert_eq!(settings.image_types, [ImageType::Original, ImageType::LoG, ImageType::Wavelet]);
        assert_eq!((settings.label, settings.bin_width, settings.interpolator), (2, 25.0, Some(Interpolator::BSpline)));
        let log = settings.of_image(ImageType::LoG);
        assert_eq!((log.bin_width, &log.sigma[..], &log.sigma_without_point[..]), (10.0, &[1.0, 3.0][..], &[3.0][..]));
        assert!(settings.has(FeatureClass::FirstOrder, "Mean") && !settings.has(FeatureClass::FirstOrder, "Median"));
        assert!(settings.has(FeatureClass::Glcm, "MCC") && !settings.wants(FeatureClass::Gldm));
        assert!(voxel.kernel_radius == 2 && voxel.init_value.is_nan());
        let listed: Vec<String> = crate::features(&settings).unwrap().into_iter().map(|f| f.name).collect();
        assert!(listed.contains(&"log-sigma-3-mm-3D_firstorder_Mean".to_string()), "{listed:?}");
        assert_eq!(listed.len(), 14 + 11 * (2 + 24));
    }

    #[test]
    fn an_empty_file_is_the_defaults() {
        assert_eq!(Parameters::parse("# nothing\n").unwrap(), Parameters::default());
        assert_eq!(Parameters::parse("setting:\n").unwrap(), Parameters::default());
    }

    #[test]
    fn what_is_not_known_is_named() {
        for (text, named) in [
            ("setings:\n  binWidth: 5", "'setings' under its top level"),
            ("setting:\n  binwidth: 5", "'binwidth' under setting"),
            ("imageType:\n  Wavlet: {}", "'Wavlet' under imageType"),
            ("featureClass:\n  glcm: [Homogeneity]", "'Homogeneity' under featureClass, glcm"),
            ("setting:\n  binWidth: wide", "setting, binWidth: \"wide\"; expected a number"),
            ("setting:\n  binWidth: -1", "bin_width is -1"),
            ("imageType:\n  LoG: {binWidth: 5}", "sigma is empty"),
            ("setting: [1, 2]", "setting: [1,2]; expected names with values"),
            ("voxelSetting:\n  kernel: 1", "'kernel' under voxelSetting"),
            ("setting: {binWidth: 5", "not YAML"),
        ] {
            let error = Parameters::parse(text).unwrap_err().to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
    }
}
