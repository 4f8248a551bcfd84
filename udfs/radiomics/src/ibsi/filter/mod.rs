//! The convolutional filters of IBSI-2 (Depeursinge et al., reference manual arXiv:2006.05470): responses of the whole image,
//! of which the voxels of a box are computed.
//!
//! Images continue beyond their edges as in a mirror that stands on the edge (`abc|cba`), but for the non-separable wavelet,
//! which is defined on a periodic image. Arrays are `[z, y, x]`; kernels named by letters run along x, y, z.

mod gabor;
mod separable;
mod simoncelli;

use ndarray::Array3;

use crate::RadiomicsError;
use crate::filters::Box3;
use crate::filters::wavelet::Taps;
use separable::{Kernel, Stage, convolve, pooled};

/// A filter, and how it sees the image.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    pub kind: FilterKind,
    /// Slice by slice, not in space.
    pub by_slice: bool,
    /// Pool the responses of all right-angled rotations of the kernel (Laws, wavelet), or of all directions and, in space, of
    /// the three planes (Gabor).
    pub rotation_invariant: bool,
    pub pooling: Pooling,
}

/// How responses are made one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    Max,
    Mean,
}

#[derive(Debug, Clone, PartialEq)]
pub enum FilterKind {
    /// Mean over `support` voxels along each axis, an odd number.
    Mean { support: u32 },
    /// Laplacian of Gaussian of `sigma` mm, cut off at `cutoff` sigma.
    Log { sigma: f64, cutoff: f64 },
    /// Laws' kernels such as L5E5E5; with `energy` the mean magnitude of the response within so many voxels.
    Laws { kernels: String, energy: Option<u32> },
    /// Modulus of a Gabor filter: `sigma` and wavelength `lambda` in mm, aspect `gamma`, direction `theta` and, where
    /// rotations are pooled, the step between directions, in degrees.
    Gabor { sigma: f64, lambda: f64, gamma: f64, theta: f64, theta_step: f64 },
    /// A band such as LLH of the undecimated separable wavelet, at a level of the à trous decomposition.
    Wavelet { wavelet: String, band: String, level: u32 },
    /// A level of Simoncelli's non-separable wavelet.
    Simoncelli { level: u32 },
}

/// Laws' kernels, normalised by their norm.
const LAWS: [(&str, &[f64]); 8] = [
    ("L5", &[1.0, 4.0, 6.0, 4.0, 1.0]),
    ("E5", &[-1.0, -2.0, 0.0, 2.0, 1.0]),
    ("S5", &[-1.0, 0.0, 2.0, 0.0, -1.0]),
    ("W5", &[-1.0, 2.0, 0.0, -2.0, 1.0]),
    ("R5", &[1.0, -4.0, 6.0, -4.0, 1.0]),
    ("L3", &[1.0, 2.0, 1.0]),
    ("E3", &[-1.0, 0.0, 1.0]),
    ("S3", &[-1.0, 2.0, -1.0]),
];

/// Levels beyond which a kernel would be larger than any image.
const MAX_LEVEL: u32 = 8;

