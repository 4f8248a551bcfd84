//! The counts behind each family of texture features, and their features.

use ndarray::Array3;

use super::Family;
use super::catalogue::{CO_OCCURRENCE, DISTANCE_ZONE, SIZE_ZONE};
use super::texture::{Named, View};
use crate::texture::emphasis::{Emphasis, SizeCounts};
use crate::texture::lattice::Offset;
use crate::texture::{Lattice, glcm, ngtdm};

/// Pairs of levels one step apart, counted in both directions.
pub(super) fn co_occurrences(lattice: &Lattice, slice: &[usize], direction: Offset) -> Vec<f64> {
    let n = lattice.levels.len();
    let step = lattice.step(direction);
    let mut counts = vec![0.0; n * n];
    for &voxel in slice {
        let (i, j) = (lattice.ranks[voxel] as usize, lattice.neighbour(voxel, step) as usize);
        if j > 0 {
            counts[(i - 1) * n + j - 1] += 1.0;
            counts[(j - 1) * n + i - 1] += 1.0;
        }
    }
    counts
}

/// `None` where there is no pair.
pub(super) fn co_occurrence_features(lattice: &Lattice, counts: &[f64]) -> Option<Named> {
    let total: f64 = counts.iter().sum();
    if total == 0.0 {
        return None;
    }
    let p: Vec<f64> = counts.iter().map(|c| c / total).collect();
    let found = glcm::of_matrix(&p, &lattice.levels, lattice.n_levels);
    let value = |name: &str| found.iter().find(|(n, _)| *n == name).map_or(f64::NAN, |(_, v)| *v);
    Some(CO_OCCURRENCE.iter().map(|(tag, name)| (*tag, value(name))).collect())
}

/// Runs of equal level along a direction.
pub(super) fn runs(lattice: &Lattice, slice: &[usize], direction: Offset) -> SizeCounts {
    let step = lattice.step(direction);
    let mut runs = SizeCounts::default();
    for &voxel in slice {
        let rank = lattice.ranks[voxel];
        if lattice.neighbour(voxel, -step) == rank {
            continue;
        }
        let mut length = 1;
        let mut at = voxel.wrapping_add_signed(step);
        while lattice.ranks[at] == rank {
            length += 1;
            at = at.wrapping_add_signed(step);
        }
        runs.add(rank.into(), length, 1.0);
    }
    runs
}

pub(super) fn run_features(f: &Emphasis) -> Named {
    vec![
        ("sre", f.small),
        ("lre", f.large),
        ("lgre", f.low_level),
        ("hgre", f.high_level),
        ("srlge", f.small_low),
        ("srhge", f.small_high),
        ("lrlge", f.large_low),
        ("lrhge", f.large_high),
        ("glnu", f.level_non_uniformity),
        ("glnu_norm", f.level_non_uniformity_normalized),
        ("rlnu", f.size_non_uniformity),
        ("rlnu_norm", f.size_non_uniformity_normalized),
        ("r_perc", f.percentage),
        ("gl_var", f.level_variance),
        ("rl_var", f.size_variance),
        ("rl_entr", f.entropy),
    ]
}

/// Connected voxels of one level.
#[derive(Clone)]
pub(super) struct Zone {
    rank: u32,
    size: u32,
    /// Steps to the outside of the region from the zone's outermost voxel.
    distance: u32,
}

/// Zones over faces, edges and corners, within the slice for planar views.
pub(super) fn zones(view: &View<'_>, slice: &[usize], distance: &Array3<u32>) -> Vec<Zone> {
    let lattice = view.lattice;
    let steps = view.steps();
    let mut left: Vec<u32> = vec![0; lattice.ranks.len()];
    slice.iter().for_each(|voxel| left[*voxel] = lattice.ranks[*voxel].into());
    let mut zones = Vec::new();
    let mut front = Vec::new();
    for &voxel in slice {
        let rank = std::mem::take(&mut left[voxel]);
        if rank == 0 {
            continue;
        }
        let mut zone = Zone { rank, size: 0, distance: u32::MAX };
        front.push(voxel);
        while let Some(at) = front.pop() {
            zone.size += 1;
            zone.distance = zone.distance.min(distance[lattice.position(at).map(|p| p as usize)]);
            for step in &steps {
                let next = at.wrapping_add_signed(*step);
                if left[next] == rank {
                    left[next] = 0;
                    front.push(next);
                }
            }
        }
        zones.push(zone);
    }
    zones
}

/// Steps over faces from each voxel of the region to the first outside it, 1 at the border; within slices where `flat`.
pub(super) fn distances(inside: &Array3<bool>, flat: bool) -> Array3<u32> {
    let dim = [inside.dim().0, inside.dim().1, inside.dim().2];
    let mut out = inside.mapv(|v| if v { u32::MAX } else { 0 });
    let axes = if flat { 1..3 } else { 0..3 };
    // The distance grows by 1 per step, so one pass from each end is enough.
    for forward in [true, false] {
        for k in 0..out.len() {
            let flat_index = if forward { k } else { out.len() - 1 - k };
            let at = [flat_index / (dim[1] * dim[2]), flat_index / dim[2] % dim[1], flat_index % dim[2]];
            let mut best = out[at];
            for a in axes.clone() {
                let edge = if forward { at[a] == 0 } else { at[a] + 1 == dim[a] };
                let mut next = at;
                let beside = if edge {
                    0
                } else {
                    next[a] = if forward { at[a] - 1 } else { at[a] + 1 };
                    out[next]
                };
                best = best.min(beside.saturating_add(1));
            }
            if inside[at] {
                out[at] = best;
            }
        }
    }
    out
}

