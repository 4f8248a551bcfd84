//! What the tests against the reference values share: files, cases, settings, comparison.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use esccsql_imaging::{Volume, read_volume};
use esccsql_radiomics::{Diagnostics, Parameters, RadiomicsError, Settings, diagnostics, extract_windowed};
use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

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

pub fn read_json(path: PathBuf) -> Value {
    serde_json::from_str(&text(path)).unwrap()
}

/// Settings and window of an entry in settings.json, read as a parameter file: JSON is YAML.
pub fn settings(entry: &Value, label: u32) -> (Settings, Option<[f64; 2]>) {
    let mut file = json!({ "setting": entry["settings"], "imageType": entry["imageTypes"] });
    file["setting"]["label"] = label.into();
    if entry["shape2D"] == true {
        for class in ["shape", "shape2D", "firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm"] {
            file["featureClass"][class] = Value::Null;
        }
    }
    let window = entry["clip"].as_array().map(|c| [c[0].as_f64().unwrap(), c[1].as_f64().unwrap()]);
    (Parameters::parse(&file.to_string()).unwrap().settings, window)
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
            cases: read_json(folder.join("cases.json")),
            settings: read_json(folder.join("settings.json"))["settings"].take(),
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
        let [image, mask] = self.volumes(case);
        let (settings, window) = self.settings(case, setting);
        let features = extract_windowed(&self.images[&image], window, &self.images[&mask], &settings)?;
        Ok(features.0.into_iter().collect())
    }

    /// Diagnostics of a case under a setting.
    pub fn diagnostics(&mut self, case: &str, setting: &str) -> Result<Diagnostics, RadiomicsError> {
        let [image, mask] = self.volumes(case);
        let (settings, window) = self.settings(case, setting);
        diagnostics(&self.images[&image], window, &self.images[&mask], &settings)
    }

    /// Names of the image and the mask, which are loaded by then.
    fn volumes(&mut self, case: &str) -> [String; 2] {
        ["image", "mask"].map(|what| {
            let path = self.cases[case][what].as_str().unwrap().to_string();
            self.load(&path);
            path
        })
    }

    fn settings(&self, case: &str, setting: &str) -> (Settings, Option<[f64; 2]>) {
        settings(&self.settings[setting], self.cases[case]["label"].as_u64().unwrap() as u32)
    }
}

/// Values that differ by more than `tolerance`, relative to their own size or to the natural size of what they
/// measure: a mean near 0 is compared with the spread, a cube's sign-changing sum with the cube of the spread.
pub fn differences(expected: &Expected, found: &BTreeMap<String, f64>, tolerance: impl Fn(&str) -> f64) -> Vec<String> {
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
        if !same && (error.is_nan() || error > tolerance(name)) {
            out.push(format!("{name}: expected {want:?}, found {got:?}, off by {error:.1e}"));
        }
    }
    out
}
