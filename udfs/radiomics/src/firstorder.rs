//! First-order statistics of the intensities in the region: 18 features.
//!
//! PyRadiomics' definitions: moments divide by n, kurtosis is not in excess of 3, percentiles interpolate linearly.

use ndarray::Array3;

use crate::{Binned, Settings};

/// Keeps logarithms of empty bins finite, as PyRadiomics does: 2^-52.
const EPSILON: f64 = f64::EPSILON;

/// The features in alphabetical order. `values` and `inside` are `[z, y, x]`; `binned` is the same region.
pub(crate) fn firstorder(values: &Array3<f64>, inside: &Array3<bool>, binned: &Binned, settings: &Settings) -> Vec<(&'static str, f64)> {
    let mut roi = Vec::with_capacity(binned.voxels);
    let (values, inside) = (values.as_standard_layout(), inside.as_standard_layout());
    let voxels = values.as_slice().unwrap_or(&[]).iter().zip(inside.as_slice().unwrap_or(&[]));
    roi.extend(voxels.filter(|(_, inside)| **inside).map(|(v, _)| *v));
    let n = roi.len() as f64;
    let mut sorted = roi.clone();
    sort_for_percentiles(&mut sorted, &[0.10, 0.25, 0.5, 0.75, 0.90]);

    let mean = mean_of(&roi, |v| v);
    let variance = mean_of(&roi, |v| (v - mean).powi(2));
    let flat = variance == 0.0;
    let skewness = if flat { 0.0 } else { mean_of(&roi, |v| (v - mean).powi(3)) / variance.powf(1.5) };
    let kurtosis = if flat { 0.0 } else { mean_of(&roi, |v| (v - mean).powi(2).powi(2)) / (variance * variance) };
    let mean_square = mean_of(&roi, |v| (v + settings.voxel_array_shift).powi(2));
    let energy = mean_square * n;

    let (p10, p25) = (percentile(&sorted, 0.10), percentile(&sorted, 0.25));
    let (p75, p90) = (percentile(&sorted, 0.75), percentile(&sorted, 0.90));
    let (minimum, maximum) = (sorted[0], sorted[sorted.len() - 1]);
    let (entropy, uniformity) = of_bins(binned);
    let central: Vec<f64> = roi.iter().copied().filter(|v| *v >= p10 && *v <= p90).collect();

    vec![
        ("10Percentile", p10),
        ("90Percentile", p90),
        ("Energy", energy),
        ("Entropy", entropy),
        ("InterquartileRange", p75 - p25),
        ("Kurtosis", kurtosis),
        ("Maximum", maximum),
        ("Mean", mean),
        ("MeanAbsoluteDeviation", mean_absolute_deviation(&roi)),
        ("Median", percentile(&sorted, 0.5)),
        ("Minimum", minimum),
        ("Range", maximum - minimum),
        ("RobustMeanAbsoluteDeviation", mean_absolute_deviation(&central)),
        ("RootMeanSquared", mean_square.sqrt()),
        ("Skewness", skewness),
        ("TotalEnergy", energy * binned.spacing.iter().product::<f64>()),
        ("Uniformity", uniformity),
        ("Variance", variance),
    ]
}

/// Sum of a function of each value in numpy's order: halves down to blocks of 128, eight running sums in each. Besides
/// being accurate, it leaves the mean of a flat region with numpy's rounding, from which its skewness and kurtosis
/// follow.
fn sum(values: &[f64], f: &impl Fn(f64) -> f64) -> f64 {
    let n = values.len();
    if n < 8 {
        return values.iter().map(|v| f(*v)).sum();
    }
    if n > 128 {
        let half = n / 2 - n / 2 % 8;
        return sum(&values[..half], f) + sum(&values[half..], f);
    }
    let (blocks, rest) = values.as_chunks::<8>();
    let mut r = blocks[0].map(f);
    for block in &blocks[1..] {
        for (r, v) in r.iter_mut().zip(block) {
            *r += f(*v);
        }
    }
    let eight = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    rest.iter().fold(eight, |total, v| total + f(*v))
}

