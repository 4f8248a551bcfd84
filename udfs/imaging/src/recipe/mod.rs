//! An image as a readable text: a file and what to do to it, such as
//! `image('scans/p001.nii.gz').image_window(50, 350).image_resample(1)`. Voxels are read when [`Recipe::load`] is called.
//!
//! A text that does not start with `image('` or `mask('` is the path of an image. Quotes in paths are doubled, as in SQL.

mod parse;
mod print;

use std::path::Path;
use std::sync::Arc;

use crate::error::{ImageError, Result};
use crate::format::dicom::{self, Guard, open_to_all};
use crate::mask::{self, Reach};
use crate::{Cache, Interpolator, Volume, ops};

/// A file, what it is, and the operations to apply in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    path: String,
    role: Role,
    ops: Vec<Op>,
}

/// What the voxels are.
#[derive(Debug, Clone, PartialEq)]
pub enum Role {
    Image,
    /// Without a label the mask keeps the file's labels; with one it is 0 and 1. The channel is that of a file with several
    /// numbers per voxel.
    Mask {
        label: Option<Label>,
        channel: Option<u32>,
    },
}

/// Which part of a mask file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Label {
    Number(u32),
    /// A region's name in a DICOM RTSTRUCT or SEG.
    Roi(String),
}

/// One step. See [`crate::ops`] and [`crate::mask`].
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// `image_window(center, width)`: images only.
    Window { center: f64, width: f64 },
    /// `image_resample(spacing)` or `image_resample([x, y, z], 'linear')`: mm; images B-spline unless said otherwise,
    /// masks always nearest.
    Resample { spacing: [f64; 3], interpolator: Interpolator },
    /// `image_zscore()`: images only.
    Zscore,
    /// `image_crop(mask, pad)`: the box around a mask on the same grid, `pad` voxels wider.
    Crop { mask: Box<Recipe>, pad: u32 },
    /// `mask_erode(2)` in voxels or `mask_erode(2.5, 'mm')`: masks only.
    Erode(Reach),
    /// `mask_dilate(2)` in voxels or `mask_dilate(2.5, 'mm')`: masks only.
    Dilate(Reach),
    /// `radiomics_map(mask, 'original_glcm_Contrast', '{"kernel_radius":2}')`: images only. Made by what is given to
    /// [`Recipe::load_within`].
    FeatureMap { mask: Box<Recipe>, feature: String, options: String },
}

impl Op {
    /// The mask that the step reads.
    pub fn mask(&self) -> Option<&Recipe> {
        match self {
            Op::Crop { mask, .. } | Op::FeatureMap { mask, .. } => Some(mask),
            _ => None,
        }
    }

    fn apply(&self, volume: &Volume, cache: &Cache, guard: Guard, maps: FeatureMaps) -> Result<Volume> {
        match self {
            Op::Window { center, width } => ops::window(volume, *center, *width),
            Op::Resample { spacing, interpolator } => ops::resample_to_spacing(volume, *spacing, *interpolator),
            Op::Zscore => ops::zscore(volume),
            Op::Crop { mask, pad } => ops::crop(volume, &*mask.load_within(cache, guard, maps)?, *pad as usize),
            Op::Erode(reach) => mask::erode(volume, *reach),
            Op::Dilate(reach) => mask::dilate(volume, *reach),
            Op::FeatureMap { mask, feature, options } => maps(volume, &*mask.load_within(cache, guard, maps)?, feature, options),
        }
    }
}

/// Makes the map of a feature from an image, a mask, the feature's name and options as text.
pub type FeatureMaps<'a> = &'a dyn Fn(&Volume, &Volume, &str, &str) -> Result<Volume>;

/// Masks inside masks that a recipe may name.
const MAX_DEPTH: usize = 8;

impl Recipe {
    /// An image file.
    pub fn image(path: impl Into<String>) -> Recipe {
        Recipe { path: path.into(), role: Role::Image, ops: Vec::new() }
    }

    /// A mask file, or one label of it.
    pub fn mask(path: impl Into<String>, label: Option<Label>) -> Recipe {
        Recipe { path: path.into(), role: Role::Mask { label, channel: None }, ops: Vec::new() }
    }