pub(super) fn zone_features(lattice: &Lattice, zones: &[Zone], family: Family) -> Named {
    let mut counts = SizeCounts::default();
    let mut voxels = 0.0;
    for zone in zones {
        counts.add(zone.rank, if family == Family::SizeZone { zone.size } else { zone.distance }, 1.0);
        voxels += f64::from(zone.size);
    }
    let f = counts.features(&lattice.levels);
    let values = [
        f.small,
        f.large,
        f.low_level,
        f.high_level,
        f.small_low,
        f.small_high,
        f.large_low,
        f.large_high,
        f.level_non_uniformity,
        f.level_non_uniformity_normalized,
        f.size_non_uniformity,
        f.size_non_uniformity_normalized,
        zones.len() as f64 / voxels,
        f.level_variance,
        f.size_variance,
        f.entropy,
    ];
    let names = if family == Family::SizeZone { SIZE_ZONE } else { DISTANCE_ZONE };
    names.into_iter().zip(values).collect()
}

/// How far one voxel with neighbours lies from their mean.
#[derive(Clone)]
pub(super) struct Tone {
    rank: u32,
    difference: f64,
}

/// Voxels without a neighbour in the region are left out.
pub(super) fn tone_differences(view: &View<'_>, slice: &[usize]) -> Vec<Tone> {
    let lattice = view.lattice;
    let steps = view.steps();
    let level = |rank: u32| lattice.levels[rank as usize - 1];
    (slice.iter())
        .filter_map(|&voxel| {
            let neighbours = steps.iter().map(|step| lattice.neighbour(voxel, *step)).filter(|rank| *rank > 0);
            let (sum, n) = neighbours.fold((0.0, 0.0), |(sum, n), rank| (sum + level(rank.into()), n + 1.0));
            let rank = lattice.ranks[voxel];
            let rank = u32::from(rank);
            (n > 0.0).then(|| Tone { rank, difference: (level(rank) - sum / n).abs() })
        })
        .collect()
}

/// `None` where no voxel has a neighbour.
pub(super) fn tone_features(lattice: &Lattice, tones: &[Tone]) -> Option<Named> {
    let n = lattice.levels.len();
    let (mut count, mut difference) = (vec![0.0; n], vec![0.0; n]);
    for tone in tones {
        count[tone.rank as usize - 1] += 1.0;
        difference[tone.rank as usize - 1] += tone.difference;
    }
    let present: Vec<usize> = (0..n).filter(|i| count[*i] > 0.0).collect();
    let of = |all: &[f64]| -> Vec<f64> { present.iter().map(|i| all[*i]).collect() };
    let found = ngtdm::of_matrix(&of(&lattice.levels), &of(&count), &of(&difference));
    let value = |name: &str| found.iter().find(|(n, _)| *n == name).map_or(f64::NAN, |(_, v)| *v);
    let tags = [
        ("coarseness", "Coarseness"),
        ("contrast", "Contrast"),
        ("busyness", "Busyness"),
        ("complexity", "Complexity"),
        ("strength", "Strength"),
    ];
    (!tones.is_empty()).then(|| tags.into_iter().map(|(tag, name)| (tag, value(name))).collect())
}

/// 1 + neighbours of the same level, for each voxel.
pub(super) fn dependences(view: &View<'_>, slice: &[usize]) -> SizeCounts {
    let steps = view.steps();
    let mut counts = SizeCounts::default();
    for &voxel in slice {
        let rank = view.lattice.ranks[voxel];
        let dependent = steps.iter().filter(|step| view.lattice.neighbour(voxel, **step) == rank).count();
        counts.add(rank.into(), dependent as u32 + 1, 1.0);
    }
    counts
}

pub(super) fn dependence_features(counts: &SizeCounts, levels: &[f64]) -> Named {
    let f = counts.features(levels);
    vec![
        ("lde", f.small),
        ("hde", f.large),
        ("lgce", f.low_level),
        ("hgce", f.high_level),
        ("ldlge", f.small_low),
        ("ldhge", f.small_high),
        ("hdlge", f.large_low),
        ("hdhge", f.large_high),
        ("glnu", f.level_non_uniformity),
        ("glnu_norm", f.level_non_uniformity_normalized),
        ("dcnu", f.size_non_uniformity),
        ("dcnu_norm", f.size_non_uniformity_normalized),
        // Each voxel has one dependence.
        ("dc_perc", 1.0),
        ("gl_var", f.level_variance),
        ("dc_var", f.size_variance),
        ("dc_entr", f.entropy),
        ("dc_energy", counts.energy()),
    ]
}
