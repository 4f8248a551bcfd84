//! The whole extraction: prepare once, shape once, then the other classes on each image type.

use esccsql_imaging::Volume;
use ndarray::Array3;

use crate::binning::bin;
use crate::filters::point::{Point, point};
use crate::filters::wavelet::wavelet;
use crate::filters::{Box3, gradient, lbp2d, lbp3d, log};
use crate::firstorder::firstorder;
use crate::prepare::{Prepared, prepare};
use crate::shape::shape;
use crate::shape2d::shape2d;
use crate::source::Pixel;
use crate::texture::{Lattice, glcm, gldm, glrlm, glszm, ngtdm};
use crate::{FeatureClass, ImageType, RadiomicsError, Settings};

/// Features in PyRadiomics' order, by PyRadiomics' names: `original_shape_Elongation`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Features(pub Vec<(String, f64)>);

impl Features {
    /// The value of a feature by its name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| *value)
    }

    fn add(&mut self, image_type: &str, class: FeatureClass, settings: &Settings, values: Vec<(&'static str, f64)>) {
        let prefix = format!("{image_type}_{}", class.name());
        let kept = values.into_iter().filter(|(name, _)| settings.has(class, name));
        self.0.extend(kept.map(|(name, value)| (format!("{prefix}_{name}"), value)));
    }
}

/// Radiomics features of the voxels of `mask` that hold `settings.label`.
///
/// # Errors
/// [`RadiomicsError`] says why the settings, the image or the mask cannot be used.
pub fn extract(image: &Volume, mask: &Volume, settings: &Settings) -> Result<Features, RadiomicsError> {
    extract_windowed(image, None, mask, settings)
}

/// As [`extract`], after limiting each intensity to `window` = `[lower, upper]` in float64.
///
/// Equal to windowing the volume first, without a float64 copy of it in memory.
pub fn extract_windowed(image: &Volume, window: Option<[f64; 2]>, mask: &Volume, settings: &Settings) -> Result<Features, RadiomicsError> {
    if let Some(ibsi) = &settings.ibsi {
        settings.validate()?;
        return crate::ibsi::extract(image, window, mask, settings, ibsi);
    }
    let prepared = prepare(image, window, mask, settings)?;
    let mut features = Features::default();
    if settings.wants(FeatureClass::Shape) {
        features.add("original", FeatureClass::Shape, settings, shape(&prepared.shape_region, prepared.spacing));
    }
    if settings.wants(FeatureClass::Shape2D) && settings.force_2d {
        // Regions of more than one slice have no 2D shape.
        let across = settings.force_2d_dimension;
        if prepared.shape_region.shape()[across] == 1 {
            features.add("original", FeatureClass::Shape2D, settings, shape2d(&prepared.shape_region, prepared.spacing, across));
        }
    }
    for image_type in &settings.image_types {
        let own = settings.of_image(*image_type);
        each_image(*image_type, &prepared, own, |name, values| intensity_features(name, &values, &prepared, own, &mut features))?;
    }
    if features.0.is_empty() && settings.wants(FeatureClass::Shape2D) {
        return Err(RadiomicsError::NoShape2D { slices: prepared.shape_region.shape()[settings.force_2d_dimension] });
    }
    Ok(features)
}

/// Calls `each` with the name and the voxels (in the region's box) of every image of a type.
pub(crate) fn each_image(
    image_type: ImageType,
    prepared: &Prepared<'_>,
    settings: &Settings,
    mut each: impl FnMut(&str, Array3<f64>) -> Result<(), RadiomicsError>,
) -> Result<(), RadiomicsError> {
    let frame = &prepared.frame;
    let area = Box3 { lower: prepared.region.lower, upper: prepared.region.upper() };
    match image_type {
        ImageType::Original => each("original", frame.region(area.lower, area.upper)),
        ImageType::Wavelet => wavelet(frame, area, prepared.pixel == Pixel::Float32, settings, each),
        ImageType::LoG => {
            for sigma in settings.sigma.iter().copied().filter(|s| log::fits(frame.dim(), prepared.spacing, *s)) {
                each(&log::name(sigma, settings), log::log(frame, area, prepared.spacing, sigma))?;
            }
            Ok(())
        }
        ImageType::Square => each("square", point(frame, area, Point::Square)),
        ImageType::SquareRoot => each("squareroot", point(frame, area, Point::SquareRoot)),
        ImageType::Logarithm => each("logarithm", point(frame, area, Point::Logarithm)),
        ImageType::Exponential => each("exponential", point(frame, area, Point::Exponential)),
        ImageType::Gradient => {
            let spacing = if settings.gradient_use_spacing { prepared.spacing } else { [1.0; 3] };
            each("gradient", gradient(frame, area, spacing))
        }
        ImageType::Lbp2D => each("lbp-2D", lbp2d(frame, area, settings)),
        ImageType::Lbp3D => lbp3d(frame, area, &prepared.region.inside, settings, each),
    }
}

/// Every class but shape on one image, `values` being its voxels in the region's box.
fn intensity_features(
    image_type: &str,
    values: &Array3<f64>,
    prepared: &Prepared<'_>,
    settings: &Settings,
    features: &mut Features,
) -> Result<(), RadiomicsError> {
    let inside = &prepared.region.inside;
    let binned = bin(values, inside, prepared.spacing, settings)?;
    if settings.wants(FeatureClass::FirstOrder) {
        features.add(image_type, FeatureClass::FirstOrder, settings, firstorder(values, inside, &binned, settings));
    }
    let lattice = Lattice::new(&binned, settings);
    type Class = fn(&Lattice, &Settings) -> Vec<(&'static str, f64)>;
    let classes: [(FeatureClass, Class); 5] = [
        (FeatureClass::Glcm, glcm),
        (FeatureClass::Gldm, gldm),
        (FeatureClass::Glrlm, glrlm),
        (FeatureClass::Glszm, glszm),
        (FeatureClass::Ngtdm, ngtdm),
    ];
    for (class, compute) in classes.into_iter().filter(|(class, _)| settings.wants(*class)) {
        features.add(image_type, class, settings, compute(&lattice, settings));
    }
    Ok(())
}