    /// The same mask of another channel of its file; an image stays as it is.
    pub fn of_channel(mut self, number: u32) -> Recipe {
        if let Role::Mask { channel, .. } = &mut self.role {
            *channel = Some(number);
        }
        self
    }

    /// The file.
    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn role(&self) -> &Role {
        &self.role
    }

    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    pub fn is_mask(&self) -> bool {
        matches!(self.role, Role::Mask { .. })
    }

    /// The same recipe on other files: each path, those of masks within it too, is what `place` makes of it.
    pub fn with_paths<E>(&self, place: &impl Fn(&str) -> std::result::Result<String, E>) -> std::result::Result<Recipe, E> {
        let ops = self.ops.iter().map(|op| match op {
            Op::Crop { mask, pad } => Ok(Op::Crop { mask: Box::new(mask.with_paths(place)?), pad: *pad }),
            Op::FeatureMap { mask, feature, options } => {
                Ok(Op::FeatureMap { mask: Box::new(mask.with_paths(place)?), feature: feature.clone(), options: options.clone() })
            }
            other => Ok(other.clone()),
        });
        Ok(Recipe { path: place(&self.path)?, role: self.role.clone(), ops: ops.collect::<std::result::Result<_, E>>()? })
    }

    /// The recipe with one more step. Refuses a step that makes no sense on it.
    pub fn then(mut self, op: Op) -> Result<Recipe> {
        let refuse = |what: &str| Err(ImageError::Operation(format!("{what}; the recipe is {self}")));
        let whole = |v: f64| v.is_finite() && v >= 0.0;
        match (&op, self.is_mask()) {
            (Op::Window { .. }, true) => return refuse("image_window makes no sense on a mask"),
            (Op::Zscore, true) => return refuse("image_zscore makes no sense on a mask"),
            (Op::Erode(_), false) => return refuse("mask_erode needs a mask, not an image: write mask(path)"),
            (Op::Dilate(_), false) => return refuse("mask_dilate needs a mask, not an image: write mask(path)"),
            (Op::Resample { interpolator: Interpolator::BSpline | Interpolator::Linear, .. }, true) => {
                return refuse("a mask is resampled with 'nearest' only");
            }
            (Op::Window { center, width }, _) if !(center.is_finite() && width.is_finite() && *width > 0.0) => {
                return refuse("image_window(center, width) needs finite numbers and a width above 0");
            }
            (Op::Resample { spacing, .. }, _) if !spacing.iter().all(|s| whole(*s)) || *spacing == [0.0; 3] => {
                return refuse("image_resample needs a spacing in mm above 0 (0 keeps an axis)");
            }
            (Op::Erode(Reach::Millimetres(r)) | Op::Dilate(Reach::Millimetres(r)), _) if !whole(*r) => {
                return refuse("mask_erode and mask_dilate need a radius of 0 mm or more");
            }
            (Op::Crop { mask, .. }, _) if !mask.is_mask() => return refuse("image_crop needs a mask: write mask(path)"),
            (Op::FeatureMap { .. }, true) => return refuse("radiomics_map makes no sense on a mask"),
            (Op::FeatureMap { mask, .. }, _) if !mask.is_mask() => return refuse("radiomics_map needs a mask: write mask(path)"),
            (Op::Crop { mask, .. } | Op::FeatureMap { mask, .. }, _) if mask.depth() >= MAX_DEPTH => {
                return refuse("masks are nested too deep");
            }
            _ => {}
        }
        self.ops.push(op);
        Ok(self)
    }

    fn depth(&self) -> usize {
        1 + self.ops.iter().filter_map(|op| op.mask().map(Recipe::depth)).max().unwrap_or(0)
    }

    /// Reads the file through the cache and applies the steps in order. Feature maps are refused.
    pub fn load(&self, cache: &Cache) -> Result<Arc<Volume>> {
        let refuse = |_: &Volume, _: &Volume, feature: &str, _: &str| {
            Err(ImageError::Operation(format!("the map of {feature} is not in a file: write it to one with image_write")))
        };
        self.load_within(cache, &open_to_all, &refuse)
    }

