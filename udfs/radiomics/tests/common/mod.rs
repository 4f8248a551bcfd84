//! What the tests against the reference values share: files, cases, settings, comparison.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use esccsql_imaging::{Interpolator, Volume, read_volume};
use esccsql_radiomics::{FeatureClass, ImageType, RadiomicsError, ResegmentMode, Settings, WeightingNorm, extract_windowed};
use flate2::read::MultiGzDecoder;
use serde_json::Value;

/// The folder of reference values, or `None` (with a line that says so) where it is absent.
pub fn reference() -> Option<PathBuf> {
    let folder = PathBuf::from("../../../shared/reference/radiomics");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: ../shared is not here");
    None
}

/// Text of a file, unpacked when its name ends in `.gz`.
pub fn text(path: PathBuf) -> String {
    let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    if path.extension().is_some_and(|e| e == "gz") {
        let mut text = String::new();
        MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        return text;
    }
    String::from_utf8(bytes).unwrap()
}

pub fn json(path: PathBuf) -> Value {
    serde_json::from_str(&text(path)).unwrap()
}

/// Settings, window and image types of an entry in settings.json. `None`: image types that are not asked for.
pub fn settings(entry: &Value, label: u32) -> (Settings, Option<[f64; 2]>) {
    let mut s = Settings { label, ..Settings::default() };
    let number = |v: &Value| v.as_f64().unwrap();
    for (key, v) in entry["settings"].as_object().unwrap() {
        let some = !v.is_null();
        match key.as_str() {
            "label" => {}
            "minimumROIDimensions" => s.minimum_roi_dimensions = number(v) as u32,
            "minimumROISize" => s.minimum_roi_size = some.then(|| number(v) as u64),
            "correctMask" => s.correct_mask = v.as_bool().unwrap(),
            "normalize" => s.normalize = v.as_bool().unwrap(),
            "normalizeScale" => s.normalize_scale = number(v),
            "removeOutliers" => s.remove_outliers = some.then(|| number(v)),
            "resampledPixelSpacing" => {
                s.resampled_pixel_spacing = some.then(|| std::array::from_fn(|a| number(&v[a])));
            }
            "interpolator" => {
                s.interpolator = some.then(|| match v.as_str().unwrap() {
                    "sitkBSpline" => Interpolator::BSpline,
                    "sitkLinear" => Interpolator::Linear,
                    "sitkNearestNeighbor" => Interpolator::Nearest,
                    other => panic!("{other}"),
                });
            }
            "preCrop" => s.pre_crop = v.as_bool().unwrap(),
            "padDistance" => s.pad_distance = number(v) as u32,
            "resegmentRange" => s.resegment_range = some.then(|| v.as_array().unwrap().iter().map(number).collect()),
            "resegmentMode" => {
                s.resegment_mode = match v.as_str().unwrap() {
                    "absolute" => ResegmentMode::Absolute,
                    "relative" => ResegmentMode::Relative,
                    "sigma" => ResegmentMode::Sigma,
                    other => panic!("{other}"),
                }
            }
            "resegmentShape" => s.resegment_shape = v.as_bool().unwrap(),
            "binWidth" => s.bin_width = number(v),
            "binCount" => s.bin_count = some.then(|| number(v) as u32),
            "force2D" => s.force_2d = v.as_bool().unwrap(),
            "force2Ddimension" => s.force_2d_dimension = number(v) as usize,
            "distances" => s.distances = v.as_array().unwrap().iter().map(|d| number(d) as u32).collect(),
            "symmetricalGLCM" => s.symmetrical_glcm = v.as_bool().unwrap(),
            "weightingNorm" => {
                s.weighting_norm = v.as_str().map(|name| match name {
                    "infinity" => WeightingNorm::Infinity,
                    "euclidean" => WeightingNorm::Euclidean,
                    "manhattan" => WeightingNorm::Manhattan,
                    "no_weighting" => WeightingNorm::NoWeighting,
                    other => panic!("{other}"),
                });
            }
            "gldm_a" => s.gldm_a = number(v),
            "voxelArrayShift" => s.voxel_array_shift = number(v),
            "gradientUseSpacing" => s.gradient_use_spacing = v.as_bool().unwrap(),
            other => panic!("setting {other}"),
        }
    }
    if entry["shape2D"] == true {
        use FeatureClass::*;
        s.feature_classes = Some(vec![Shape, Shape2D, FirstOrder, Glcm, Gldm, Glrlm, Glszm, Ngtdm]);
    }
    s.image_types.clear();
    for (name, options) in entry["imageTypes"].as_object().unwrap() {
        s.image_types.push(match name.as_str() {
            "Original" => ImageType::Original,
            "Wavelet" => ImageType::Wavelet,
            "LoG" => ImageType::LoG,
            "Square" => ImageType::Square,
            "SquareRoot" => ImageType::SquareRoot,
            "Logarithm" => ImageType::Logarithm,
            "Exponential" => ImageType::Exponential,
            "Gradient" => ImageType::Gradient,
            "LBP2D" => ImageType::Lbp2D,
            "LBP3D" => ImageType::Lbp3D,
            other => panic!("{other}"),
        });
        for (key, v) in options.as_object().unwrap() {
            match key.as_str() {
                "wavelet" => s.wavelet = v.as_str().unwrap().to_string(),
                "level" => s.level = number(v) as u32,
                "start_level" => s.start_level = number(v) as u32,
                "sigma" => s.sigma = v.as_array().unwrap().iter().map(number).collect(),
                other => panic!("{other}"),
            }
        }
    }
    let window = entry["clip"].as_array().map(|c| [number(&c[0]), number(&c[1])]);
    (s, window)
}

