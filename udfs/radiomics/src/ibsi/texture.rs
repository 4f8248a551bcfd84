//! Texture matrices and their merging over slices and directions (IBSI reference manual, sections 3.6 to 3.11).

use super::catalogue::TEXTURES;
use super::matrices::*;
use super::prepare::Case;
use super::{Aggregation, Family, IbsiSettings};
use crate::texture::emphasis::SizeCounts;
use crate::texture::lattice::Offset;
use crate::texture::{Lattice, mean_over};
use crate::{Binned, Settings};

pub(super) type Named = Vec<(&'static str, f64)>;

/// Every texture feature that is wanted: of each family each aggregation.
pub(super) fn textures(case: &Case, binned: &Binned, ibsi: &IbsiSettings) -> Vec<(String, f64)> {
    let planar = Settings { force_2d: true, ..Settings::default() };
    let spatial = Settings::default();
    let lattice = Lattice::new(binned, &spatial);
    let slices = slices(&lattice);
    let mut found = Vec::new();
    for family in TEXTURES.into_iter().filter(|family| ibsi.wants(*family)) {
        for aggregation in &ibsi.aggregations {
            let flat = *aggregation != Aggregation::ThreeD;
            let settings = if flat { &planar } else { &spatial };
            let all = [&lattice.voxels[..]];
            let view = View { lattice: &lattice, slices: if flat { &slices } else { &all }, settings };
            let mut put = |way: &str, values: Named| {
                let suffix = aggregation.suffix();
                found.extend(values.into_iter().map(|(name, value)| (format!("{}_{name}_{suffix}{way}", family.name()), value)));
            };
            match family {
                Family::CoOccurrence => {
                    let matrices = view.each_direction(|slice, direction| co_occurrences(&lattice, slice, direction));
                    let merge = |parts: &[&Vec<f64>]| {
                        parts.iter().skip(1).fold(parts[0].clone(), |sum, m| sum.iter().zip(*m).map(|(a, b)| a + b).collect())
                    };
                    let features = |counts: &Vec<f64>| co_occurrence_features(&lattice, counts);
                    put("_avg", average(aggregation.averaged(&matrices, merge).iter().filter_map(features).collect()));
                    put("_comb", average(aggregation.combined(&matrices, merge).iter().filter_map(features).collect()));
                }
                Family::RunLength => {
                    let matrices = view.each_direction(|slice, direction| runs(&lattice, slice, direction));
                    let features = |runs: &SizeCounts| run_features(&runs.features(&lattice.levels));
                    put("_avg", average(aggregation.averaged(&matrices, merged).iter().map(features).collect()));
                    put("_comb", average(aggregation.combined(&matrices, merged).iter().map(features).collect()));
                }
                Family::SizeZone | Family::DistanceZone => {
                    let distance = distances(&case.morphological, flat);
                    let zones: Vec<_> = view.slices.iter().map(|slice| zones(&view, slice, &distance)).collect();
                    let groups: Vec<Vec<Zone>> = aggregation.grouped(zones);
                    put("", average(groups.iter().map(|zones| zone_features(&lattice, zones, family)).collect()));
                }
                Family::ToneDifference => {
                    let parts: Vec<_> = view.slices.iter().map(|slice| tone_differences(&view, slice)).collect();
                    let groups: Vec<Vec<Tone>> = aggregation.grouped(parts);
                    put("", average(groups.iter().filter_map(|tones| tone_features(&lattice, tones)).collect()));
                }
                Family::Dependence => {
                    let parts: Vec<Vec<SizeCounts>> = view.slices.iter().map(|slice| vec![dependences(&view, slice)]).collect();
                    let groups: Vec<Vec<SizeCounts>> = aggregation.grouped(parts);
                    let features =
                        |parts: &Vec<SizeCounts>| dependence_features(&merged(&parts.iter().collect::<Vec<_>>()), &lattice.levels);
                    put("", average(groups.iter().map(features).collect()));
                }
                _ => {}
            }
        }
    }
    found
}

impl Aggregation {
    /// The ending of a feature's tag.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Aggregation::TwoD => "2D",
            Aggregation::TwoHalfD => "2_5D",
            Aggregation::ThreeD => "3D",
        }
    }

    /// Matrices `[slice][direction]` whose features are averaged without merging directions.
    fn averaged<M: Clone>(self, matrices: &[Vec<M>], merge: impl Fn(&[&M]) -> M) -> Vec<M> {
        match self {
            Aggregation::TwoD | Aggregation::ThreeD => matrices.iter().flatten().cloned().collect(),
            Aggregation::TwoHalfD => {
                let directions = matrices.first().map_or(0, Vec::len);
                (0..directions).map(|d| merge(&matrices.iter().map(|slice| &slice[d]).collect::<Vec<_>>())).collect()
            }
        }
    }

    /// The same with directions merged.
    fn combined<M: Clone>(self, matrices: &[Vec<M>], merge: impl Fn(&[&M]) -> M) -> Vec<M> {
        match self {
            Aggregation::TwoD => matrices.iter().map(|slice| merge(&slice.iter().collect::<Vec<_>>())).collect(),
            Aggregation::TwoHalfD | Aggregation::ThreeD => vec![merge(&matrices.iter().flatten().collect::<Vec<_>>())],
        }
    }

    /// What was found in each slice: apart in 2D, otherwise together.
    fn grouped<T>(self, parts: Vec<Vec<T>>) -> Vec<Vec<T>> {
        match self {
            Aggregation::TwoD => parts,
            Aggregation::TwoHalfD | Aggregation::ThreeD => vec![parts.into_iter().flatten().collect()],
        }
    }
}

/// The region as an aggregation sees it: slice by slice, or as one.
pub(super) struct View<'a> {
    pub(super) lattice: &'a Lattice,
    slices: &'a [&'a [usize]],
    settings: &'a Settings,
}

impl View<'_> {
    fn each_direction<M>(&self, matrix: impl Fn(&[usize], Offset) -> M) -> Vec<Vec<M>> {
        let directions = all_directions(self.settings);
        self.slices.iter().map(|slice| directions.iter().map(|d| matrix(slice, *d)).collect()).collect()
    }

    pub(super) fn steps(&self) -> Vec<isize> {
        all_directions(self.settings).iter().map(|d| self.lattice.step(*d)).flat_map(|s| [s, -s]).collect()
    }
}

/// One of each pair of opposite steps to a neighbour: 13, or 4 in the slice. Thin regions have them all.
fn all_directions(settings: &Settings) -> Vec<Offset> {
    let mut directions = Vec::new();
    for z in -1..=1 {
        for y in -1..=1 {
            for x in -1..=1 {
                if [z, y, x] > [0; 3] && !(settings.force_2d && z != 0) {
                    directions.push([z, y, x]);
                }
            }
        }
    }
    directions
}

/// The places of each slice that has any, from the lowest.
fn slices(lattice: &Lattice) -> Vec<&[usize]> {
    lattice.voxels.chunk_by(|a, b| lattice.position(*a)[0] == lattice.position(*b)[0]).collect()
}

/// Means of the features of each matrix.
fn average(each: Vec<Named>) -> Named {
    let names: Vec<&'static str> = each.first().map(|f| f.iter().map(|(name, _)| *name).collect()).unwrap_or_default();
    mean_over(&each, &names)
}

fn merged(parts: &[&SizeCounts]) -> SizeCounts {
    let mut sum = SizeCounts::default();
    parts.iter().for_each(|part| sum.merge(part, 1.0));
    sum
}
