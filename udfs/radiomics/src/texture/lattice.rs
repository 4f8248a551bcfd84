//! The binned region as the texture matrices read it: flat, with an empty margin, so that every neighbour of a voxel
//! is one addition away.

use std::ops::Range;

use crate::{Binned, Settings, WeightingNorm};

/// Places of one block of [`Lattice::blocks`].
const BLOCK: usize = 2048;

/// A step to a neighbour in voxels, z, y, x.
pub(crate) type Offset = [isize; 3];

/// Grey levels in a flat grid with an empty margin.
pub(crate) struct Lattice {
    /// 0 outside the region, otherwise 1 + the place of the voxel's level in `levels`.
    pub(crate) ranks: Vec<u16>,
    /// Where the region's voxels are in `ranks`, in array order.
    pub(crate) voxels: Vec<usize>,
    /// The same as stretches along x.
    pub(crate) runs: Vec<Range<usize>>,
    /// The levels that occur, ascending.
    pub(crate) levels: Vec<f64>,
    /// Highest level.
    pub(crate) n_levels: u32,
    /// Millimetres between voxel centres, z, y, x.
    pub(crate) spacing: [f64; 3],
    /// Voxels of the bounding box, z, y, x.
    pub(crate) size: [usize; 3],
    /// Empty voxels around the box on each side, z, y, x.
    margin: [usize; 3],
    strides: [isize; 3],
}

impl Lattice {
    /// Lays out a region for neighbours up to `settings.distances` away.
    pub(crate) fn new(binned: &Binned, settings: &Settings) -> Lattice {
        let (nz, ny, nx) = binned.levels.dim();
        let size = [nz, ny, nx];
        // A neighbour further away than the box is long does not exist.
        let reach = settings.distances.iter().copied().max().unwrap_or(1).max(1) as usize;
        let margin = size.map(|n| reach.min(n));
        let padded: [usize; 3] = std::array::from_fn(|a| size[a] + 2 * margin[a]);
        let mut places = vec![0u16; binned.n_levels as usize + 1];
        for level in &binned.levels {
            places[*level as usize] = 1;
        }
        places[0] = 0;
        let mut levels = Vec::new();
        for (level, place) in places.iter_mut().enumerate().filter(|(_, present)| **present == 1) {
            levels.push(level as f64);
            *place = levels.len() as u16;
        }
        let mut ranks = vec![0; padded.iter().product()];
        let mut voxels: Vec<usize> = Vec::with_capacity(binned.voxels);
        for (line, row) in binned.levels.rows().into_iter().enumerate() {
            let (z, y) = (line / ny, line % ny);
            let first = ((z + margin[0]) * padded[1] + y + margin[1]) * padded[2] + margin[2];
            for (at, level) in (first..).zip(row) {
                ranks[at] = places[*level as usize];
                if *level > 0 {
                    voxels.push(at);
                }
            }
        }
        let runs = voxels.chunk_by(|a, b| a + 1 == *b).map(|run| run[0]..run[0] + run.len()).collect();
        let strides = [(padded[1] * padded[2]) as isize, padded[2] as isize, 1];
        Lattice { ranks, voxels, runs, levels, n_levels: binned.n_levels, spacing: binned.spacing, size, margin, strides }
    }

    /// Position of a place in `ranks` within the box, z, y, x.
    pub(crate) fn position(&self, place: usize) -> [isize; 3] {
        let place = place as isize;
        let padded = [place / self.strides[0], place % self.strides[0] / self.strides[1], place % self.strides[1]];
        std::array::from_fn(|a| padded[a] - self.margin[a] as isize)
    }

    /// What to add to a place in `ranks` to take a step.
    pub(crate) fn step(&self, offset: Offset) -> isize {
        offset.iter().zip(self.strides).map(|(o, s)| o * s).sum()
    }

    /// Rank of the neighbour one `step` away.
    pub(crate) fn neighbour(&self, voxel: usize, step: isize) -> u16 {
        self.ranks[voxel.wrapping_add_signed(step)]
    }

    /// One of each pair of opposite steps whose Chebyshev length is in `distances`, from the largest down. Steps as
    /// long as the box, and with `force_2d` those that leave the plane, are left out.
    pub(crate) fn half(&self, distances: &[u32], settings: &Settings) -> Vec<Offset> {
        let reach = distances.iter().copied().max().unwrap_or(0) as isize;
        let range = || (-reach..=reach).rev();
        let mut offsets = Vec::new();
        for dz in range() {
            for dy in range() {
                for dx in range() {
                    let offset = [dz, dy, dx];
                    if offset <= [0; 3] {
                        return offsets;
                    }
                    let length = offset.iter().map(|o| o.unsigned_abs()).max().unwrap_or(0);
                    let wanted = distances.iter().any(|d| *d as usize == length);
                    let fits = offset.iter().zip(self.size).all(|(o, n)| o.unsigned_abs() < n);
                    let in_plane = !settings.force_2d || offset[settings.force_2d_dimension] == 0;
                    if wanted && fits && in_plane {
                        offsets.push(offset);
                    }
                }
            }
        }
        offsets
    }

