//! A recipe's text.

use std::fmt;

use super::{Label, Op, Recipe, Role};
use crate::Interpolator;
use crate::mask::Reach;

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
