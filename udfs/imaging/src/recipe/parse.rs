//! From a text to its recipe.

use std::str::FromStr;

use super::{Label, MAX_DEPTH, Op, Recipe};
use crate::Interpolator;
use crate::error::{ImageError, Result};
use crate::mask::Reach;

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
}