/// Reference values of one (case, setting): PyRadiomics' name -> value.
pub type Expected = BTreeMap<String, f64>;

/// A table of reference values, by (case, setting).
pub fn table(path: PathBuf) -> BTreeMap<(String, String), Expected> {
    let mut table: BTreeMap<(String, String), Expected> = BTreeMap::new();
    for line in text(path).lines().skip(1) {
        let f: Vec<&str> = line.split(',').collect();
        let name = format!("{}_{}_{}", f[2], f[3], f[4]);
        table.entry((f[0].into(), f[1].into())).or_default().insert(name, f[5].parse().unwrap());
    }
    table
}

/// The cases' images and masks, and the settings by name.
pub struct Cases {
    folder: PathBuf,
    cases: Value,
    settings: Value,
    images: BTreeMap<String, Volume>,
}

impl Cases {
    pub fn new(folder: &std::path::Path) -> Cases {
        Cases {
            folder: folder.to_path_buf(),
            cases: json(folder.join("cases.json")),
            settings: json(folder.join("settings.json"))["settings"].take(),
            images: BTreeMap::new(),
        }
    }

    fn load(&mut self, path: &str) {
        if !self.images.contains_key(path) {
            self.images.insert(path.to_string(), read_volume(self.folder.join(path)).unwrap());
        }
    }

    /// Features of a case under a setting.
    pub fn run(&mut self, case: &str, setting: &str) -> Result<BTreeMap<String, f64>, RadiomicsError> {
        let (image, mask) = (self.cases[case]["image"].clone(), self.cases[case]["mask"].clone());
        let (image, mask) = (image.as_str().unwrap(), mask.as_str().unwrap());
        let label = self.cases[case]["label"].as_u64().unwrap() as u32;
        self.load(image);
        self.load(mask);
        let (settings, window) = settings(&self.settings[setting], label);
        let features = extract_windowed(&self.images[image], window, &self.images[mask], &settings)?;
        Ok(features.0.into_iter().collect())
    }
}

/// Values that differ by more than `tolerance`, relative to their own size or to the natural size of what they
/// measure: a mean near 0 is compared with the spread, a cube's sign-changing sum with the cube of the spread.
pub fn differences(expected: &Expected, found: &BTreeMap<String, f64>, tolerance: f64) -> Vec<String> {
    let mut out = Vec::new();
    for (name, want) in expected {
        let Some(got) = found.get(name) else {
            out.push(format!("{name}: missing"));
            continue;
        };
        let (prefix, feature) = name.rsplit_once('_').unwrap();
        let other = |feature: &str| expected.get(&format!("{prefix}_{feature}")).copied().unwrap_or(0.0).abs();
        let scale = match feature {
            "ClusterShade" => other("ClusterTendency").powf(1.5),
            "Mean" | "Median" | "10Percentile" | "90Percentile" => other("Range"),
            "Skewness" | "Imc1" | "Imc2" | "MCC" | "Correlation" | "Flatness" => 1.0,
            // Differences of intensities round as the intensities do.
            "InterquartileRange" | "RobustMeanAbsoluteDeviation" | "MeanAbsoluteDeviation" | "Range" => {
                1e-3 * other("Maximum").max(other("Minimum"))
            }
            "LeastAxisLength" => other("MajorAxisLength"),
            _ => 0.0,
        };
        let same = want == got || (want.is_nan() && got.is_nan());
        let error = (want - got).abs() / want.abs().max(scale);
        if !same && (error.is_nan() || error > tolerance) {
            out.push(format!("{name}: expected {want:?}, found {got:?}, off by {error:.1e}"));
        }
    }
    out
}
