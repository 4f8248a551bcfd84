//! PyRadiomics' parameter files: YAML with `imageType`, `featureClass`, `setting` and `voxelSetting`.
//!
//! A file is taken as PyRadiomics 3.1 takes it: without image types the original image is used, without feature classes
//! all but `shape2D`; a class with names gives these features only; settings under an image type hold for its images
//! alone. A name that PyRadiomics does not have is an error that lists those that it has.

mod node;
mod setting;

use thiserror::Error;

use crate::features::feature_names;
use crate::{FeatureClass, ImageType, RadiomicsError, Settings, VoxelSettings};
use node::{LONGEST, Node};
use setting::{SETTINGS, VOXEL_SETTINGS, set};

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

const SECTIONS: [&str; 4] = ["imageType", "featureClass", "setting", "voxelSetting"];

impl Parameters {
    /// Reads a parameter file's text.
    ///
    /// # Errors
    /// [`ParametersError`] says what PyRadiomics does not know, or what cannot be used.
    pub fn parse(text: &str) -> Result<Parameters> {
        let document = Node::parse(text)?;
        let top = Entry { place: "its top level".into(), node: &document };
        let mut sections = [const { Vec::new() }; 4];
        for (name, value) in top.mapping()? {
            let section = SECTIONS.iter().position(|known| *known == name);
            let section = section.ok_or_else(|| unknown(name, &top.place, SECTIONS))?;
            sections[section] = Entry { place: name.into(), node: value.node }.mapping()?;
        }
        let [image_types, classes, settings, voxel_settings] = sections;
        let mut parameters = Parameters::default();
        for (name, value) in settings {
            set(&SETTINGS, &mut parameters.settings, name, &value)?;
        }
        for (name, value) in voxel_settings {
            set(&VOXEL_SETTINGS, &mut parameters.voxel, name, &value)?;
        }
        choose_features(&mut parameters.settings, &classes)?;
        choose_images(&mut parameters.settings, &image_types)?;
        parameters.settings.validate()?;
        parameters.voxel.validate()?;
        Ok(parameters)
    }
}

/// Classes and, where a class has names, its features.
fn choose_features(settings: &mut Settings, section: &[(&str, Entry)]) -> Result<()> {
    if section.is_empty() {
        return Ok(());
    }
    let mut classes = Vec::new();
    for (name, features) in section {
        let class = named(name, "featureClass", &CLASSES)?;
        classes.push(class);
        if matches!(features.node, Node::Null) {
            continue;
        }
        let mut wanted = Vec::new();
        for feature in features.list()? {
            let name = feature.text()?;
            if !feature_names(class).any(|known| known == name) {
                return Err(unknown(name, &feature.place, feature_names(class)));
            }
            wanted.push(name.to_string());
        }
        if !wanted.is_empty() {
            settings.selected.push((class, wanted));
        }
    }
    settings.feature_classes = Some(classes);
    Ok(())
}

/// Image types, each with the settings of its own.
fn choose_images(settings: &mut Settings, section: &[(&str, Entry)]) -> Result<()> {
    if section.is_empty() {
        return Ok(());
    }
    let common = Settings { image_types: Vec::new(), ..settings.clone() };
    settings.image_types.clear();
    for (name, custom) in section {
        let image_type = named(name, "imageType", &IMAGE_TYPES)?;
        settings.image_types.push(image_type);
        let custom = custom.mapping()?;
        if !custom.is_empty() {
            let mut own = Settings { image_types: vec![image_type], ..common.clone() };
            for (name, value) in custom {
                set(&SETTINGS, &mut own, name, &value)?;
            }
            settings.image_settings.push((image_type, own));
        }
    }
    Ok(())
}

/// A value and where it stands in the file.
struct Entry<'a> {
    place: String,
    node: &'a Node,
}

