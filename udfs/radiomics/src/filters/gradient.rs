//! Magnitude of the intensity gradient by central differences, as ITK's `GradientMagnitudeImageFilter`.

use ndarray::Array3;

use super::Box3;
use crate::prepare::Frame;

/// Gradient magnitude of the voxels of `area`, rounded to float32; edge voxels of the image continue outside.
///
/// `spacing` is in mm (z, y, x), or 1 for a gradient per voxel.
pub(crate) fn gradient(frame: &Frame<'_>, area: Box3, spacing: [f64; 3]) -> Array3<f64> {
    let part = area.grown([1; 3], frame.dim());
    let values = frame.region(part.lower, part.upper);
    let last: [usize; 3] = std::array::from_fn(|a| part.upper[a] - part.lower[a] - 1);
    let size: [usize; 3] = std::array::from_fn(|a| area.upper[a] - area.lower[a]);
    Array3::from_shape_fn(size, |(z, y, x)| {
        let at = [z, y, x];
        let voxel: [usize; 3] = std::array::from_fn(|a| at[a] + area.lower[a] - part.lower[a]);
        let mut sum = 0.0;
        // x, y, z, as the sum of squares is made.
        for a in (0..3).rev() {
            let (mut before, mut after) = (voxel, voxel);
            before[a] = voxel[a].saturating_sub(1);
            after[a] = (voxel[a] + 1).min(last[a]);
            let factor = 0.5 * (1.0 / spacing[a]);
            let slope = factor * values[after] - factor * values[before];
            sum += slope * slope;
        }
        f64::from(sum.sqrt() as f32)
    })
}