impl Filter {
    /// Its name, with which the names of its features begin.
    pub fn name(&self) -> &'static str {
        match self.kind {
            FilterKind::Mean { .. } => "mean",
            FilterKind::Log { .. } => "log",
            FilterKind::Laws { .. } => "laws",
            FilterKind::Gabor { .. } => "gabor",
            FilterKind::Wavelet { .. } => "wavelet",
            FilterKind::Simoncelli { .. } => "simoncelli",
        }
    }

    pub(crate) fn validate(&self) -> Result<(), RadiomicsError> {
        let refuse = |reason: String| Err(RadiomicsError::Setting { setting: "filter", reason });
        let positive = |what: &str, v: f64| {
            if v.is_finite() && v > 0.0 { Ok(()) } else { refuse(format!("has the {what} {v}: it must be above 0")) }
        };
        let axes = if self.by_slice { 2 } else { 3 };
        match &self.kind {
            FilterKind::Mean { support } if !(1..=999).contains(support) || support % 2 == 0 => {
                refuse(format!("has the support {support}: it must be an odd number of voxels up to 999"))
            }
            FilterKind::Mean { .. } => Ok(()),
            FilterKind::Log { sigma, cutoff } => positive("sigma", *sigma).and(positive("cutoff", *cutoff)),
            FilterKind::Laws { kernels, energy } => {
                let known = LAWS.map(|(name, _)| name).join(", ");
                match laws(kernels) {
                    Some(found) if found.len() == axes && energy.is_none_or(|n| n <= 999) => Ok(()),
                    Some(_) if energy.is_some_and(|n| n > 999) => refuse("has an energy distance above 999 voxels".into()),
                    _ => refuse(format!("has the kernels '{kernels}': name {axes}, one after the other, of {known}")),
                }
            }
            FilterKind::Gabor { sigma, lambda, gamma, theta, theta_step } => {
                positive("sigma", *sigma).and(positive("lambda", *lambda)).and(positive("gamma", *gamma))?;
                if !theta.is_finite() {
                    return refuse("has a theta that is not a number of degrees".into());
                }
                if self.rotation_invariant && !(0.1..=180.0).contains(theta_step) {
                    return refuse(format!("has the theta_step {theta_step}: it can be 0.1 to 180 degrees"));
                }
                Ok(())
            }
            FilterKind::Wavelet { wavelet, band, level } => {
                if Taps::named(wavelet).is_none() {
                    return refuse(format!(
                        "has the wavelet '{wavelet}', which is none of {}",
                        Taps::names().collect::<Vec<_>>().join(", ")
                    ));
                }
                if band.len() != axes || !band.chars().all(|c| "LH".contains(c)) {
                    return refuse(format!("has the band '{band}': name one of {axes} letters L or H, along x, y, z"));
                }
                level_in_range(*level)
            }
            FilterKind::Simoncelli { level } => level_in_range(*level),
        }
    }

    /// The response in the voxels of `area`; `spacing` in mm along z, y, x.
    pub(crate) fn response(&self, image: &Array3<f64>, area: Box3, spacing: [f64; 3]) -> Array3<f64> {
        match &self.kind {
            FilterKind::Mean { support } => {
                let mean = Kernel::new(vec![1.0 / f64::from(*support); *support as usize]);
                convolve(image, area, &[self.in_plane(|_| mean.clone())])
            }
            FilterKind::Log { sigma, cutoff } => self.log(image, area, spacing, *sigma, *cutoff),
            FilterKind::Laws { kernels, energy } => {
                let kernels = laws(kernels).unwrap_or_default();
                let stage = self.in_plane(|letter| kernels[letter].clone());
                let distance = energy.unwrap_or(0) as usize;
                let wide = area.grown(self.margin(distance), shape(image));
                let mut response = pooled(image, wide, &[stage], self);
                if energy.is_none() {
                    return response;
                }
                response.mapv_inplace(f64::abs);
                let mean = Kernel::new(vec![1.0 / (2 * distance + 1) as f64; 2 * distance + 1]);
                separable::apply(&response, wide, area, shape(image), &self.in_plane(|_| mean.clone()))
            }
            FilterKind::Gabor { .. } => gabor::response(self, image, area, spacing),
            FilterKind::Wavelet { wavelet, band, level } => {
                let Some(taps) = Taps::named(wavelet) else { return Array3::zeros([0; 3]) };
                let letters: Vec<char> = band.chars().collect();
                let stages: Vec<Stage> = (1..=*level)
                    .map(|at| {
                        self.in_plane(|letter| {
                            let high = at == *level && letters[letter] == 'H';
                            Kernel::new(if high { taps.high.clone() } else { taps.low.clone() }).dilated(at - 1)
                        })
                    })
                    .collect();
                pooled(image, area, &stages, self)
            }
            FilterKind::Simoncelli { level } => simoncelli::response(image, area, *level, self.by_slice),
        }
    }

    /// A kernel for each axis that the filter acts along; `kernel` is told which letter it is: 0 is x.
    fn in_plane(&self, kernel: impl Fn(usize) -> Kernel) -> Stage {
        let z = if self.by_slice { None } else { Some(kernel(2)) };
        [z, Some(kernel(1)), Some(kernel(0))]
    }

    fn margin(&self, voxels: usize) -> [usize; 3] {
        [if self.by_slice { 0 } else { voxels }, voxels, voxels]
    }

    /// The sum over axes of the second derivative along that axis and the smoothing along the others, sigma in voxels.
    fn log(&self, image: &Array3<f64>, area: Box3, spacing: [f64; 3], sigma: f64, cutoff: f64) -> Array3<f64> {
        let kernel = |axis: usize, second: bool| {
            let s = sigma / spacing[axis];
            let reach = (cutoff * s + 0.5).floor().min(1e4) as i64;
            let weight = |x: f64| {
                let gauss = (-x * x / (2.0 * s * s)).exp() / (2.0 * std::f64::consts::PI * s * s).sqrt();
                if second { gauss * (x * x / (s * s) - 1.0) / (s * s) } else { gauss }
            };
            Kernel::new((-reach..=reach).map(|x| weight(x as f64)).collect())
        };
        let along = |derived: usize| convolve(image, area, &[self.in_plane(|letter| kernel(2 - letter, letter == derived))]);
        let mut sum = along(0) + along(1);
        if !self.by_slice {
            sum += &along(2);
        }
        sum
    }
}

