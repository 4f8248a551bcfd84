//! Convolution along one axis after the other, on an image continued by its mirror images; rotations of such kernels.

use ndarray::{Array3, ArrayView3, Axis, s};

use super::{Filter, Pooling, shape};
use crate::filters::Box3;

/// An odd number of weights around a centre.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kernel(Vec<f64>);

/// One kernel per array axis (z, y, x).
pub(super) type Stage = [Option<Kernel>; 3];

impl Kernel {
    /// A kernel of even length gains a 0 at its end.
    pub(super) fn new(mut weights: Vec<f64>) -> Kernel {
        if weights.len().is_multiple_of(2) {
            weights.push(0.0);
        }
        Kernel(weights)
    }

    /// `levels` times a 0 between each two weights.
    pub(super) fn dilated(self, levels: u32) -> Kernel {
        let step = 1 << levels;
        let mut weights = vec![0.0; (self.0.len() - 1) * step + 1];
        for (k, weight) in self.0.into_iter().enumerate() {
            weights[k * step] = weight;
        }
        Kernel(weights)
    }

    fn flipped(&self) -> Kernel {
        Kernel(self.0.iter().rev().copied().collect())
    }

    fn reach(&self) -> usize {
        self.0.len() / 2
    }
}

/// The voxel of which voxel `i` of an image of `n` is the mirror image: `abc|cba`.
pub(super) fn mirrored(i: isize, n: usize) -> usize {
    let i = i.rem_euclid(2 * n as isize) as usize;
    if i < n { i } else { 2 * n - 1 - i }
}

/// The stages one after the other, in the voxels of `area`.
pub(super) fn convolve(image: &Array3<f64>, area: Box3, stages: &[Stage]) -> Array3<f64> {
    let dim = shape(image);
    // What each stage must give for the next to see all it needs.
    let mut areas = vec![area];
    for stage in stages.iter().rev() {
        let margin = std::array::from_fn(|a| stage[a].as_ref().map_or(0, Kernel::reach));
        areas.push(areas[areas.len() - 1].grown(margin, dim));
    }
    areas.reverse();
    let Box3 { lower, upper } = areas[0];
    let mut values = image.slice(s![lower[0]..upper[0], lower[1]..upper[1], lower[2]..upper[2]]).to_owned();
    for (stage, around) in stages.iter().zip(areas.windows(2)) {
        values = apply(&values, around[0], around[1], dim, stage);
    }
    values
}

/// One stage: from voxels of `from` to those of `to`, within an image of `dim` voxels.
pub(super) fn apply(values: &Array3<f64>, from: Box3, to: Box3, dim: [usize; 3], stage: &Stage) -> Array3<f64> {
    let mut values = values.clone();
    for (axis, kernel) in stage.iter().enumerate() {
        values = match kernel {
            Some(kernel) => along(values.view(), axis, [from.lower[axis], to.lower[axis], to.upper[axis]], dim[axis], kernel),
            None => {
                let range = (to.lower[axis] - from.lower[axis])..(to.upper[axis] - from.lower[axis]);
                values.slice_axis(Axis(axis), range.into()).to_owned()
            }
        };
    }
    values
}

/// Voxels `lower..upper` along an axis, `values` beginning with voxel `first`.
fn along(values: ArrayView3<f64>, axis: usize, [first, lower, upper]: [usize; 3], n: usize, kernel: &Kernel) -> Array3<f64> {
    let mut size = values.raw_dim();
    size[axis] = upper - lower;
    let mut out = Array3::zeros(size);
    let centre = kernel.reach() as isize;
    for (at, mut plane) in (lower..upper).zip(out.axis_iter_mut(Axis(axis))) {
        for (k, weight) in kernel.0.iter().enumerate().filter(|(_, weight)| **weight != 0.0) {
            let seen = mirrored(at as isize - (k as isize - centre), n) - first;
            plane.scaled_add(*weight, &values.index_axis(Axis(axis), seen));
        }
    }
    out
}

/// The response, pooled over rotations where the filter says so.
pub(super) fn pooled(image: &Array3<f64>, area: Box3, stages: &[Stage], filter: &Filter) -> Array3<f64> {
    if !filter.rotation_invariant {
        return convolve(image, area, stages);
    }
    let mut turned: Vec<Vec<Stage>> = Vec::new();
    for rotation in rotations(filter.by_slice) {
        let stages: Vec<Stage> = stages.iter().map(|stage| turn(stage, rotation)).collect();
        if !turned.contains(&stages) {
            turned.push(stages);
        }
    }
    pool(turned.iter().map(|stages| convolve(image, area, stages)), turned.len(), filter.pooling)
}

/// Responses as one.
pub(super) fn pool(responses: impl Iterator<Item = Array3<f64>>, count: usize, pooling: Pooling) -> Array3<f64> {
    let merged = responses.reduce(|mut all, one| {
        all.zip_mut_with(&one, |a, b| {
            *a = match pooling {
                Pooling::Max => a.max(*b),
                Pooling::Mean => *a + b,
            }
        });
        all
    });
    let merged = merged.unwrap_or_default();
    match pooling {
        Pooling::Max => merged,
        Pooling::Mean => merged / count as f64,
    }
}

/// For each array axis the axis whose kernel it gets, and whether that is flipped.
type Rotation = [(usize, bool); 3];

/// The right-angled rotations: 24, or 4 in the plane.
fn rotations(by_slice: bool) -> Vec<Rotation> {
    let orders = [([0, 1, 2], true), ([1, 2, 0], true), ([2, 0, 1], true), ([0, 2, 1], false), ([2, 1, 0], false), ([1, 0, 2], false)];
    let mut rotations = Vec::new();
    for (order, even) in orders {
        for flips in 0..8_u32 {
            let rotation: Rotation = std::array::from_fn(|a| (order[a], flips >> a & 1 == 1));
            let proper = flips.count_ones().is_multiple_of(2) == even;
            if proper && (!by_slice || rotation[0] == (0, false)) {
                rotations.push(rotation);
            }
        }
    }
    rotations
}

fn turn(stage: &Stage, rotation: Rotation) -> Stage {
    rotation.map(|(axis, flip)| stage[axis].as_ref().map(|kernel| if flip { kernel.flipped() } else { kernel.clone() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotations_of_a_cube_and_of_a_square() {
        assert_eq!((rotations(false).len(), rotations(true).len()), (24, 4));
    }

    #[test]
    fn mirror_images_in_order() {
        let seen: Vec<usize> = (-4..8).map(|i| mirrored(i, 3)).collect();
        assert_eq!(seen, [2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]);
    }

    #[test]
    fn an_impulse_shows_the_kernel() {
        let mut image = Array3::zeros([1, 1, 7]);
        image[[0, 0, 3]] = 1.0;
        let stage: Stage = [None, None, Some(Kernel::new(vec![1.0, 2.0, 3.0, 4.0]))];
        let found = convolve(&image, Box3 { lower: [0; 3], upper: [1, 1, 7] }, &[stage]);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [0.0, 1.0, 2.0, 3.0, 4.0, 0.0, 0.0]);
        assert_eq!(Kernel::new(vec![1.0, 2.0, 3.0]).dilated(1), Kernel(vec![1.0, 0.0, 2.0, 0.0, 3.0]));
    }
}
