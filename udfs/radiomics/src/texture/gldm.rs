//! Grey level dependence matrix: how many neighbours of each voxel have its level, 14 features.
//!
//! A voxel's dependence is 1 + the number of neighbours in the region, at all `distances`, whose level differs by at
//! most `gldm_a`. Sun & Wee, Comput. Vision Graphics Image Process. 1983;23:341.

use super::Lattice;
use super::emphasis::SizeCounts;
use crate::Settings;

/// The features in alphabetical order.
pub(crate) fn gldm(lattice: &Lattice, settings: &Settings) -> Vec<(&'static str, f64)> {
    let f = dependences(lattice, settings).features(&lattice.levels);
    vec![
        ("DependenceEntropy", f.entropy),
        ("DependenceNonUniformity", f.size_non_uniformity),
        ("DependenceNonUniformityNormalized", f.size_non_uniformity_normalized),
        ("DependenceVariance", f.size_variance),
        ("GrayLevelNonUniformity", f.level_non_uniformity),
        ("GrayLevelVariance", f.level_variance),
        ("HighGrayLevelEmphasis", f.high_level),
        ("LargeDependenceEmphasis", f.large),
        ("LargeDependenceHighGrayLevelEmphasis", f.large_high),
        ("LargeDependenceLowGrayLevelEmphasis", f.large_low),
        ("LowGrayLevelEmphasis", f.low_level),
        ("SmallDependenceEmphasis", f.small),
        ("SmallDependenceHighGrayLevelEmphasis", f.small_high),
        ("SmallDependenceLowGrayLevelEmphasis", f.small_low),
    ]
}

fn dependences(lattice: &Lattice, settings: &Settings) -> SizeCounts {
    let steps = lattice.all_steps(&settings.distances, settings);
    let width = steps.len() + 2;
    let mut counts = vec![0u32; (lattice.levels.len() + 1) * width];
    if settings.gldm_a == 0.0 && steps.len() <= u16::MAX as usize {
        let mut dependent = Vec::new();
        for block in lattice.blocks() {
            let ranks = &lattice.ranks[block.clone()];
            dependent.clear();
            dependent.resize(ranks.len(), 0u16);
            for step in &steps {
                let from = block.start.wrapping_add_signed(*step);
                let neighbours = &lattice.ranks[from..from + ranks.len()];
                for ((dependent, rank), neighbour) in dependent.iter_mut().zip(ranks).zip(neighbours) {
                    *dependent += u16::from(rank == neighbour);
                }
            }
            // Places outside the region fill row 0.
            for (rank, dependent) in ranks.iter().zip(&dependent) {
                counts[*rank as usize * width + *dependent as usize + 1] += 1;
            }
        }
        counts[..width].fill(0);
    } else {
        for &voxel in &lattice.voxels {
            let rank = lattice.ranks[voxel];
            let level = |rank: u16| lattice.levels[rank as usize - 1];
            let near = |n: &u16| *n > 0 && (level(*n) - level(rank)).abs() <= settings.gldm_a;
            let dependent = steps.iter().map(|step| lattice.neighbour(voxel, *step)).filter(near).count();
            counts[rank as usize * width + dependent + 1] += 1;
        }
    }
    let mut dependences = SizeCounts::default();
    for (at, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
        dependences.add((at / width) as u32, (at % width) as u32, f64::from(count));
    }
    dependences
}

#[cfg(test)]
mod tests {
    use super::super::lattice::tests::{binned, noise};
    use super::*;

    /// A tolerance below one level takes the voxels one by one and finds the same.
    #[test]
    fn blocks_equal_single_voxels() {
        for distances in [vec![1], vec![1, 3]] {
            let by_block = Settings { distances, ..Settings::default() };
            let one_by_one = Settings { gldm_a: 0.5, ..by_block.clone() };
            for levels in [1, 2, 7] {
                let lattice = Lattice::new(&noise(levels), &by_block);
                assert_eq!(dependences(&lattice, &by_block), dependences(&lattice, &one_by_one));
            }
        }
    }

    #[test]
    fn a_line_of_three_levels() {
        let region = binned((1, 1, 4), &[1, 1, 3, 4]);
        let settings = Settings::default();
        let lattice = Lattice::new(&region, &settings);
        let mut expected = SizeCounts::default();
        expected.add(1, 2, 2.0);
        expected.add(2, 1, 1.0);
        expected.add(3, 1, 1.0);
        assert_eq!(dependences(&lattice, &settings), expected);
        let near = Settings { gldm_a: 2.0, ..settings };
        let mut expected = SizeCounts::default();
        expected.add(1, 2, 1.0);
        expected.add(1, 3, 1.0);
        expected.add(2, 3, 1.0);
        expected.add(3, 2, 1.0);
        assert_eq!(dependences(&lattice, &near), expected);
    }
}
