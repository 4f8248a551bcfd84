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
    let mut place = vec![0u32; lattice.ranks.len()];
    let matrices = directions.iter().filter_map(|d| Some((*d, runs(lattice, *d, &mut place)?)));
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

/// Runs along a direction that points forward in memory; `None` when no line meets two voxels. `place` is room for a
/// number of each place of the lattice.
fn runs(lattice: &Lattice, direction: Offset, place: &mut [u32]) -> Option<SizeCounts> {
    let step = lattice.step(direction).unsigned_abs();
    // reached[rank][k]: runs with at least k voxels, since each voxel knows its place in its run. No branches: most runs
    // are short and end where no processor can foretell.
    let longest = (0..3).filter(|a| direction[*a] != 0).map(|a| lattice.size[a]).min().unwrap_or(1);
    let width = longest + 2;
    // Neighbours often count in the same place, and adding there at once would wait: each has a table of its own.
    let tables = if lattice.levels.len() <= 128 { 4 } else { 1 };
    let mut reached = vec![0u32; (lattice.levels.len() + 1) * width * tables];
    let mut two_on_a_line = 0;
    let mut visit = |at: usize, rank: u16, rank_before: u16, place_before: u32| {
        two_on_a_line |= rank_before;
        // The place before was written in this direction when its rank is the same; otherwise it does not count.
        let k = place_before * u32::from(rank_before == rank) + 1;
        reached[(rank as usize * width + k as usize) * tables + (at & (tables - 1))] += 1;
        k
    };
    for run in &lattice.runs {
        let before = run.start - step..run.end - step;
        let ranks = lattice.ranks[run.clone()].iter().zip(&lattice.ranks[before.clone()]);
        if before.end <= run.start {
            let (earlier, from) = place.split_at_mut(run.start);
            for (at, (((rank, rank_before), k), k_before)) in ranks.zip(from).zip(&earlier[before]).enumerate() {
                *k = visit(at, *rank, *rank_before, *k_before);
            }
        } else {
            for (voxel, (rank, rank_before)) in run.clone().zip(ranks) {
                place[voxel] = visit(voxel, *rank, *rank_before, place[voxel - step]);
            }
        }
    }
    let two_on_a_line = two_on_a_line != 0;
    let reached: Vec<u32> = reached.chunks_exact(tables).map(|tables| tables.iter().sum()).collect();
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
    use super::super::lattice::tests::{binned, noise};
    use super::*;

    fn along_x(levels: &[u32]) -> Option<SizeCounts> {
        let lattice = Lattice::new(&binned((1, 1, levels.len()), levels), &Settings::default());
        found(&lattice, [0, 0, 1])
    }

    fn found(lattice: &Lattice, direction: Offset) -> Option<SizeCounts> {
        runs(lattice, direction, &mut vec![7; lattice.ranks.len()])
    }

    /// Runs by walking each from its first voxel.
    fn walked(lattice: &Lattice, direction: Offset) -> SizeCounts {
        let step = lattice.step(direction);
        let mut counts = SizeCounts::default();
        for &voxel in &lattice.voxels {
            let rank = lattice.ranks[voxel];
            if lattice.neighbour(voxel, -step) != rank {
                let steps = (1..).take_while(|k| lattice.neighbour(voxel, k * step) == rank).count();
                counts.add(u32::from(rank), 1 + steps as u32, 1.0);
            }
        }
        counts
    }

    #[test]
    fn counted_places_equal_walked_runs() {
        let settings = Settings::default();
        for levels in [1, 2, 5, 60] {
            let lattice = Lattice::new(&noise(levels), &settings);
            for direction in lattice.half(&[1], &settings) {
                assert_eq!(found(&lattice, direction), Some(walked(&lattice, direction)), "{direction:?}");
            }
        }
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
        assert!(found(&lattice, [0, 0, 1]).is_none());
        assert!(found(&lattice, [0, 1, 1]).is_some());
        assert!(found(&lattice, [0, 1, -1]).is_none());
    }
}