fn level_in_range(level: u32) -> Result<(), RadiomicsError> {
    if (1..=MAX_LEVEL).contains(&level) {
        return Ok(());
    }
    Err(RadiomicsError::Setting { setting: "filter", reason: format!("has the level {level}: it can be 1 to {MAX_LEVEL}") })
}

/// The kernels that a name such as L5E5E5 stands for.
fn laws(names: &str) -> Option<Vec<Kernel>> {
    if !names.is_ascii() || !names.len().is_multiple_of(2) {
        return None;
    }
    let of = |at: usize| LAWS.iter().find(|(name, _)| *name == &names[at..at + 2]).map(|(_, weights)| *weights);
    (0..names.len())
        .step_by(2)
        .map(|at| {
            let weights = of(at)?;
            let norm = weights.iter().map(|w| w * w).sum::<f64>().sqrt();
            Some(Kernel::new(weights.iter().map(|w| w / norm).collect()))
        })
        .collect()
}

fn shape(image: &Array3<f64>) -> [usize; 3] {
    [image.dim().0, image.dim().1, image.dim().2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(kind: FilterKind) -> Filter {
        Filter { kind, by_slice: false, rotation_invariant: false, pooling: Pooling::Mean }
    }

    fn all(size: [usize; 3]) -> Box3 {
        Box3 { lower: [0; 3], upper: size }
    }

    fn wavy(size: [usize; 3]) -> Array3<f64> {
        Array3::from_shape_fn(size, |(z, y, x)| ((3 * z + 5 * y * x + x * x) % 11) as f64)
    }

    fn every() -> Vec<Filter> {
        let pool = |filter: Filter| Filter { rotation_invariant: true, ..filter };
        let laws = |energy| plain(FilterKind::Laws { kernels: "L5E5S3".into(), energy });
        let wavelet = |level| plain(FilterKind::Wavelet { wavelet: "db3".into(), band: "LHL".into(), level });
        let gabor = plain(FilterKind::Gabor { sigma: 1.0, lambda: 2.0, gamma: 1.5, theta: 0.0, theta_step: 45.0 });
        vec![
            plain(FilterKind::Mean { support: 5 }),
            plain(FilterKind::Log { sigma: 1.2, cutoff: 4.0 }),
            laws(None),
            Filter { pooling: Pooling::Max, ..pool(laws(Some(3))) },
            wavelet(1),
            pool(wavelet(2)),
            gabor.clone(),
            Filter { by_slice: true, ..pool(gabor.clone()) },
            pool(gabor),
            plain(FilterKind::Simoncelli { level: 1 }),
            Filter { by_slice: true, ..plain(FilterKind::Simoncelli { level: 2 }) },
        ]
    }

    /// What is computed for a box is what is computed for the whole image.
    #[test]
    fn a_box_sees_what_the_image_sees() {
        let size = [9, 14, 13];
        let image = wavy(size);
        let area = Box3 { lower: [1, 5, 0], upper: [4, 9, 6] };
        for filter in every() {
            filter.validate().unwrap();
            let whole = filter.response(&image, all(size), [1.0; 3]);
            let part = filter.response(&image, area, [1.0; 3]);
            for ((z, y, x), found) in part.indexed_iter() {
                let expected = whole[[z + 1, y + 5, x]];
                assert!((found - expected).abs() < 1e-9, "{filter:?} {found} {expected}");
            }
        }
    }

    /// An image of one value: the mean keeps it, low-pass kernels multiply it by their sums, all others give 0.
    #[test]
    fn a_flat_image() {
        let size = [6, 7, 8];
        let image = Array3::from_elem(size, 3.0);
        let at = |filter: &Filter| filter.response(&image, all(size), [1.0; 3])[[2, 3, 4]];
        assert!((at(&plain(FilterKind::Mean { support: 3 })) - 3.0).abs() < 1e-12);
        assert!(at(&plain(FilterKind::Laws { kernels: "L5E5S5".into(), energy: Some(2) })).abs() < 1e-12);
        assert!((at(&plain(FilterKind::Wavelet { wavelet: "db3".into(), band: "LLL".into(), level: 2 })) - 3.0 * 8.0).abs() < 1e-9);
        assert!(at(&plain(FilterKind::Wavelet { wavelet: "db3".into(), band: "LLH".into(), level: 1 })).abs() < 1e-9);
        assert!(at(&plain(FilterKind::Log { sigma: 1.5, cutoff: 4.0 })).abs() < 2e-3);
        assert!(at(&plain(FilterKind::Simoncelli { level: 1 })).abs() < 1e-9);
    }

    /// A wave at half the Nyquist frequency passes Simoncelli's first level unchanged.
    #[test]
    fn simoncelli_passes_its_own_frequency() {
        let image = Array3::from_shape_fn([1, 17, 17], |(_, _, x)| (2.0 * std::f64::consts::PI * 4.0 * x as f64 / 17.0).cos());
        let filter = |level| Filter { by_slice: true, ..plain(FilterKind::Simoncelli { level }) };
        let response = filter(1).response(&image, all([1, 17, 17]), [1.0; 3]);
        assert!(response.iter().zip(&image).all(|(a, b)| (a - b).abs() < 1e-12));
        assert!(filter(3).response(&image, all([1, 17, 17]), [1.0; 3]).iter().all(|v| v.abs() < 1e-12));
    }

    /// The response of a turned image is the turned response.
    #[test]
    fn rotation_invariance_is_what_it_says() {
        let n = 12;
        let image = wavy([n, n, n]);
        let turned = Array3::from_shape_fn([n, n, n], |(z, y, x)| image[[x, y, n - 1 - z]]);
        for filter in every().into_iter().filter(|f| f.rotation_invariant && !f.by_slice) {
            let (one, other) = (filter.response(&image, all([n; 3]), [1.0; 3]), filter.response(&turned, all([n; 3]), [1.0; 3]));
            // Kernels of even length have no centre: turned, their response lies half a voxel aside.
            let odd = !matches!(filter.kind, FilterKind::Wavelet { .. });
            for ((z, y, x), v) in other.indexed_iter().filter(|_| odd) {
                assert!((v - one[[x, y, n - 1 - z]]).abs() < 1e-9, "{filter:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        let laws = |kernels: &str| FilterKind::Laws { kernels: kernels.into(), energy: None };
        for (kind, words) in [
            (FilterKind::Mean { support: 4 }, "odd"),
            (laws("L5E5"), "name 3"),
            (laws("L5E5Q5"), "S5"),
            (laws("\u{e9}5E5L5"), "S5"),
            (FilterKind::Wavelet { wavelet: "db99".into(), band: "LLL".into(), level: 1 }, "db99"),
            (FilterKind::Wavelet { wavelet: "db3".into(), band: "LL".into(), level: 1 }, "3 letters"),
            (FilterKind::Simoncelli { level: 0 }, "level 0"),
            (FilterKind::Log { sigma: 0.0, cutoff: 4.0 }, "sigma 0"),
        ] {
            let error = plain(kind).validate().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