    /// The same; `guard` is asked before a file is opened that the recipe does not name (a series' other slices, the
    /// images of an RTSTRUCT); `maps` makes feature maps.
    pub fn load_within(&self, cache: &Cache, guard: Guard, maps: FeatureMaps) -> Result<Arc<Volume>> {
        let path = Path::new(&self.path);
        let mut volume = match &self.role {
            Role::Mask { label, channel: None | Some(0) } if dicom::is_dicom(path) => cache.read_mask(path, label.as_ref(), guard)?,
            Role::Mask { label: Some(label), channel } => {
                Arc::new(dicom::one_label(&*cache.read_within(path, *channel, guard)?, label, path)?)
            }
            Role::Mask { label: None, channel } => cache.read_within(path, *channel, guard)?,
            Role::Image => cache.read_within(path, None, guard)?,
        };
        for op in &self.ops {
            volume = Arc::new(op.apply(&volume, cache, guard, maps).map_err(|problem| problem.of(path))?);
        }
        Ok(volume)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Geometry, Voxels, write_volume};
    use ndarray::Array3;

    #[test]
    fn the_steps_run_in_order() {
        let folder = std::env::temp_dir().join(format!("esccsql-recipe-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (image, mask) = (folder.join("it's.nii.gz"), folder.join("mask.nrrd"));
        let geometry = Geometry { spacing: [1.0, 1.0, 2.0], ..Geometry::identity([8, 6, 4]) };
        let values = Array3::from_shape_fn((4, 6, 8), |(z, y, x)| (100 * z + 10 * y + x) as i16);
        write_volume(&image, &Volume { geometry: geometry.clone(), voxels: Voxels::I16(values) }).unwrap();
        let mut labels = Array3::<u8>::zeros((4, 6, 8));
        labels[[2, 3, 4]] = 2;
        labels[[0, 0, 0]] = 1;
        write_volume(&mask, &Volume { geometry, voxels: Voxels::U8(labels) }).unwrap();
        let cache = Cache::default();
        let crop = Op::Crop { mask: Box::new(Recipe::mask(mask.to_str().unwrap(), Some(Label::Number(2)))), pad: 1 };
        let window = Op::Window { center: 200.0, width: 100.0 };
        let recipe = Recipe::image(image.to_str().unwrap()).then(crop).unwrap().then(window).unwrap();
        let recipe: Recipe = recipe.to_string().parse().unwrap();
        let volume = recipe.load(&cache).unwrap();
        assert_eq!(volume.geometry.size, [3, 3, 3]);
        assert_eq!(volume.voxels.to_f64()[[1, 1, 1]], 234.0);
        assert_eq!(volume.voxels.to_f64()[[0, 0, 0]], 150.0);
        let plain = Recipe::image(image.to_str().unwrap());
        let map = Op::FeatureMap { mask: Box::new(Recipe::mask(mask.to_str().unwrap(), None)), feature: "f".into(), options: "o".into() };
        let map = plain.clone().then(map).unwrap();
        assert!(map.load(&cache).unwrap_err().to_string().contains("image_write"));
        let made = |image: &Volume, mask: &Volume, feature: &str, options: &str| {
            assert_eq!((feature, options, mask::voxels(mask)), ("f", "o", 2));
            Ok(image.clone())
        };
        assert_eq!(map.load_within(&cache, &open_to_all, &made).unwrap().geometry.size, [8, 6, 4]);
        assert!(Arc::ptr_eq(&plain.load(&cache).unwrap(), &plain.load(&cache).unwrap()));
        let grown = Recipe::mask(mask.to_str().unwrap(), Some(Label::Number(2))).then(Op::Dilate(Reach::Millimetres(1.0))).unwrap();
        assert_eq!(mask::voxels(&grown.load(&cache).unwrap()), 5);
        for (recipe, word) in [
            (Recipe::mask(mask.to_str().unwrap(), Some(Label::Number(9))), "label 9 is absent"),
            (Recipe::mask(mask.to_str().unwrap(), Some(Label::Roi("GTV".into()))), "RTSTRUCT"),
            (Recipe::image(folder.to_str().unwrap()), "no DICOM slices"),
            (Recipe::image("/no/such.nii"), "no such file"),
        ] {
            let message = recipe.load(&cache).unwrap_err().to_string();
            assert!(message.contains(word), "{message}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
