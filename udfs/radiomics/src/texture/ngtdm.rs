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
    // Rank 0, outside, adds neither level nor neighbour.
    let level: Vec<u64> = std::iter::once(0).chain(lattice.levels.iter().map(|l| *l as u64)).collect();
    let mut count = vec![0.0; lattice.levels.len()];
    let mut difference = vec![0.0; lattice.levels.len()];
    for &voxel in &lattice.voxels {
        let (mut sum, mut neighbours) = (0, 0u64);
        for step in &steps {
            let rank = lattice.neighbour(voxel, *step);
            sum += level[rank as usize];
            neighbours += u64::from(rank > 0);
        }
        let at = lattice.ranks[voxel] as usize - 1;
        count[at] += 1.0;
        if neighbours > 0 {
            difference[at] += (lattice.levels[at] - sum as f64 / neighbours as f64).abs();
        }
    }
    (count, difference)
}

#[cfg(test)]
mod tests {
    use super::super::lattice::tests::binned;
    use super::*;

    #[test]
    fn a_voxel_without_neighbours_only_counts() {
        let settings = Settings::default();
        let lattice = Lattice::new(&binned((1, 1, 5), &[1, 3, 3, 0, 1]), &settings);
        assert_eq!(matrix(&lattice, &settings), (vec![2.0, 2.0], vec![2.0, 1.0]));
    }
}
