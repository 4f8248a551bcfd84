//! Fields on a voxel grid: Gaussian smoothing and correlated noise.

use super::math;
use super::random::Stream;

/// A scalar on every voxel, x fastest.
pub struct Field {
    /// Voxels along x, y and z.
    pub size: [usize; 3],
    pub values: Vec<f32>,
}

/// What lies beyond the grid.
#[derive(Clone, Copy)]
enum Edge {
    /// The edge voxel: right for a picture.
    Repeat,
    /// The other side: noise then has one variance everywhere.
    Wrap,
}

impl Field {
    pub fn filled(size: [usize; 3], value: f32) -> Self {
        Field { size, values: vec![value; size.iter().product()] }
    }

    /// Gaussian noise of unit variance, smoothed with standard deviations `sigma` (in voxels along x, y, z).
    pub fn correlated_noise(size: [usize; 3], sigma: [f64; 3], random: &mut Stream) -> Self {
        let mut field = Field::filled(size, 0.0);
        random.white_noise(&mut field.values);
        let mut gain = 1.0;
        for (axis, &sigma) in sigma.iter().enumerate() {
            let kernel = gaussian(sigma);
            gain *= kernel.iter().map(|w| w * w).sum::<f32>().sqrt();
            field.convolve(axis, &kernel, Edge::Wrap);
        }
        for value in &mut field.values {
            *value /= gain;
        }
        field
    }

    /// Gaussian blur with standard deviation `sigma` voxels along x and y.
    pub fn blur_in_plane(&mut self, sigma: f64) {
        let kernel = gaussian(sigma);
        self.convolve(0, &kernel, Edge::Repeat);
        self.convolve(1, &kernel, Edge::Repeat);
    }

    /// Convolves along one axis with a symmetric kernel.
    fn convolve(&mut self, axis: usize, kernel: &[f32], edge: Edge) {
        if kernel.len() == 1 {
            return;
        }
        let radius = kernel.len() / 2;
        let stride = self.size[..axis].iter().product::<usize>();
        let length = self.size[axis];
        // A block is a stack of `length` rows of `stride` voxels; each output row is a weighted sum of input rows.
        let mut padded = vec![0.0f32; (length + 2 * radius) * stride];
        for block in self.values.chunks_exact_mut(length * stride) {
            for (row, target) in padded.chunks_exact_mut(stride).enumerate() {
                let source = match edge {
                    Edge::Repeat => row.saturating_sub(radius).min(length - 1),
                    Edge::Wrap => (row + (radius / length + 1) * length - radius) % length,
                } * stride;
                target.copy_from_slice(&block[source..source + stride]);
            }
            block.fill(0.0);
            for (tap, &weight) in kernel.iter().enumerate() {
                let shifted = &padded[tap * stride..tap * stride + block.len()];
                for (value, &input) in block.iter_mut().zip(shifted) {
                    *value += weight * input;
                }
            }
        }
    }
}

/// Normalised Gaussian kernel cut at three standard deviations; a single 1 when `sigma` is negligible.
fn gaussian(sigma: f64) -> Vec<f32> {
    if sigma < 0.2 {
        return vec![1.0];
    }
    let radius = (3.0 * sigma).ceil() as i64;
    let weights: Vec<f64> = (-radius..=radius).map(|i| math::exp(-0.5 * (i * i) as f64 / (sigma * sigma))).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|w| (w / sum) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::super::random::Purpose;
    use super::*;

    #[test]
    fn noise_has_unit_variance_and_the_asked_smoothness() {
        let size = [64, 64, 24];
        let field = Field::correlated_noise(size, [2.0, 2.0, 0.8], &mut Stream::new(1, Purpose::NoisePre, 0));
        let n = field.values.len() as f32;
        let variance = field.values.iter().map(|v| v * v).sum::<f32>() / n;
        assert!((variance - 1.0).abs() < 0.1, "{variance}");
        // Correlation at lag d of white noise smoothed with sigma s is exp(-d^2 / (4 s^2)).
        let rows = field.values.chunks_exact(64);
        let lag2 = rows.flat_map(|r| r.windows(3).map(|w| w[0] * w[2])).sum::<f32>() / (n * 62.0 / 64.0);
        assert!((lag2 / variance - (-0.25f32).exp()).abs() < 0.06, "{lag2}");
    }

    #[test]
    fn blur_keeps_a_constant() {
        let mut field = Field::filled([9, 7, 2], 5.0);
        field.blur_in_plane(1.3);
        assert!(field.values.iter().all(|v| (v - 5.0).abs() < 1e-5));
    }
}
