//! Feature maps: a feature of the neighbourhood of each voxel of the region, as PyRadiomics' voxel-based extraction.
//!
//! Grey levels are those of the whole region (or box); each neighbourhood then makes a matrix of its own.

use esccsql_imaging::{Region, Volume, Voxels};
use ndarray::{Array3, s};
use rayon::prelude::*;

use crate::binning::bin;
use crate::extract::each_image;
use crate::features::image_names;
use crate::firstorder::firstorder;
use crate::prepare::prepare;
use crate::texture::{Lattice, glcm, gldm, glrlm, glszm, ngtdm};
use crate::{Binned, FeatureClass, ImageType, RadiomicsError, Settings, features};

/// Settings of a feature map, by PyRadiomics' names in snake_case.
#[derive(Debug, Clone, PartialEq)]
pub struct VoxelSettings {
    /// Voxels that a neighbourhood reaches in each direction.
    pub kernel_radius: u32,
    /// Leave voxels outside the region out of neighbourhoods and grey levels.
    pub masked_kernel: bool,
    /// Value of the map outside the region.
    pub init_value: f64,
}

impl Default for VoxelSettings {
    fn default() -> Self {
        VoxelSettings { kernel_radius: 1, masked_kernel: true, init_value: 0.0 }
    }
}

impl VoxelSettings {
    /// Checks each value.
    ///
    /// # Errors
    /// [`RadiomicsError::Setting`] names what cannot be used.
    pub fn validate(&self) -> Result<(), RadiomicsError> {
        match self.kernel_radius {
            1..=64 => Ok(()),
            other => Err(RadiomicsError::Setting { setting: "kernel_radius", reason: format!("is {other}: it can be 1 to 64 voxels") }),
        }
    }
}

/// Which feature a map is of.
struct Wanted {
    image_type: ImageType,
    image: String,
    class: FeatureClass,
    name: String,
}

/// The map of `feature` (`original_glcm_Contrast`, or `glcm_Contrast` of the original image) in float64, on the grid of
/// the extraction cropped to the region and `kernel_radius` voxels around it. A neighbourhood that has no such feature
/// is NaN.
///
/// # Errors
/// [`RadiomicsError`] says why the settings, the feature, the image or the mask cannot be used.
pub fn feature_map(
    image: &Volume,
    mask: &Volume,
    feature: &str,
    settings: &Settings,
    voxel: &VoxelSettings,
) -> Result<Volume, RadiomicsError> {
    voxel.validate()?;
    let wanted = check_feature(feature, settings)?;
    let mut prepared = prepare(image, None, mask, settings)?;
    let settings = settings.of_image(wanted.image_type);
    // The region in its box, as much wider as neighbourhoods reach.
    let (region, dim) = (prepared.region, prepared.frame.dim());
    let reach = voxel.kernel_radius as usize;
    let lower: [usize; 3] = std::array::from_fn(|a| region.lower[a].saturating_sub(reach));
    let upper: [usize; 3] = std::array::from_fn(|a| (region.upper()[a] + reach).min(dim[a]));
    let mut inside = Array3::from_elem(std::array::from_fn::<usize, 3, _>(|a| upper[a] - lower[a]), false);
    let from: [usize; 3] = std::array::from_fn(|a| region.lower[a] - lower[a]);
    let to: [usize; 3] = std::array::from_fn(|a| region.upper()[a] - lower[a]);
    inside.slice_mut(s![from[0]..to[0], from[1]..to[1], from[2]..to[2]]).assign(&region.inside);
    prepared.region = Region { lower, inside };

    let mut geometry = prepared.geometry.clone();
    geometry.origin = prepared.geometry.map().voxel_point([lower[2], lower[1], lower[0]]);
    geometry.size = std::array::from_fn(|a| upper[2 - a] - lower[2 - a]);
    let mut map = None;
    each_image(wanted.image_type, &prepared, settings, |name, values| {
        if name == wanted.image {
            map = Some(of_image(&values, &prepared.region.inside, prepared.spacing, &wanted, settings, voxel)?);
        }
        Ok(())
    })?;
    // A Laplacian of Gaussian is left out where the image is too small for it.
    let map =
        map.ok_or_else(|| RadiomicsError::NoFeature { feature: feature.into(), reason: "this image is too small for its filter".into() })?;
    Ok(Volume { geometry, voxels: Voxels::F64(map) })
}

/// Refuses a name that these settings do not give; whether a map of it can be made needs no image.
///
/// # Errors
/// [`RadiomicsError::NoFeature`] says what is expected.
pub fn check_map(feature: &str, settings: &Settings) -> Result<(), RadiomicsError> {
    check_feature(feature, settings).map(|_| ())
}

