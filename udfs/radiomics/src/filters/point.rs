//! Functions of one voxel's intensity, scaled by the largest magnitude m of the whole image that the filter sees.

use ndarray::Array3;

use super::Box3;
use crate::prepare::Frame;

/// Which function of the intensity x, with m the largest magnitude.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    /// (x / sqrt m)^2: the sign is lost.
    Square,
    /// sign(x) sqrt(|x| m).
    SquareRoot,
    /// sign(x) log(|x| + 1), scaled to the largest magnitude m.
    Logarithm,
    /// m^(x / m).
    Exponential,
}

/// Voxels of `area` under a point filter.
pub(crate) fn point(frame: &Frame<'_>, area: Box3, filter: Point) -> Array3<f64> {
    let m = largest_magnitude(frame);
    let mut values = frame.region(area.lower, area.upper);
    match filter {
        Point::Square => {
            let factor = 1.0 / m.sqrt();
            values.mapv_inplace(|x| (factor * x) * (factor * x));
        }
        Point::SquareRoot => values.mapv_inplace(|x| signed(x, (x.abs() * m).sqrt())),
        Point::Logarithm => {
            let factor = m / (m + 1.0).ln();
            values.mapv_inplace(|x| signed(x, (x.abs() + 1.0).ln()) * factor);
        }
        Point::Exponential => {
            let factor = m.ln() / m;
            values.mapv_inplace(|x| (factor * x).exp());
        }
    }
    values
}

/// Largest magnitude in the image.
fn largest_magnitude(frame: &Frame<'_>) -> f64 {
    let of = |values: &Array3<f64>| values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    match frame {
        Frame::Array(values) => of(values),
        Frame::Stored(source) => source.slices(of).into_iter().fold(0.0, f64::max),
    }
}

fn signed(x: f64, magnitude: f64) -> f64 {
    if x < 0.0 { -magnitude } else { magnitude }
}
