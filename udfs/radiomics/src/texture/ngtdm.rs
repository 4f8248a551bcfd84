//! Neighbouring grey tone difference matrix: how far each voxel lies from the mean of its neighbours, 5 features.
//!
//! Neighbours are the region's voxels at all `distances`. A voxel without any adds nothing to its level's sum of
//! differences but counts in its frequency (IBSI leaves it out). Amadasun & King, IEEE Trans. SMC 1989;19:1264.

use super::Lattice;
use crate::Settings;

/// The features in alphabetical order.
pub(crate) fn ngtdm(lattice: &Lattice, settings: &Settings) -> Vec<(&'static str, f64)> {
    let (count, difference) = matrix(lattice, settings);
    of_matrix(&lattice.levels, &count, &difference)
}

/// The features of a matrix: for each level `i` that occurs, its voxels and the sum `s` of their differences.
pub(crate) fn of_matrix(i: &[f64], count: &[f64], s: &[f64]) -> Vec<(&'static str, f64)> {
    let voxels: f64 = count.iter().sum();
    let p: Vec<f64> = count.iter().map(|n| n / voxels).collect();
    let total: f64 = s.iter().sum();
    let weighted: f64 = p.iter().zip(s).map(|(p, s)| p * s).sum();

    let (mut contrast, mut busyness, mut complexity, mut strength) = (0.0, 0.0, 0.0, 0.0);
    for a in 0..i.len() {
        for b in 0..i.len() {
            let apart = i[a] - i[b];
            contrast += p[a] * p[b] * apart * apart;
            busyness += (i[a] * p[a] - i[b] * p[b]).abs();
            complexity += apart.abs() * (p[a] * s[a] + p[b] * s[b]) / (p[a] + p[b]);
            strength += (p[a] + p[b]) * apart * apart;
        }
    }
    let n = i.len() as f64;
    vec![
        ("Busyness", if busyness == 0.0 { 0.0 } else { weighted / busyness }),
        ("Coarseness", if weighted == 0.0 { 1e6 } else { 1.0 / weighted }),
        ("Complexity", complexity / voxels),
        ("Contrast", if n > 1.0 { contrast * total / (n * (n - 1.0)) / voxels } else { 0.0 }),
        ("Strength", if total == 0.0 { 0.0 } else { strength / total }),
    ]
}

/// Voxels of each level, and the sum of their distances from the mean of their neighbours.
fn matrix(lattice: &Lattice, settings: &Settings) -> (Vec<f64>, Vec<f64>) {
    let steps = lattice.all_steps(&settings.distances, settings);
    let mut count = vec![0.0; lattice.levels.len()];
    let mut difference = vec![0.0; lattice.levels.len()];
    let mut add = |rank: u16, sum: u64, neighbours: u64| {
        let at = rank as usize - 1;
        count[at] += 1.0;
        if neighbours > 0 {
            difference[at] += (lattice.levels[at] - sum as f64 / neighbours as f64).abs();
        }
    };
    // Sum of levels and number of neighbours in one integer. Rank 0, outside, adds nothing to either.
    let fits = steps.len() < 1 << (32 - COUNTED) && (steps.len() as u64) * u64::from(lattice.n_levels) < 1 << COUNTED;
    if !fits {
        one_by_one(lattice, &steps, add);
        return (count, difference);
    }
    let level: Vec<u32> = std::iter::once(0).chain(lattice.levels.iter().map(|l| *l as u32 | 1 << COUNTED)).collect();
    let levels: Vec<u32> = lattice.ranks.iter().map(|rank| level[*rank as usize]).collect();
    let mut sums = Vec::new();
    for block in lattice.blocks() {
        sums.clear();
        sums.resize(block.len(), 0u32);
        for step in &steps {
            let from = block.start.wrapping_add_signed(*step);
            for (sum, level) in sums.iter_mut().zip(&levels[from..from + block.len()]) {
                *sum += level;
            }
        }
        for (rank, sum) in lattice.ranks[block].iter().zip(&sums).filter(|(rank, _)| **rank > 0) {
            add(*rank, u64::from(sum & ((1 << COUNTED) - 1)), u64::from(sum >> COUNTED));
        }
    }
    (count, difference)
}

/// Bits for a sum of levels below the bits that count neighbours.
const COUNTED: u32 = 22;

/// Calls `add` with the rank, sum of levels and number of neighbours of each voxel.
fn one_by_one(lattice: &Lattice, steps: &[isize], mut add: impl FnMut(u16, u64, u64)) {
    let level: Vec<u64> = std::iter::once(0).chain(lattice.levels.iter().map(|l| *l as u64)).collect();
    for &voxel in &lattice.voxels {
        let (mut sum, mut neighbours) = (0, 0u64);
        for step in steps {
            let rank = lattice.neighbour(voxel, *step);
            sum += level[rank as usize];
            neighbours += u64::from(rank > 0);
        }
        add(lattice.ranks[voxel], sum, neighbours);
    }
}

#[cfg(test)]
mod tests {
    use super::super::lattice::tests::{binned, noise};
    use super::*;

    #[test]
    fn blocks_equal_single_voxels() {
        for distances in [vec![1], vec![1, 3]] {
            let settings = Settings { distances, ..Settings::default() };
            for levels in [1, 2, 7, 5000] {
                let lattice = Lattice::new(&noise(levels), &settings);
                let n = lattice.levels.len();
                let (mut count, mut difference) = (vec![0.0; n], vec![0.0; n]);
                one_by_one(&lattice, &lattice.all_steps(&settings.distances, &settings), |rank, sum, neighbours| {
                    let at = rank as usize - 1;
                    count[at] += 1.0;
                    let mean = sum as f64 / neighbours.max(1) as f64;
                    difference[at] += if neighbours > 0 { (lattice.levels[at] - mean).abs() } else { 0.0 };
                });
                assert_eq!(matrix(&lattice, &settings), (count, difference));
            }
        }
    }

    #[test]
    fn a_voxel_without_neighbours_only_counts() {
        let settings = Settings::default();
        let lattice = Lattice::new(&binned((1, 1, 5), &[1, 3, 3, 0, 1]), &settings);
        assert_eq!(matrix(&lattice, &settings), (vec![2.0, 2.0], vec![2.0, 1.0]));
    }
}
