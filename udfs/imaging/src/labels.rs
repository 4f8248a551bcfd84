//! Finding a label in a mask and carrying it onto another grid.
//!
//! Mask values are read as unsigned 32-bit integers, fractions cut off, as PyRadiomics casts every mask.

use std::collections::BTreeSet;

use ndarray::{Array3, ArrayView3, s};

use crate::grid::Row;
use crate::interpolate::{footprint, inside, nearest};
use crate::volume::with_voxels;
use crate::{Geometry, Volume, Voxels};

/// A box of voxels with the label's own marked. `lower` is the box's first voxel; all in z, y, x order.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    pub lower: [usize; 3],
    pub inside: Array3<bool>,
}

impl Region {
    /// The smallest box around the label in a mask; `None` when the mask has no such voxel.
    pub fn of_label(mask: &Voxels, label: u32) -> Option<Region> {
        with_voxels!(mask, a => tight(a.view(), [0; 3], |v| *v as u32 == label))
    }

    /// The same voxels in the smallest box; `None` when there are none.
    pub fn shrink(&self) -> Option<Region> {
        tight(self.inside.view(), self.lower, |v| *v)
    }

    /// One past the box's last voxel.
    pub fn upper(&self) -> [usize; 3] {
        let (z, y, x) = self.inside.dim();
        [self.lower[0] + z, self.lower[1] + y, self.lower[2] + x]
    }

    /// Voxels inside.
    pub fn voxels(&self) -> usize {
        self.inside.iter().filter(|v| **v).count()
    }

    /// The same region on `grid`: each of its voxels takes the nearest one of `from`, halves round up.
    /// `None` when none falls inside.
    pub fn onto(&self, from: &Geometry, grid: &Geometry) -> Option<Region> {
        let upper = self.upper();
        let mut part = from.clone();
        part.origin = from.map().voxel_point([self.lower[2], self.lower[1], self.lower[0]]);
        part.size = std::array::from_fn(|a| upper[2 - a] - self.lower[2 - a]);
        // A voxel reaches half its size beyond its centre, in any direction when the grids are oblique.
        let reach = 0.5 * from.spacing.iter().sum::<f64>() / grid.spacing.iter().copied().fold(f64::INFINITY, f64::min);
        let (low, high) = footprint(grid, &part, reach.ceil() as usize + 1)?;
        let (source, target) = (from.map(), grid.map());
        let mut out = Array3::from_elem((high[0] - low[0], high[1] - low[1], high[2] - low[2]), false);
        for ((z, y), mut row) in (low[0]..high[0]).flat_map(|z| (low[1]..high[1]).map(move |y| (z, y))).zip(out.rows_mut()) {
            let line = Row::new(&source, &target, grid.size[0], y, z);
            for (x, value) in (low[2]..high[2]).zip(row.iter_mut()) {
                let index = line.at(x);
                if !inside(index, from.size) {
                    continue;
                }
                let voxel: [usize; 3] = std::array::from_fn(|a| nearest(index[2 - a], from.size[2 - a]));
                *value = (0..3).all(|a| voxel[a] >= self.lower[a] && voxel[a] < upper[a])
                    && self.inside[std::array::from_fn(|a| voxel[a] - self.lower[a])];
            }
        }
        tight(out.view(), low, |v| *v)
    }
}

/// Every label of a mask but the background, ascending.
pub fn labels(mask: &Volume) -> Vec<u32> {
    let all: BTreeSet<u32> = with_voxels!(&mask.voxels, a => {
        let mut last = 0;
        a.iter().map(|v| *v as u32).filter(|v| std::mem::replace(&mut last, *v) != *v).collect()
    });
    all.into_iter().filter(|v| *v != 0).collect()
}

/// Crops to the voxels for which `is` holds. `at` is where the array's first voxel lies.
fn tight<T>(array: ArrayView3<T>, at: [usize; 3], is: impl Fn(&T) -> bool) -> Option<Region> {
    let (mut low, mut high) = ([usize::MAX; 3], [0; 3]);
    for (z, plane) in array.outer_iter().enumerate() {
        for (y, row) in plane.outer_iter().enumerate() {
            // Most rows hold none: a look at all of a row without branches takes many voxels at once.
            if row.to_slice().is_some_and(|row| !row.iter().fold(false, |any, v| any | is(v))) {
                continue;
            }
            let Some(first) = row.iter().position(&is) else { continue };
            let last = row.iter().rposition(&is).unwrap_or(first);
            for (a, (l, h)) in [(z, z), (y, y), (first, last)].into_iter().enumerate() {
                low[a] = low[a].min(l);
                high[a] = high[a].max(h);
            }
        }
    }
    if low[0] == usize::MAX {
        return None;
    }
    let part = array.slice(s![low[0]..=high[0], low[1]..=high[1], low[2]..=high[2]]);
    Some(Region { lower: std::array::from_fn(|a| at[a] + low[a]), inside: part.map(is) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask() -> Volume {
        let mut a = Array3::<u8>::zeros((4, 5, 6));
        a[[1, 2, 3]] = 2;
        a[[2, 2, 5]] = 2;
        a[[0, 0, 0]] = 7;
        Volume { geometry: Geometry::identity([6, 5, 4]), voxels: Voxels::U8(a) }
    }

    #[test]
    fn the_box_is_tight() {
        let region = Region::of_label(&mask().voxels, 2).unwrap();
        assert_eq!((region.lower, region.upper(), region.voxels()), ([1, 2, 3], [3, 3, 6], 2));
        assert_eq!(region.shrink().unwrap(), region);
        assert!(Region::of_label(&mask().voxels, 3).is_none());
        assert_eq!(labels(&mask()), [2, 7]);
    }

    #[test]
    fn its_own_grid_keeps_it_and_a_finer_one_multiplies_it() {
        let mask = mask();
        let region = Region::of_label(&mask.voxels, 2).unwrap();
        assert_eq!(region.onto(&mask.geometry, &mask.geometry).unwrap(), region);
        let mut fine = mask.geometry.clone();
        fine.spacing = [0.2; 3];
        fine.origin = [-0.4; 3];
        fine.size = [30, 25, 20];
        let finer = region.onto(&mask.geometry, &fine).unwrap();
        assert_eq!((finer.lower, finer.voxels()), ([5, 10, 15], 250));
        fine.origin = [100.0; 3];
        assert!(region.onto(&mask.geometry, &fine).is_none());
    }
}
