//! Undecimated wavelet sub-bands, as PyRadiomics makes them with PyWavelets' `swtn`.
//!
//! One level: c[n] = sum_k f[k] x[n - k + L/2] along each axis, f the low-pass (L) or high-pass (H) decomposition filter
//! of length L, on a periodic signal. An axis with an odd number of voxels first gains one: a copy of its first voxel.
//! Further levels apply the same filters, not dilated, to the low-pass band of the level before. Letters of a band are
//! in x, y, z order. Mallat, A Wavelet Tour of Signal Processing, 5.2; Lee et al., JOSS 2019;4:1237.

use ndarray::{Array3, Axis};

use super::{Box3, gather};
use crate::prepare::Frame;
use crate::{RadiomicsError, Settings};

/// Decomposition filters of one wavelet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Taps {
    pub(crate) low: Vec<f64>,
    pub(crate) high: Vec<f64>,
}

impl Taps {
    /// The filters of a wavelet by PyWavelets' name; `None` when there is no such wavelet.
    pub(crate) fn named(name: &str) -> Option<Taps> {
        let line = TABLE.lines().find(|line| line.split(' ').next() == Some(name))?;
        let (low, high) = line[name.len()..].split_once('|').unwrap_or((&line[name.len()..], ""));
        let numbers = |text: &str| text.split_whitespace().filter_map(|v| v.parse().ok()).collect::<Vec<f64>>();
        let (low, mut high) = (numbers(low), numbers(high));
        if high.is_empty() {
            let sign = |k: usize| if k.is_multiple_of(2) { -1.0 } else { 1.0 };
            high = low.iter().rev().enumerate().map(|(k, v)| sign(k) * v).collect();
        }
        Some(Taps { low, high })
    }

    /// Every wavelet that has filters here.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        TABLE.lines().skip(1).filter_map(|line| line.split(' ').next())
    }
}

const TABLE: &str = include_str!("wavelets.txt");

/// Calls `each` with the name and the voxels of `area` of every sub-band, in PyRadiomics' order.
///
/// `single` computes in float32, as PyWavelets does for float32 images.
pub(crate) fn wavelet(
    frame: &Frame<'_>,
    area: Box3,
    single: bool,
    settings: &Settings,
    mut each: impl FnMut(&str, Array3<f64>) -> Result<(), RadiomicsError>,
) -> Result<(), RadiomicsError> {
    let taps = Taps::named(&settings.wavelet).ok_or_else(|| unknown(&settings.wavelet))?;
    // Letters run along x, y, z: array axes 2, 1, 0.
    let axes: Vec<usize> = (0..3).rev().filter(|a| !(settings.force_2d && *a == settings.force_2d_dimension)).collect();
    let levels = (settings.start_level + settings.level) as usize;
    let length = taps.low.len();
    let dim = frame.dim();
    let positions = std::array::from_fn(|a| {
        let inside = area.lower[a]..area.upper[a];
        if axes.contains(&a) { reach(inside, levels * (length - length / 2 - 1), levels * (length / 2), dim[a]) } else { inside.collect() }
    });
    let mut data = gather(frame, &positions);
    let low_band = |mut data: Array3<f64>| {
        for &axis in &axes {
            data = convolve(&data, axis, &taps.low, single);
        }
        data
    };
    for _ in 0..settings.start_level {
        data = low_band(data);
    }
    for level in 1..=settings.level {
        // What is left of the margins once this level is done.
        let left = (settings.level - level) as usize;
        let prefix = if level == 1 { "wavelet".to_string() } else { format!("wavelet{level}") };
        let mut bands = vec![(String::new(), data)];
        let (last, first) = axes.split_last().ok_or_else(|| unknown(&settings.wavelet))?;
        for &axis in first {
            bands = bands
                .into_iter()
                .flat_map(|(name, values)| {
                    let low = convolve(&values, axis, &taps.low, single);
                    let high = convolve(&values, axis, &taps.high, single);
                    [(format!("{name}L"), low), (format!("{name}H"), high)]
                })
                .collect();
        }
        let crop = |mut values: Array3<f64>| {
            for &axis in &axes {
                let from = left * (length - length / 2 - 1);
                let size = area.upper[axis] - area.lower[axis];
                if values.len_of(Axis(axis)) > size {
                    values = values.slice_axis(Axis(axis), (from..from + size).into()).to_owned();
                }
            }
            values
        };
        // The last axis band by band, so that few are in memory; the one that is low along all axes comes at the end.
        for (at, (name, values)) in bands.iter().enumerate() {
            if at > 0 {
                each(&format!("{prefix}-{name}L"), crop(convolve(values, *last, &taps.low, single)))?;
            }
            each(&format!("{prefix}-{name}H"), crop(convolve(values, *last, &taps.high, single)))?;
        }
        let (name, values) = bands.swap_remove(0);
        let low = convolve(&values, *last, &taps.low, single);
        if left == 0 {
            return each(&format!("{prefix}-{name}L"), crop(low));
        }
        data = low;
    }
    Ok(())
}

fn unknown(name: &str) -> RadiomicsError {
    let names: Vec<&str> = Taps::names().collect();
    let reason = format!("is '{name}', which is not a wavelet: choose one of {}", names.join(", "));
    RadiomicsError::Setting { setting: "wavelet", reason }
}

