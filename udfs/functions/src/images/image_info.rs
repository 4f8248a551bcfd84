//! Size, place and intensities of an image.

use super::source::{load, recipe};
use crate::shape::{Function, Kind, each, record};

record! {
    /// What a volume is.
    struct Info {
        shape: Vec<i64>,
        spacing: Vec<f64>,
        origin: Vec<f64>,
        direction: Vec<f64>,
        dtype: String,
        min: f64,
        max: f64,
        mean: f64,
    }
}

pub fn image_info() -> Function {
    each("image_info", "Shape and spacing along x, y, z, origin and direction (LPS, as in SimpleITK), stored type, and the intensities' minimum, maximum and mean.")
        .arg("image", Kind::Image, "image or mask")
        .heavy()
        .recoverable()
        .example("SELECT image_info(image('scan.nii.gz').image_window(50, 350))")
        .returns(|row, _| {
            let volume = load(&recipe(row.text(0))?)?;
            let values = volume.voxels.to_f64();
            let (mut min, mut max, mut sum) = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
            for &value in &values {
                min = min.min(value);
                max = max.max(value);
                sum += value;
            }
            let geometry = &volume.geometry;
            Ok(Info {
                shape: geometry.size.iter().map(|&n| n as i64).collect(),
                spacing: geometry.spacing.to_vec(),
                origin: geometry.origin.to_vec(),
                direction: geometry.direction.concat(),
                dtype: volume.voxels.dtype().into(),
                min,
                max,
                mean: sum / values.len() as f64,
            })
        })
}
