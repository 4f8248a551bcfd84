//! Grey level run length matrix: runs of equal level along each of 13 directions, 16 features.
//!
//! A voxel outside the region ends a run. Features are means over the directions; a direction none of whose lines meets
//! two voxels of the region is left out. With a weighting norm the matrices are first added up, each times the length
//! of its step in mm.

use super::emphasis::{Emphasis, SizeCounts};
use super::lattice::Offset;
use super::{Lattice, mean_over};
use crate::Settings;

const NAMES: [&str; 16] = [
    "GrayLevelNonUniformity",
    "GrayLevelNonUniformityNormalized",
    "GrayLevelVariance",
    "HighGrayLevelRunEmphasis",
    "LongRunEmphasis",
    "LongRunHighGrayLevelEmphasis",
    "LongRunLowGrayLevelEmphasis",
    "LowGrayLevelRunEmphasis",
    "RunEntropy",
    "RunLengthNonUniformity",
    "RunLengthNonUniformityNormalized",
    "RunPercentage",
    "RunVariance",
    "ShortRunEmphasis",
    "ShortRunHighGrayLevelEmphasis",
    "ShortRunLowGrayLevelEmphasis",
];

/// The features in alphabetical order.
pub(crate) fn glrlm(lattice: &Lattice, settings: &Settings) -> Vec<(&'static str, f64)> {
    let directions = lattice.half(&[1], settings);
    let matrices = directions.iter().filter_map(|d| Some((*d, runs(lattice, *d)?)));
    let features: Vec<_> = match settings.weighting_norm {
        None => matrices.map(|(_, m)| named(m.features(&lattice.levels))).collect(),
        Some(norm) => {
            let mut sum = SizeCounts::default();
            for (direction, matrix) in matrices {
                sum.merge(&matrix, lattice.length(direction, norm));
            }
            vec![named(sum.features(&lattice.levels))]
        }
    };
    mean_over(&features, &NAMES)
}

/// Runs along a direction; `None` when no line meets two voxels.
fn runs(lattice: &Lattice, direction: Offset) -> Option<SizeCounts> {
    let step = lattice.step(direction);
    // reached[rank][k]: runs with at least k voxels, since each voxel knows its place in its run. No branches: most runs
    // are short and end where no processor can foretell.
    let longest = (0..3).filter(|a| direction[*a] != 0).map(|a| lattice.size[a]).min().unwrap_or(1);
    let width = longest + 2;
    let mut reached = vec![0u32; (lattice.levels.len() + 1) * width];
    let mut place = vec![0u32; lattice.ranks.len()];
    let mut two_on_a_line = false;
    for &voxel in &lattice.voxels {
        let rank = lattice.ranks[voxel];
        let before = voxel.wrapping_add_signed(-step);
        let rank_before = lattice.ranks[before];
        two_on_a_line |= rank_before != 0;
        let k = place[before] * u32::from(rank_before == rank) + 1;
        place[voxel] = k;
        reached[rank as usize * width + k as usize] += 1;
    }
    if !two_on_a_line && !meets_twice(lattice, direction) {
        return None;
    }
    let mut runs = SizeCounts::default();
    for (rank, reached) in reached.chunks_exact(width).enumerate() {
        for length in 1..=longest {
            let count = reached[length] - reached[length + 1];
            if count > 0 {
                runs.add(rank as u32, length as u32, f64::from(count));
            }
        }
    }
    Some(runs)
}

/// Whether a line along the direction meets two voxels of the region with a gap between them.
fn meets_twice(lattice: &Lattice, direction: Offset) -> bool {
    let step = lattice.step(direction);
    let longest = (0..3).filter(|a| direction[*a] != 0).map(|a| lattice.size[a]).min().unwrap_or(1);
    lattice.voxels.iter().any(|&voxel| {
        let position = lattice.position(voxel);
        (2..longest as isize).any(|k| {
            let inside = (0..3).all(|a| {
                let p = position[a] + k * direction[a];
                p >= 0 && p < lattice.size[a] as isize
            });
            inside && lattice.ranks[voxel.wrapping_add_signed(k * step)] != 0
        })
    })
}

fn named(f: Emphasis) -> Vec<(&'static str, f64)> {
    let values = [
        f.level_non_uniformity,
        f.level_non_uniformity_normalized,
        f.level_variance,
        f.high_level,
        f.large,
        f.large_high,
        f.large_low,
        f.low_level,
        f.entropy,
        f.size_non_uniformity,
        f.size_non_uniformity_normalized,
        f.percentage,
        f.size_variance,
        f.small,
        f.small_high,
        f.small_low,
    ];
    NAMES.into_iter().zip(values).collect()
}

#[cfg(test)]
mod tests {
    use super::super::lattice::tests::binned;
    use super::*;

    fn along_x(levels: &[u32]) -> Option<SizeCounts> {
        let lattice = Lattice::new(&binned((1, 1, levels.len()), levels), &Settings::default());
        runs(&lattice, [0, 0, 1])
    }

    #[test]
    fn runs_end_at_other_levels_and_outside() {
        let mut expected = SizeCounts::default();
        expected.add(1, 2, 1.0);
        expected.add(1, 1, 1.0);
        expected.add(2, 3, 1.0);
        assert_eq!(along_x(&[1, 1, 0, 1, 4, 4, 4]), Some(expected));
    }

    #[test]
    fn a_gap_still_makes_two_on_a_line() {
        assert!(along_x(&[1, 0, 0, 2]).is_some());
        let lattice = Lattice::new(&binned((1, 2, 2), &[1, 0, 0, 1]), &Settings::default());
        assert!(runs(&lattice, [0, 0, 1]).is_none());
        assert!(runs(&lattice, [0, 1, 1]).is_some());
        assert!(runs(&lattice, [0, 1, -1]).is_none());
    }
}