    /// The steps of [`Lattice::half`] and their opposites, as additions to a place in `ranks`.
    pub(crate) fn all_steps(&self, distances: &[u32], settings: &Settings) -> Vec<isize> {
        let half = self.half(distances, settings);
        half.iter().map(|o| self.step(*o)).flat_map(|s| [s, -s]).collect()
    }

    /// Blocks of places that together hold all of the region's voxels, small enough to stay in the processor's nearest
    /// cache while every step is taken from them. What stands at `place + step` is then a slice as well.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let first = self.voxels.first().copied().unwrap_or(0);
        let end = self.voxels.last().map_or(0, |last| last + 1);
        (first..end).step_by(BLOCK).map(move |from| from..(from + BLOCK).min(end))
    }

    /// Length of a step in mm by a norm; 1 for `NoWeighting`.
    pub(crate) fn length(&self, offset: Offset, norm: WeightingNorm) -> f64 {
        let mm: [f64; 3] = std::array::from_fn(|a| offset[a].unsigned_abs() as f64 * self.spacing[a]);
        match norm {
            WeightingNorm::Infinity => mm.into_iter().fold(0.0, f64::max),
            WeightingNorm::Euclidean => mm.iter().map(|v| v * v).sum::<f64>().sqrt(),
            WeightingNorm::Manhattan => mm.iter().sum(),
            WeightingNorm::NoWeighting => 1.0,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use ndarray::Array3;

    /// A region of the given levels (0 outside), with unit voxels.
    pub(crate) fn binned(dim: (usize, usize, usize), levels: &[u32]) -> Binned {
        let levels = Array3::from_shape_vec(dim, levels.to_vec()).unwrap();
        let n_levels = levels.iter().copied().max().unwrap();
        let voxels = levels.iter().filter(|v| **v > 0).count();
        Binned { levels, n_levels, voxels, spacing: [1.0; 3] }
    }

    /// A region larger than a block, of `levels` levels that change in patches, with holes.
    pub(crate) fn noise(levels: u32) -> Binned {
        let dim = (11, 19, 23);
        let mut state = 7u32;
        let values: Vec<u32> = (0..dim.0 * dim.1 * dim.2)
            .map(|i| {
                if i % 3 == 0 {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                }
                if (state >> 9).is_multiple_of(11) { 0 } else { 1 + (state >> 14) % levels }
            })
            .collect();
        binned(dim, &values)
    }

    #[test]
    fn thirteen_directions_in_order() {
        let settings = Settings::default();
        let lattice = Lattice::new(&binned((3, 3, 3), &[1; 27]), &settings);
        let half = lattice.half(&[1], &settings);
        assert_eq!(half.len(), 13);
        assert_eq!((half[0], half[1], half[12]), ([1, 1, 1], [1, 1, 0], [0, 0, 1]));
        assert_eq!(lattice.half(&[2], &settings).len(), 49);
        assert_eq!(lattice.all_steps(&[1, 2], &settings).len(), 124);
    }

    #[test]
    fn thin_boxes_and_planes_have_fewer() {
        let settings = Settings::default();
        let flat = Lattice::new(&binned((1, 3, 3), &[1; 9]), &settings);
        assert_eq!(flat.half(&[1], &settings), [[0, 1, 1], [0, 1, 0], [0, 1, -1], [0, 0, 1]]);
        let in_plane = Settings { force_2d: true, ..Settings::default() };
        let cube = Lattice::new(&binned((3, 3, 3), &[1; 27]), &in_plane);
        assert_eq!(cube.half(&[1], &in_plane).len(), 4);
    }

    #[test]
    fn levels_that_do_not_occur_have_no_rank() {
        let lattice = Lattice::new(&binned((1, 1, 4), &[5, 0, 2, 5]), &Settings::default());
        assert_eq!(lattice.levels, [2.0, 5.0]);
        let ranks: Vec<u16> = lattice.voxels.iter().map(|v| lattice.ranks[*v]).collect();
        assert_eq!(ranks, [2, 1, 2]);
    }
}
