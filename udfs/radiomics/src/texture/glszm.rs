//! Grey level size zone matrix: connected zones of equal level, 16 features.
//!
//! Voxels connect over faces, edges and corners: 26 neighbours, or 8 in the plane with `force_2d`. Thibault et al. 2009.

use super::Lattice;
use super::emphasis::SizeCounts;
use crate::Settings;

/// The features in alphabetical order.
pub(crate) fn glszm(lattice: &Lattice, settings: &Settings) -> Vec<(&'static str, f64)> {
    let f = zones(lattice, settings).features(&lattice.levels);
    vec![
        ("GrayLevelNonUniformity", f.level_non_uniformity),
        ("GrayLevelNonUniformityNormalized", f.level_non_uniformity_normalized),
        ("GrayLevelVariance", f.level_variance),
        ("HighGrayLevelZoneEmphasis", f.high_level),
        ("LargeAreaEmphasis", f.large),
        ("LargeAreaHighGrayLevelEmphasis", f.large_high),
        ("LargeAreaLowGrayLevelEmphasis", f.large_low),
        ("LowGrayLevelZoneEmphasis", f.low_level),
        ("SizeZoneNonUniformity", f.size_non_uniformity),
        ("SizeZoneNonUniformityNormalized", f.size_non_uniformity_normalized),
        ("SmallAreaEmphasis", f.small),
        ("SmallAreaHighGrayLevelEmphasis", f.small_high),
        ("SmallAreaLowGrayLevelEmphasis", f.small_low),
        ("ZoneEntropy", f.entropy),
        ("ZonePercentage", f.percentage),
        ("ZoneVariance", f.size_variance),
    ]
}

fn zones(lattice: &Lattice, settings: &Settings) -> SizeCounts {
    let steps = lattice.all_steps(&[1], settings);
    let mut left = lattice.ranks.clone();
    let mut counts = SizeCounts::default();
    let mut front = Vec::new();
    for &voxel in &lattice.voxels {
        let rank = std::mem::take(&mut left[voxel]);
        if rank == 0 {
            continue;
        }
        let mut size = 0;
        front.push(voxel);
        while let Some(at) = front.pop() {
            size += 1;
            for step in &steps {
                let next = at.wrapping_add_signed(*step);
                if left[next] == rank {
                    left[next] = 0;
                    front.push(next);
                }
            }
        }
        counts.add(rank, size, 1.0);
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::super::lattice::tests::binned;
    use super::*;

    #[test]
    fn corners_connect() {
        let lattice = Lattice::new(&binned((2, 2, 2), &[1, 2, 2, 2, 2, 2, 0, 1]), &Settings::default());
        let mut expected = SizeCounts::default();
        expected.add(1, 2, 1.0);
        expected.add(2, 5, 1.0);
        assert_eq!(zones(&lattice, &Settings::default()), expected);
        let in_plane = Settings { force_2d: true, ..Settings::default() };
        let mut expected = SizeCounts::default();
        expected.add(1, 1, 2.0);
        expected.add(2, 3, 1.0);
        expected.add(2, 2, 1.0);
        assert_eq!(zones(&lattice, &in_plane), expected);
    }
}