/// Mean of a function of each value.
pub(crate) fn mean_of(values: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    sum(values, &f) / values.len() as f64
}

/// Mean distance from the mean.
pub(crate) fn mean_absolute_deviation(values: &[f64]) -> f64 {
    let mean = mean_of(values, |v| v);
    mean_of(values, |v| (v - mean).abs())
}

/// Puts the values that [`percentile`] reads for the ascending `quantiles`, and the first and last, where sorting would.
fn sort_for_percentiles(values: &mut [f64], quantiles: &[f64]) {
    let last = values.len() - 1;
    let mut ranks = vec![0, last];
    for q in quantiles {
        let below = ((last as f64 * q).floor() as usize).min(last);
        ranks.extend([below, (below + 1).min(last)]);
    }
    ranks.sort_unstable();
    ranks.dedup();
    select(values, 0, &ranks);
}

/// Puts the values of the ascending `ranks` in place; `values` start at rank `first`.
fn select(values: &mut [f64], first: usize, ranks: &[usize]) {
    let Some(rank) = ranks.get(ranks.len() / 2) else { return };
    let (low, _, high) = values.select_nth_unstable_by(rank - first, f64::total_cmp);
    select(low, first, &ranks[..ranks.len() / 2]);
    select(high, rank + 1, &ranks[ranks.len() / 2 + 1..]);
}

/// Percentile of ascending values at position (n - 1) q, between neighbours by numpy's two-sided formula.
pub(crate) fn percentile(sorted: &[f64], q: f64) -> f64 {
    let position = (sorted.len() - 1) as f64 * q;
    let below = (position.floor() as usize).min(sorted.len() - 1);
    let above = (below + 1).min(sorted.len() - 1);
    let t = position - below as f64;
    let (a, b) = (sorted[below], sorted[above]);
    if t >= 0.5 { b - (b - a) * (1.0 - t) } else { a + (b - a) * t }
}

/// Entropy in bits and uniformity of the grey level frequencies.
fn of_bins(binned: &Binned) -> (f64, f64) {
    let mut counts = vec![0u64; binned.n_levels as usize + 1];
    for level in &binned.levels {
        counts[*level as usize] += 1;
    }
    let (mut entropy, mut uniformity) = (0.0, 0.0);
    for count in counts.into_iter().skip(1).filter(|c| *c > 0) {
        let p = count as f64 / binned.voxels as f64;
        entropy -= p * (p + EPSILON).log2();
        uniformity += p * p;
    }
    (entropy, uniformity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_interpolate() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(percentile(&sorted, 0.5), 3.0);
        assert_eq!(percentile(&sorted, 0.25), 1.75);
        assert_eq!(percentile(&sorted, 1.0), 8.0);
        assert_eq!(percentile(&[5.0], 0.9), 5.0);
    }

    #[test]
    fn selection_puts_percentiles_where_sorting_does() {
        let quantiles = [0.10, 0.25, 0.5, 0.75, 0.90];
        for n in [1usize, 2, 3, 10, 11, 997] {
            for many in [3, 100_000] {
                let values: Vec<f64> = (0..n).map(|i| (i * 7919 % 1013 % many) as f64 - 50.0).collect();
                let (mut selected, mut sorted) = (values.clone(), values);
                sort_for_percentiles(&mut selected, &quantiles);
                sorted.sort_unstable_by(f64::total_cmp);
                assert_eq!((selected[0], selected[n - 1]), (sorted[0], sorted[n - 1]));
                for q in quantiles {
                    assert_eq!(percentile(&selected, q), percentile(&sorted, q), "{n} {q}");
                }
            }
        }
    }

    #[test]
    fn sums_of_every_length() {
        for n in [0, 7, 8, 127, 128, 129, 300, 1000] {
            let values: Vec<f64> = (0..n).map(f64::from).collect();
            assert_eq!(sum(&values, &|v| v), f64::from(n * (n - 1) / 2), "{n}");
        }
    }
}
