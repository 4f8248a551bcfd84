//! Images that PyRadiomics derives from the prepared one. Each filter returns the voxels of the region's box only.
//!
//! A filter reads as far around the box as its kernel reaches, by [`gather`], and never filters the whole image.

mod gradient;
mod lbp2d;
mod lbp3d;
pub(crate) mod log;
pub(crate) mod point;
pub(crate) mod wavelet;

pub(crate) use gradient::gradient;
pub(crate) use lbp2d::lbp2d;
pub(crate) use lbp3d::lbp3d;

use ndarray::{Array3, s};

use crate::prepare::Frame;

/// The region's box within the image that a filter acts on: voxels `lower..upper` (z, y, x).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Box3 {
    pub(crate) lower: [usize; 3],
    pub(crate) upper: [usize; 3],
}

impl Box3 {
    /// The box with up to `margin` voxels more on each side, cut at an image of `dim` voxels.
    pub(crate) fn grown(self, margin: [usize; 3], dim: [usize; 3]) -> Box3 {
        Box3 {
            lower: std::array::from_fn(|a| self.lower[a].saturating_sub(margin[a])),
            upper: std::array::from_fn(|a| (self.upper[a] + margin[a]).min(dim[a])),
        }
    }
}

/// Voxels at the given positions along z, y and x, in any order and repeated as listed.
pub(crate) fn gather(frame: &Frame<'_>, positions: &[Vec<usize>; 3]) -> Array3<f64> {
    let mut out = Array3::zeros([positions[0].len(), positions[1].len(), positions[2].len()]);
    let runs: [Vec<(usize, usize, usize)>; 3] = std::array::from_fn(|a| runs(&positions[a]));
    for &(tz, z, nz) in &runs[0] {
        for &(ty, y, ny) in &runs[1] {
            for &(tx, x, nx) in &runs[2] {
                let mut to = out.slice_mut(s![tz..tz + nz, ty..ty + ny, tx..tx + nx]);
                match frame {
                    Frame::Array(values) => to.assign(&values.slice(s![z..z + nz, y..y + ny, x..x + nx])),
                    Frame::Stored(source) => to.assign(&source.region([z, y, x], [z + nz, y + ny, x + nx])),
                }
            }
        }
    }
    out
}

/// Consecutive stretches of a list of positions, as (place in the list, first position, length).
fn runs(positions: &[usize]) -> Vec<(usize, usize, usize)> {
    let mut runs: Vec<(usize, usize, usize)> = Vec::new();
    for (at, &p) in positions.iter().enumerate() {
        match runs.last_mut() {
            Some((_, first, length)) if *first + *length == p => *length += 1,
            _ => runs.push((at, p, 1)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gathers_in_the_order_given() {
        let values = Array3::from_shape_fn((2, 3, 4), |(z, y, x)| (100 * z + 10 * y + x) as f64);
        let found = gather(&Frame::Array(values), &[vec![1], vec![2, 0, 1], vec![3, 0, 1, 1]]);
        let expected = vec![123.0, 120.0, 121.0, 121.0, 103.0, 100.0, 101.0, 101.0, 113.0, 110.0, 111.0, 111.0];
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
    }
}
