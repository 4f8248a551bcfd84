//! An image as a readable text: a file and what to do to it, such as
//! `image('scans/p001.nii.gz').image_window(50, 350).image_resample(1)`. Voxels are read when [`Recipe::load`] is called.
//!
//! A text that does not start with `image('` or `mask('` is the path of an image. Quotes in paths are doubled, as in SQL.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
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

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn interpolator_name(interpolator: Interpolator) -> &'static str {
    match interpolator {
        Interpolator::BSpline => "bspline",
        Interpolator::Linear => "linear",
        Interpolator::Nearest => "nearest",
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = quoted(&self.path);
        match &self.role {
            Role::Image => write!(f, "image({path})")?,
            Role::Mask { label, channel } => {
                write!(f, "mask({path}")?;
                match label {
                    Some(Label::Number(n)) => write!(f, ", {n}")?,
                    Some(Label::Roi(name)) => write!(f, ", {}", quoted(name))?,
                    None => {}
                }
                if let Some(channel) = channel {
                    write!(f, ", {{'channel': {channel}}}")?;
                }
                write!(f, ")")?;
            }
        }
        let reach = |f: &mut fmt::Formatter<'_>, name: &str, reach: &Reach| match reach {
            Reach::Voxels(n) => write!(f, ".{name}({n})"),
            Reach::Millimetres(r) => write!(f, ".{name}({r}, 'mm')"),
        };
        for op in &self.ops {
            match op {
                Op::Window { center, width } => write!(f, ".image_window({center}, {width})")?,
                Op::Zscore => write!(f, ".image_zscore()")?,
                Op::Crop { mask, pad } => write!(f, ".image_crop({mask}, {pad})")?,
                Op::FeatureMap { mask, feature, options } => {
                    write!(f, ".radiomics_map({mask}, {}, {})", quoted(feature), quoted(options))?;
                }
                Op::Erode(r) => reach(f, "mask_erode", r)?,
                Op::Dilate(r) => reach(f, "mask_dilate", r)?,
                Op::Resample { spacing: [x, y, z], interpolator } => {
                    if x == y && y == z {
                        write!(f, ".image_resample({x}")?;
                    } else {
                        write!(f, ".image_resample([{x}, {y}, {z}]")?;
                    }
                    let usual = if self.is_mask() { Interpolator::Nearest } else { Interpolator::BSpline };
                    if *interpolator != usual {
                        write!(f, ", '{}'", interpolator_name(*interpolator))?;
                    }
                    write!(f, ")")?;
                }
            }
        }
        Ok(())
    }
}

impl FromStr for Recipe {
    type Err = ImageError;

    fn from_str(text: &str) -> Result<Recipe> {
        let starts = |name: &str| text.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('\''));
        if !starts("image(") && !starts("mask(") {
            if text.is_empty() {
                return Err(ImageError::Recipe { text: text.into(), at: 0, problem: "it is empty".into() });
            }
            return Ok(Recipe::image(text));
        }
        let mut parser = Parser { text, at: 0 };
        let recipe = parser.recipe(1)?;
        if parser.at < text.len() {
            return Err(parser.fail("something follows the recipe"));
        }
        Ok(recipe)
    }
}