/// Positions `inside` with `before` and `after` more around on a periodic axis of `n` voxels, which an odd number
/// makes one longer by repeating the first.
fn reach(inside: std::ops::Range<usize>, before: usize, after: usize, n: usize) -> Vec<usize> {
    let period = (n + n % 2) as isize;
    (inside.start as isize - before as isize..(inside.end + after) as isize)
        .map(|i| i.rem_euclid(period) as usize)
        .map(|i| if i == n { 0 } else { i })
        .collect()
}

/// The convolution along `axis` where it is complete: `filter.len() - 1` fewer voxels than `data`. Terms are added in
/// the order of the taps.
fn convolve(data: &Array3<f64>, axis: usize, filter: &[f64], single: bool) -> Array3<f64> {
    let taps = filter.len();
    let mut dim = data.raw_dim();
    dim[axis] = (dim[axis] + 1).saturating_sub(taps);
    let mut out = Array3::<f64>::zeros(dim);
    if single {
        for (k, f) in filter.iter().enumerate() {
            let from = taps - 1 - k;
            let part = data.slice_axis(Axis(axis), (from..from + dim[axis]).into());
            out.zip_mut_with(&part, |sum, x| *sum = f64::from(*sum as f32 + *f as f32 * *x as f32));
        }
        return out;
    }
    let data = data.as_standard_layout();
    // In memory one step along the axis is one stride, so each block of the axes from it on is filtered as a line.
    let stride: usize = data.shape()[axis + 1..].iter().product();
    let (block, kept) = (data.len_of(Axis(axis)) * stride, dim[axis] * stride);
    if kept == 0 {
        return out;
    }
    if let (Some(data), Some(out)) = (data.as_slice(), out.as_slice_mut()) {
        for (data, out) in data.chunks_exact(block).zip(out.chunks_exact_mut(kept)) {
            convolve_line(data, stride, filter, out);
        }
    }
    out
}

/// `out[i]` = sum over k of `filter[k] * data[i + (filter.len() - 1 - k) * stride]`.
fn convolve_line(data: &[f64], stride: usize, filter: &[f64], out: &mut [f64]) {
    const LANES: usize = 16;
    let source = |k: usize| &data[(filter.len() - 1 - k) * stride..];
    let (blocks, rest) = out.as_chunks_mut::<LANES>();
    let done = blocks.len() * LANES;
    for (b, out) in blocks.iter_mut().enumerate() {
        let mut sums = [0.0; LANES];
        for (k, f) in filter.iter().enumerate() {
            for (sum, x) in sums.iter_mut().zip(&source(k)[b * LANES..][..LANES]) {
                *sum += f * x;
            }
        }
        *out = sums;
    }
    for (i, out) in rest.iter_mut().enumerate() {
        *out = filter.iter().enumerate().fold(0.0, |sum, (k, f)| sum + f * source(k)[done + i]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_wavelet_has_filters_that_add_up() {
        for name in Taps::names() {
            let taps = Taps::named(name).unwrap();
            let sum: f64 = taps.low.iter().sum();
            assert_eq!(taps.low.len(), taps.high.len());
            // The discrete Meyer filter is an approximation.
            let tolerance = if name == "dmey" { 1e-2 } else { 1e-9 };
            assert!((sum - 2.0_f64.sqrt()).abs() < tolerance, "{name}: {sum}");
            assert!(taps.high.iter().sum::<f64>().abs() < tolerance, "{name}");
        }
        assert!(Taps::named("coif").is_none());
    }

    /// PyWavelets 1.5.0, `pywt.swt(x, 'coif1', level=1)`.
    #[test]
    fn one_dimension_equals_pywavelets() {
        let x = [44.0, 12.0, 18.0, 39.0, 7.0, 27.0, 33.0, -28.0, -45.0, -20.0, -22.0, 37.0];
        let taps = Taps::named("coif1").unwrap();
        let frame = Frame::Array(Array3::from_shape_vec((1, 1, 12), x.to_vec()).unwrap());
        let positions = [vec![0], vec![0], reach(0..12, 2, 3, 12)];
        let data = gather(&frame, &positions);
        let low = convolve(&data, 2, &taps.low, false);
        let high = convolve(&data, 2, &taps.high, false);
        for (found, expected) in [(low[[0, 0, 0]], 54.314117643369755), (low[[0, 0, 11]], 41.34552728547431)] {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        for (found, expected) in [(high[[0, 0, 1]], 5.580192288525821), (high[[0, 0, 10]], -25.022047420716458)] {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }

    #[test]
    fn lines_side_by_side_equal_the_formula() {
        let data = Array3::from_shape_fn((9, 11, 40), |(z, y, x)| ((z * 37 + y * 11 + x * 5) % 41) as f64 - 7.25);
        let filter = [0.3, -0.7, 0.2, 0.9];
        for axis in 0..3 {
            let found = convolve(&data, axis, &filter, false);
            assert_eq!(found.len_of(Axis(axis)) + 3, data.len_of(Axis(axis)));
            for ((z, y, x), v) in found.indexed_iter() {
                let expected = (0..4).fold(0.0, |sum, k| {
                    let mut at = [z, y, x];
                    at[axis] += 3 - k;
                    sum + filter[k] * data[at]
                });
                assert_eq!(v.to_bits(), expected.to_bits());
            }
        }
    }

    #[test]
    fn an_odd_axis_repeats_its_first_voxel() {
        assert_eq!(reach(1..4, 2, 2, 5), [0, 0, 1, 2, 3, 4, 0]);
        assert_eq!(reach(0..2, 1, 1, 4), [3, 0, 1, 2]);
    }
}