fn check_feature(feature: &str, settings: &Settings) -> Result<Wanted, RadiomicsError> {
    settings.validate()?;
    let refuse = |reason: &str| RadiomicsError::NoFeature { feature: feature.into(), reason: reason.into() };
    if settings.ibsi.is_some() {
        return Err(refuse("the profile 'ibsi' has no maps"));
    }
    let parts: Vec<&str> = feature.split('_').collect();
    let (image, class, name) = match parts[..] {
        [image, class, name] => (image, class, name),
        [class, name] => ("original", class, name),
        _ => return Err(refuse("expected image type, class and name, such as original_glcm_Contrast")),
    };
    let image_type = match image.split('-').next().unwrap_or_default() {
        "original" => ImageType::Original,
        "log" => ImageType::LoG,
        "square" => ImageType::Square,
        "squareroot" => ImageType::SquareRoot,
        "logarithm" => ImageType::Logarithm,
        "exponential" => ImageType::Exponential,
        "gradient" => ImageType::Gradient,
        "lbp" if image == "lbp-2D" => ImageType::Lbp2D,
        "lbp" => ImageType::Lbp3D,
        other if other.starts_with("wavelet") => ImageType::Wavelet,
        _ => return Err(refuse("no image type begins so")),
    };
    let one = Settings { image_types: vec![image_type], feature_classes: None, selected: Vec::new(), ..settings.clone() };
    one.validate()?;
    if !image_names(image_type, one.of_image(image_type)).iter().any(|known| known == image) {
        return Err(refuse("these settings give no such image; for a Laplacian of Gaussian set sigma, for other bands level"));
    }
    let full = format!("{image}_{class}_{name}");
    let found = features(&one)?.into_iter().find(|info| info.name == full && !info.class.starts_with("shape"));
    let class = found.and_then(|info| CLASSES.into_iter().find(|class| class.name() == info.class));
    let class = class.ok_or_else(|| refuse("radiomics_features() lists the names; shape has no maps"))?;
    Ok(Wanted { image_type, image: image.into(), class, name: name.into() })
}

const CLASSES: [FeatureClass; 6] =
    [FeatureClass::FirstOrder, FeatureClass::Glcm, FeatureClass::Glrlm, FeatureClass::Glszm, FeatureClass::Gldm, FeatureClass::Ngtdm];

fn of_image(
    values: &Array3<f64>,
    inside: &Array3<bool>,
    spacing: [f64; 3],
    wanted: &Wanted,
    settings: &Settings,
    voxel: &VoxelSettings,
) -> Result<Array3<f64>, RadiomicsError> {
    let everywhere = Array3::from_elem(inside.dim(), true);
    let seen = if voxel.masked_kernel { inside } else { &everywhere };
    let count = values.iter().zip(seen).filter(|(v, seen)| **seen && !v.is_finite()).count();
    if count > 0 {
        return Err(RadiomicsError::NotFinite { count });
    }
    let binned = bin(values, seen, spacing, settings)?;
    let several = binned.levels.iter().any(|level| *level > 0 && *level != binned.n_levels);
    let places: Vec<[usize; 3]> = inside.indexed_iter().filter(|(_, inside)| **inside).map(|((z, y, x), _)| [z, y, x]).collect();
    let found: Vec<f64> = (places.par_iter())
        .map(|place| {
            let [z, y, x] = neighbourhood(*place, inside.dim(), settings, voxel);
            let part = s![z[0]..z[1], y[0]..y[1], x[0]..x[1]];
            let levels = binned.levels.slice(part).to_owned();
            let voxels = levels.iter().filter(|level| **level > 0).count();
            let part_binned = Binned { levels, n_levels: binned.n_levels, voxels, spacing };
            let all = match wanted.class {
                FeatureClass::FirstOrder => {
                    firstorder(&values.slice(part).to_owned(), &seen.slice(part).to_owned(), &part_binned, settings)
                }
                class => {
                    let lattice = Lattice::new(&part_binned, settings);
                    // PyRadiomics' matrix has the levels of all neighbourhoods, so that of one level it finds the root 0.
                    if wanted.name == "MCC" && several && lattice.levels.len() == 1 && voxels > 1 {
                        return 0.0;
                    }
                    match class {
                        FeatureClass::Glcm => glcm(&lattice, settings),
                        FeatureClass::Glrlm => glrlm(&lattice, settings),
                        FeatureClass::Glszm => glszm(&lattice, settings),
                        FeatureClass::Gldm => gldm(&lattice, settings),
                        _ => ngtdm(&lattice, settings),
                    }
                }
            };
            all.into_iter().find(|(name, _)| *name == wanted.name).map_or(f64::NAN, |(_, value)| value)
        })
        .collect();
    let mut map = Array3::from_elem(inside.dim(), voxel.init_value);
    for (place, value) in places.into_iter().zip(found) {
        map[place] = value;
    }
    Ok(map)
}

/// First voxel and one past the last along each axis.
fn neighbourhood(place: [usize; 3], dim: (usize, usize, usize), settings: &Settings, voxel: &VoxelSettings) -> [[usize; 2]; 3] {
    let dim = [dim.0, dim.1, dim.2];
    std::array::from_fn(|a| {
        let flat = settings.force_2d && a == settings.force_2d_dimension;
        let reach = if flat { 0 } else { voxel.kernel_radius as usize };
        [place[a].saturating_sub(reach), (place[a] + reach + 1).min(dim[a])]
    })
}