/// A place in a recipe's text.
struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn fail(&self, problem: impl Into<String>) -> ImageError {
        let at = self.text[..self.at].chars().count() + 1;
        ImageError::Recipe { text: self.text.into(), at, problem: problem.into() }
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn spaces(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Passes a token if it is next.
    fn next_is(&mut self, token: &str) -> bool {
        self.spaces();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn need(&mut self, token: &str) -> Result<()> {
        if self.next_is(token) { Ok(()) } else { Err(self.fail(format!("'{token}' is missing"))) }
    }

    fn name(&mut self) -> String {
        self.spaces();
        let length = self.rest().find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.rest().len());
        let name = self.rest()[..length].to_string();
        self.at += length;
        name
    }

    /// Text between quotes; a doubled quote is one.
    fn string(&mut self) -> Result<String> {
        self.need("'")?;
        let mut out = String::new();
        let mut chars = self.text[self.at..].char_indices().peekable();
        while let Some((i, c)) = chars.next() {
            if c != '\'' {
                out.push(c);
            } else if chars.next_if(|(_, c)| *c == '\'').is_some() {
                out.push('\'');
            } else {
                self.at += i + 1;
                return Ok(out);
            }
        }
        Err(self.fail("a closing quote is missing"))
    }

    fn number<T: FromStr>(&mut self, what: &str) -> Result<T> {
        self.spaces();
        let length = self.rest().find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(self.rest().len());
        let number = self.rest()[..length].parse().map_err(|_| self.fail(format!("{what} is missing")))?;
        self.at += length;
        Ok(number)
    }

    fn recipe(&mut self, depth: usize) -> Result<Recipe> {
        if depth > MAX_DEPTH {
            return Err(self.fail("masks are nested too deep"));
        }
        let name = self.name();
        self.need("(")?;
        let path = self.string()?;
        let mut recipe = match name.as_str() {
            "image" => Recipe::image(path),
            "mask" => {
                let mut label = None;
                let mut channel = None;
                while channel.is_none() && self.next_is(",") {
                    if self.next_is("{") {
                        self.need("'channel'")?;
                        self.need(":")?;
                        channel = Some(self.number("a channel number")?);
                        self.need("}")?;
                        continue;
                    }
                    self.spaces();
                    label = Some(match self.rest().starts_with('\'') {
                        _ if label.is_some() => return Err(self.fail("{'channel': 0} is missing")),
                        true => Label::Roi(self.string()?),
                        false => Label::Number(self.number("a label number")?),
                    });
                }
                let recipe = Recipe::mask(path, label);
                match channel {
                    Some(channel) => recipe.of_channel(channel),
                    None => recipe,
                }
            }
            _ => return Err(self.fail("image('...') or mask('...') is missing")),
        };
        self.need(")")?;
        while self.next_is(".") {
            let at = self.at;
            let op = self.op(depth, recipe.is_mask())?;
            recipe = recipe.then(op).map_err(|e| {
                self.at = at;
                self.fail(e.to_string())
            })?;
        }
        self.spaces();
        Ok(recipe)
    }

    fn op(&mut self, depth: usize, on_mask: bool) -> Result<Op> {
        let at = self.at;
        let name = self.name();
        self.need("(")?;
        let op = match name.as_str() {
            "image_window" => {
                let center = self.number("the window's center")?;
                self.need(",")?;
                Op::Window { center, width: self.number("the window's width")? }
            }
            "image_zscore" => Op::Zscore,
            "image_crop" => {
                let mask = Box::new(self.recipe(depth + 1)?);
                let pad = if self.next_is(",") { self.number("the number of voxels to pad")? } else { 0 };
                Op::Crop { mask, pad }
            }
            "image_resample" => {
                let spacing = if self.next_is("[") {
                    let mut spacing = [0.0; 3];
                    for (axis, s) in spacing.iter_mut().enumerate() {
                        if axis > 0 {
                            self.need(",")?;
                        }
                        *s = self.number("a spacing in mm")?;
                    }
                    self.need("]")?;
                    spacing
                } else {
                    [self.number("a spacing in mm")?; 3]
                };
                let mut interpolator = if on_mask { Interpolator::Nearest } else { Interpolator::BSpline };
                if self.next_is(",") {
                    interpolator = match self.string()?.as_str() {
                        "bspline" => Interpolator::BSpline,
                        "linear" => Interpolator::Linear,
                        "nearest" => Interpolator::Nearest,
                        _ => return Err(self.fail("the interpolator is none of 'bspline', 'linear' and 'nearest'")),
                    };
                }
                Op::Resample { spacing, interpolator }
            }
            "radiomics_map" => {
                let mask = Box::new(self.recipe(depth + 1)?);
                self.need(",")?;
                self.spaces();
                let feature = self.string()?;
                self.need(",")?;
                self.spaces();
                Op::FeatureMap { mask, feature, options: self.string()? }
            }
            "mask_erode" => Op::Erode(self.reach()?),
            "mask_dilate" => Op::Dilate(self.reach()?),
            _ => {
                self.at = at;
                let known = "image_window, image_resample, image_zscore, image_crop, mask_erode, mask_dilate and radiomics_map";
                return Err(self.fail(format!("there is no step '{name}' (there are {known})")));
            }
        };
        self.need(")")?;
        Ok(op)
    }

    fn reach(&mut self) -> Result<Reach> {
        let at = self.at;
        let distance: f64 = self.number("a distance")?;
        if self.next_is(",") {
            return match self.string()?.as_str() {
                "mm" => Ok(Reach::Millimetres(distance)),
                "voxels" => Ok(Reach::Voxels(self.whole(at)?)),
                _ => Err(self.fail("the unit is neither 'mm' nor 'voxels'")),
            };
        }
        Ok(Reach::Voxels(self.whole(at)?))
    }

    /// Reads the number at `at` once more, as a whole one.
    fn whole(&self, at: usize) -> Result<u32> {
        Parser { text: self.text, at }.number("a whole number of voxels (or 'mm' after it)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Geometry, Voxels, write_volume};
    use ndarray::Array3;
    use proptest::prelude::*;

    fn round(text: &str) {
        assert_eq!(text.parse::<Recipe>().unwrap().to_string(), text);
    }

    #[test]
    fn what_is_printed_is_what_was_written() {
        round("image('scans/p001.nii.gz').image_window(50, 350).image_resample(1)");
        round("image('it''s a scan, (1) \u{e9}\u{4e2d}.nii').image_resample([0.5, 0.5, 2.25], 'linear').image_zscore()");
        round("mask('m.nrrd', 2).mask_erode(1).mask_dilate(2.5, 'mm').image_resample(1)");
        round("mask('rs.dcm', 'GTV ''1''')");
        round("mask('layers.nrrd', 2, {'channel': 1})");
        round("mask('layers.nrrd', {'channel': 0}).mask_erode(1)");
        round(r#"image('a').radiomics_map(mask('m', 2).mask_erode(1), 'glcm_Contrast', '{"wavelet":"it''s"}').image_window(1, 2)"#);
        round("image('a').image_crop(mask('m', 1).mask_dilate(3), 5).image_window(-600, 1500.5)");
        assert_eq!("plain (1).nii".parse::<Recipe>().unwrap(), Recipe::image("plain (1).nii"));
        assert_eq!("image(1).nii".parse::<Recipe>().unwrap(), Recipe::image("image(1).nii"));
        assert_eq!(" image( 'a' ) . image_zscore( ) ".trim().parse::<Recipe>().unwrap().to_string(), "image('a').image_zscore()");
    }

    #[test]
    fn mistakes_are_named() {
        for (text, word) in [
            ("image('a').image_blur(3)", "image_blur"),
            ("image('a", "closing quote"),
            ("image('a').image_window(1)", "','"),
            ("image('a').image_window(1, -5)", "width"),
            ("image('a').image_window(1, nan)", "finite"),
            ("mask('a').image_window(1, 2)", "no sense on a mask"),
            ("mask('a').image_zscore()", "no sense on a mask"),
            ("image('a').mask_erode(1)", "needs a mask"),
            ("mask('a').mask_erode(1.5)", "whole number"),
            ("mask('a').mask_erode(-1, 'mm')", "radius"),
            ("mask('a').image_resample(1, 'linear')", "nearest"),
            ("image('a').image_resample(0)", "spacing"),
            ("image('a').image_crop(image('b'), 1)", "needs a mask"),
            ("image('a').radiomics_map(image('b'), 'f', '{}')", "needs a mask"),
            ("mask('a').radiomics_map(mask('b'), 'f', '{}')", "no sense on a mask"),
            ("image('a') and more", "follows"),
            ("mask('a', -1)", "label number"),
            ("mask('a', 1, 2)", "'channel'"),
            ("mask('a', 1, {'channel': -1})", "channel number"),
            ("mask('a', {'layer': 1})", "'channel'"),
            ("", "empty"),
        ] {
            let message = text.parse::<Recipe>().unwrap_err().to_string();
            assert!(message.contains(word), "{text}: {message}");
        }
        let deep = "mask('m').image_crop(".repeat(5000);
        assert!(deep.parse::<Recipe>().unwrap_err().to_string().contains("too deep"));
    }

    fn paths() -> impl Strategy<Value = String> {
        prop_oneof!["[a-z0-9/_.' -]{1,20}", "\\PC{1,12}"]
    }

    fn masks() -> impl Strategy<Value = Recipe> {
        let label = prop_oneof![Just(None), any::<u32>().prop_map(|n| Some(Label::Number(n))), paths().prop_map(|n| Some(Label::Roi(n)))];
        let reach = prop_oneof![any::<u32>().prop_map(Reach::Voxels), (0.0..1e6).prop_map(Reach::Millimetres)];
        let channel = proptest::option::of(any::<u32>());
        (paths(), label, channel, proptest::collection::vec((reach, any::<bool>()), 0..3)).prop_map(|(path, label, channel, ops)| {
            let mask = Recipe::mask(path, label);
            let mask = channel.map_or(mask.clone(), |channel| mask.of_channel(channel));
            ops.into_iter().fold(mask, |r, (reach, grow)| r.then(if grow { Op::Dilate(reach) } else { Op::Erode(reach) }).unwrap())
        })
    }

    fn images() -> impl Strategy<Value = Recipe> {
        let interpolators = prop_oneof![Just(Interpolator::BSpline), Just(Interpolator::Linear), Just(Interpolator::Nearest)];
        let op = prop_oneof![
            (-1e5..1e5, 1e-3..1e5).prop_map(|(center, width)| Op::Window { center, width }),
            Just(Op::Zscore),
            ([0.01..10.0, 0.01..10.0, 0.0..10.0], interpolators).prop_map(|(spacing, interpolator)| Op::Resample { spacing, interpolator }),
            (masks(), any::<u32>()).prop_map(|(mask, pad)| Op::Crop { mask: Box::new(mask), pad }),
            (masks(), paths(), paths()).prop_map(|(mask, feature, options)| Op::FeatureMap { mask: Box::new(mask), feature, options }),
        ];
        (paths(), proptest::collection::vec(op, 0..5))
            .prop_map(|(path, ops)| ops.into_iter().fold(Recipe::image(path), |r, op| r.then(op).unwrap()))
    }

    proptest! {
        #[test]
        fn any_recipe_survives_its_text(recipe in prop_oneof![images(), masks()]) {
            prop_assert_eq!(recipe.to_string().parse::<Recipe>().unwrap(), recipe);
        }

        #[test]
        fn no_text_panics(text in prop_oneof!["\\PC{0,40}", "(image|mask)\\('[a-z'\u{e9}]{0,4}'[).,a-z_0-9\\[\\]' -]{0,30}"]) {
            let _ = text.parse::<Recipe>();
        }
    }

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
