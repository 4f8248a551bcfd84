//! Grey level size zone matrix: connected zones of equal level, 16 features.
//!
//! Voxels connect over faces, edges and corners: 26 neighbours, or 8 in the plane with `force_2d`. Thibault et al. 2009.

use std::sync::OnceLock;

use super::Lattice;
use super::emphasis::SizeCounts;
use super::lattice::Offset;
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

/// The 13 neighbours that come before a voxel, z, y, x.
const BEFORE: [Offset; 13] = [
    [-1, -1, -1],
    [-1, -1, 0],
    [-1, -1, 1],
    [-1, 0, -1],
    [-1, 0, 0],
    [-1, 0, 1],
    [-1, 1, -1],
    [-1, 1, 0],
    [-1, 1, 1],
    [0, -1, -1],
    [0, -1, 0],
    [0, -1, 1],
    [0, 0, -1],
];

/// For each set of [`BEFORE`] (a bit each) the fewest that stand for it: neighbours of equal level that touch each other
/// are in one zone already.
fn representatives() -> &'static [u16] {
    static TABLE: OnceLock<Vec<u16>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let touch = |a: usize, b: usize| (0..3).all(|d| (BEFORE[a][d] - BEFORE[b][d]).abs() <= 1);
        (0..1u16 << 13)
            .map(|set| {
                let (mut left, mut kept) = (set, 0);
                while left != 0 {
                    let first = left.trailing_zeros() as usize;
                    kept |= 1 << first;
                    let mut zone = 1u16 << first;
                    loop {
                        let in_zone = |b: usize| (0..13).any(|a| zone >> a & 1 == 1 && touch(a, b));
                        let grown = (0..13).filter(|b| set >> b & 1 == 1 && in_zone(*b)).fold(zone, |z, b| z | 1 << b);
                        if grown == zone {
                            break;
                        }
                        zone = grown;
                    }
                    left &= !zone;
                }
                kept
            })
            .collect()
    })
}

/// Joins each voxel to the zones of its equal neighbours before it: union-find, Rosenfeld & Pfaltz, JACM 1966;13:471.
fn zones(lattice: &Lattice, settings: &Settings) -> SizeCounts {
    let half = lattice.half(&[1], settings);
    let steps = BEFORE.map(|o| half.contains(&o.map(|v| -v)).then(|| lattice.step(o)));
    let representatives = representatives();
    // A voxel's parent is itself or comes before it; `size` counts at the zone's first voxel.
    let mut parent = vec![0u32; lattice.ranks.len()];
    let mut size = vec![0u32; lattice.ranks.len()];
    let mut equal = Vec::new();
    for block in lattice.blocks() {
        let ranks = &lattice.ranks[block.clone()];
        equal.clear();
        equal.resize(ranks.len(), 0u16);
        for (bit, step) in steps.iter().enumerate() {
            let Some(step) = step else { continue };
            let from = block.start.wrapping_add_signed(*step);
            for ((equal, rank), before) in equal.iter_mut().zip(ranks).zip(&lattice.ranks[from..from + ranks.len()]) {
                *equal |= u16::from(rank == before) << bit;
            }
        }
        for (voxel, equal) in block.zip(&equal).filter(|(voxel, _)| lattice.ranks[*voxel] > 0) {
            let mut joined = representatives[*equal as usize];
            let mut zone = voxel as u32;
            parent[voxel] = zone;
            while joined != 0 {
                let step = steps[joined.trailing_zeros() as usize].unwrap_or(0);
                joined &= joined - 1;
                let other = first_of(&mut parent, voxel.wrapping_add_signed(step) as u32);
                let (low, high) = (zone.min(other), zone.max(other));
                parent[high as usize] = low;
                if low != high {
                    size[low as usize] += std::mem::take(&mut size[high as usize]);
                }
                zone = low;
            }
            size[zone as usize] += 1;
        }
    }
    // Most zones are small: these are counted in a table.
    const SMALL: usize = 32;
    let mut small = vec![0u32; (lattice.levels.len() + 1) * SMALL];
    let mut counts = SizeCounts::default();
    for &voxel in &lattice.voxels {
        let (rank, size) = (lattice.ranks[voxel], size[voxel]);
        match small.get_mut(rank as usize * SMALL + size as usize) {
            Some(count) if (size as usize) < SMALL => *count += u32::from(size > 0),
            _ => counts.add(u32::from(rank), size, 1.0),
        }
    }
    for (at, count) in small.into_iter().enumerate().filter(|(_, count)| *count > 0) {
        counts.add((at / SMALL) as u32, (at % SMALL) as u32, f64::from(count));
    }
    counts
}

/// The first voxel of a zone; shortens the way to it.
fn first_of(parent: &mut [u32], mut voxel: u32) -> u32 {
    while parent[voxel as usize] != voxel {
        let above = parent[parent[voxel as usize] as usize];
        parent[voxel as usize] = above;
        voxel = above;
    }
    voxel
}

#[cfg(test)]
mod tests {
    use super::super::lattice::tests::{binned, noise};
    use super::*;

    /// Zones by filling each from its first voxel.
    fn filled(lattice: &Lattice, settings: &Settings) -> SizeCounts {
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
            counts.add(u32::from(rank), size, 1.0);
        }
        counts
    }

    #[test]
    fn joined_zones_equal_filled_ones() {
        for settings in [Settings::default(), Settings { force_2d: true, force_2d_dimension: 1, ..Settings::default() }] {
            for levels in [1, 2, 3, 7, 40] {
                let lattice = Lattice::new(&noise(levels), &settings);
                assert_eq!(zones(&lattice, &settings), filled(&lattice, &settings), "{levels} levels");
            }
        }
    }

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
