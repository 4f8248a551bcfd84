//! Features of a matrix that counts (grey level, size): shared by the run length, size zone and dependence classes.
//!
//! Galloway, Comput. Graphics Image Process. 1975;4:172; Chu et al. 1990; Dasarathy & Holder 1991; Sun & Wee 1983.

use std::collections::BTreeMap;

use super::EPSILON;

/// Counts (or weights) of (rank of the grey level, size).
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SizeCounts(BTreeMap<(u32, u32), f64>);

/// The features' values under neutral names: "small" is short, small area or small dependence.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Emphasis {
    pub(crate) small: f64,
    pub(crate) large: f64,
    pub(crate) level_non_uniformity: f64,
    pub(crate) level_non_uniformity_normalized: f64,
    pub(crate) size_non_uniformity: f64,
    pub(crate) size_non_uniformity_normalized: f64,
    pub(crate) percentage: f64,
    pub(crate) level_variance: f64,
    pub(crate) size_variance: f64,
    pub(crate) entropy: f64,
    pub(crate) low_level: f64,
    pub(crate) high_level: f64,
    pub(crate) small_low: f64,
    pub(crate) small_high: f64,
    pub(crate) large_low: f64,
    pub(crate) large_high: f64,
}

impl SizeCounts {
    pub(crate) fn add(&mut self, rank: u32, size: u32, weight: f64) {
        *self.0.entry((rank, size)).or_default() += weight;
    }

    /// Adds `weight` times each count of `other`.
    pub(crate) fn merge(&mut self, other: &SizeCounts, weight: f64) {
        for ((rank, size), count) in &other.0 {
            self.add(*rank, *size, weight * count);
        }
    }

    /// Sum of the squared probabilities.
    pub(crate) fn energy(&self) -> f64 {
        let total: f64 = self.0.values().sum();
        self.0.values().map(|count| (count / total).powi(2)).sum()
    }

    /// The features; `levels[rank - 1]` is a rank's grey level. All are NaN when nothing was counted.
    pub(crate) fn features(&self, levels: &[f64]) -> Emphasis {
        let total: f64 = self.0.values().sum();
        let mut f = Emphasis::default();
        let mut by_level = vec![0.0; levels.len()];
        let mut by_size: BTreeMap<u32, f64> = BTreeMap::new();
        let (mut mean_level, mut mean_size) = (0.0, 0.0);
        for ((rank, size), count) in &self.0 {
            let (i, j) = (levels[*rank as usize - 1], f64::from(*size));
            let (p, ii, jj) = (count / total, i * i, j * j);
            f.small += p / jj;
            f.large += p * jj;
            f.low_level += p / ii;
            f.high_level += p * ii;
            f.small_low += p / (ii * jj);
            f.small_high += p * ii / jj;
            f.large_low += p * jj / ii;
            f.large_high += p * ii * jj;
            f.entropy -= p * (p + EPSILON).log2();
            mean_level += count * i;
            mean_size += count * j;
            by_level[*rank as usize - 1] += count;
            *by_size.entry(*size).or_default() += count;
        }
        // Divided once, so that one level or one size has a variance of exactly 0.
        mean_level /= total;
        mean_size /= total;
        for ((rank, size), count) in &self.0 {
            let p = count / total;
            f.level_variance += p * (levels[*rank as usize - 1] - mean_level).powi(2);
            f.size_variance += p * (f64::from(*size) - mean_size).powi(2);
        }
        f.percentage = 1.0 / mean_size;
        f.level_non_uniformity = by_level.iter().map(|v| v * v).sum::<f64>() / total;
        f.level_non_uniformity_normalized = f.level_non_uniformity / total;
        f.size_non_uniformity = by_size.values().map(|v| v * v).sum::<f64>() / total;
        f.size_non_uniformity_normalized = f.size_non_uniformity / total;
        f
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_entries_by_hand() {
        let mut counts = SizeCounts::default();
        counts.add(1, 2, 3.0);
        counts.add(2, 1, 1.0);
        let f = counts.features(&[1.0, 4.0]);
        assert_eq!((f.small, f.large), (0.75 / 4.0 + 0.25, 0.75 * 4.0 + 0.25));
        assert_eq!((f.level_non_uniformity, f.percentage), (2.5, 4.0 / 7.0));
        assert_eq!((f.low_level, f.high_level), (0.75 + 0.25 / 16.0, 0.75 + 0.25 * 16.0));
        assert_eq!(f.level_variance, 0.75 * 0.75 * 0.75 + 0.25 * 2.25 * 2.25);
        assert_eq!((f.small_low, f.large_high), (0.75 / 4.0 + 0.25 / 16.0, 3.0 + 4.0));
    }
}