impl<'a> Entry<'a> {
    fn wrong(&self, expected: &'static str) -> ParametersError {
        ParametersError::Value { place: self.place.clone(), found: self.node.to_string(), expected }
    }

    fn is_null(&self) -> bool {
        *self.node == Node::Null
    }

    /// Names and their values; nothing is no names.
    fn mapping(&self) -> Result<Vec<(&'a str, Entry<'a>)>> {
        let top = self.place == "its top level";
        let place = |name: &str| if top { name.to_string() } else { format!("{}, {name}", self.place) };
        match self.node {
            Node::Null => Ok(Vec::new()),
            Node::Map(entries) => Ok(entries.iter().map(|(name, node)| (name.as_str(), Entry { place: place(name), node })).collect()),
            _ => Err(self.wrong("names with values")),
        }
    }

    fn flag(&self) -> Result<bool> {
        if let Node::Bool(value) = self.node { Ok(*value) } else { Err(self.wrong("true or false")) }
    }

    fn number(&self) -> Result<f64> {
        match self.node {
            Node::Whole(value) => Ok(*value as f64),
            Node::Number(value) => Ok(*value),
            _ => Err(self.wrong("a number")),
        }
    }

    fn whole(&self) -> Result<u32> {
        let whole = if let Node::Whole(value) = self.node { u32::try_from(*value).ok() } else { None };
        whole.ok_or_else(|| self.wrong("a whole number of 0 or more"))
    }

    fn text(&self) -> Result<&'a str> {
        if let Node::Text(text) = self.node { Ok(text) } else { Err(self.wrong("a name")) }
    }

    fn list(&self) -> Result<Vec<Entry<'a>>> {
        let Node::List(items) = self.node else { return Err(self.wrong("a list")) };
        Ok(items.iter().map(|node| Entry { place: self.place.clone(), node }).collect())
    }

    fn numbers(&self) -> Result<Vec<f64>> {
        self.list()?.iter().map(Entry::number).collect()
    }

    /// What a name stands for.
    fn named<T: Copy>(&self, entries: &[(&'static str, T)]) -> Result<T> {
        named(self.text()?, &self.place, entries)
    }

    /// `None` where the file says null.
    fn optional<T>(&self, read: impl Fn(&Self) -> Result<T>) -> Result<Option<T>> {
        if self.is_null() { Ok(None) } else { read(self).map(Some) }
    }
}

fn named<T: Copy>(name: &str, place: &str, entries: &[(&'static str, T)]) -> Result<T> {
    let found = entries.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    found.ok_or_else(|| unknown(name, place, entries.iter().map(|(known, _)| *known)))
}

fn unknown(name: &str, place: &str, known: impl IntoIterator<Item = &'static str>) -> ParametersError {
    let known: Vec<&str> = known.into_iter().collect();
    let name = name.chars().take(60).collect();
    ParametersError::Unknown { name, place: place.into(), known: known.join(", ") }
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

#[cfg(test)]
mod tests {
    use super::*;
    use esccsql_imaging::Interpolator;

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
            ("setting:\n  binWidth: wide", "setting, binWidth: 'wide'; expected a number"),
            ("setting:\n  binWidth: -1", "bin_width is -1"),
            ("imageType:\n  LoG: {binWidth: 5}", "sigma is empty"),
            ("setting: [1, 2]", "setting: a list of 2; expected names with values"),
            ("voxelSetting:\n  kernel: 1", "'kernel' under voxelSetting"),
            ("setting: {binWidth: 5", "not YAML"),
            ("setting: {binWidth: 5, binWidth: 6}", "not YAML"),
            ("setting: {interpolator: sitkGaussian}", "expected sitkBSpline"),
            ("setting: {resampledPixelSpacing: [1, 1]}", "three spacings"),
            ("setting: {label_channel: -1}", "label_channel"),
            ("featureClass: {shape: Elongation}", "expected a list"),
        ] {
            let error = Parameters::parse(text).unwrap_err().to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
    }
}
