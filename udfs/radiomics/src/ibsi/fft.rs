//! Fourier transforms of three-dimensional arrays, along x, y and z in turn.

use rustfft::FftPlanner;
pub(super) use rustfft::num_complex::Complex64;

/// A complex array in row-major order with axes z, y, x.
pub(super) struct Spectrum {
    pub(super) dim: [usize; 3],
    pub(super) values: Vec<Complex64>,
}

/// Lengths at least `n` that have a quick transform: products of 2, 3 and 5.
pub(super) fn quick_length(n: usize) -> usize {
    let smooth = |mut m: usize| {
        for p in [2_usize, 3, 5] {
            while m.is_multiple_of(p) {
                m /= p;
            }
        }
        m == 1
    };
    (n.max(1)..).find(|m| smooth(*m)).unwrap_or(n)
}

impl Spectrum {
    /// The transform of real values, `value(z, y, x)` over `dim`.
    pub(super) fn of(dim: [usize; 3], value: impl Fn([usize; 3]) -> f64) -> Spectrum {
        let mut values = Vec::with_capacity(dim.iter().product());
        for z in 0..dim[0] {
            for y in 0..dim[1] {
                values.extend((0..dim[2]).map(|x| Complex64::new(value([z, y, x]), 0.0)));
            }
        }
        let mut spectrum = Spectrum { dim, values };
        spectrum.transform(false);
        spectrum
    }

    /// In place; the inverse is not divided by the number of voxels.
    pub(super) fn transform(&mut self, inverse: bool) {
        let mut planner = FftPlanner::new();
        let [nz, ny, nx] = self.dim;
        for (n, stride) in [(nx, 1), (ny, nx), (nz, nx * ny)] {
            let plan = if inverse { planner.plan_fft_inverse(n) } else { planner.plan_fft_forward(n) };
            if stride == 1 {
                plan.process(&mut self.values);
                continue;
            }
            let mut line = vec![Complex64::default(); n];
            let mut scratch = vec![Complex64::default(); plan.get_inplace_scratch_len()];
            for block in self.values.chunks_exact_mut(n * stride) {
                for start in 0..stride {
                    for (k, v) in line.iter_mut().enumerate() {
                        *v = block[start + k * stride];
                    }
                    plan.process_with_scratch(&mut line, &mut scratch);
                    for (k, v) in line.iter().enumerate() {
                        block[start + k * stride] = *v;
                    }
                }
            }
        }
    }
}
