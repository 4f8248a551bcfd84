//! From voxel index to patient space and back, and the line of samples that a resampled row reads.
//!
//! The operations run in ITK's order in f64. When a sample lies exactly half-way between two voxels the last bit
//! decides which one it takes, so a mathematically equal formula would give another mask.

use crate::Geometry;

/// The affine maps of a grid, computed once. Indices and points are in x, y, z order; points in mm (LPS).
#[derive(Debug, Clone, PartialEq)]
pub struct GridMap {
    origin: [f64; 3],
    to_point: [[f64; 3]; 3],
    to_index: [[f64; 3]; 3],
}

impl Geometry {
    /// The maps between this grid's indices and patient space.
    pub fn map(&self) -> GridMap {
        let mut to_point = [[0.0; 3]; 3];
        for (row, direction) in to_point.iter_mut().zip(&self.direction) {
            for axis in 0..3 {
                row[axis] = direction[axis] * self.spacing[axis];
            }
        }
        GridMap { origin: self.origin, to_point, to_index: inverse(&to_point) }
    }

    /// Whether `other` has the same size and lies at the same place: origin and spacing within `tolerance` of a
    /// voxel along x, direction cosines within `tolerance`. ITK's rule for two images of one filter.
    pub fn matches(&self, other: &Geometry, tolerance: f64) -> bool {
        let limit = tolerance * self.spacing[0];
        let near = |a: &[f64; 3], b: &[f64; 3], limit: f64| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= limit);
        self.size == other.size
            && near(&self.origin, &other.origin, limit)
            && near(&self.spacing, &other.spacing, limit)
            && self.direction.iter().zip(&other.direction).all(|(a, b)| near(a, b, tolerance))
    }
}

impl GridMap {
    /// Patient position of a fractional index.
    pub fn point(&self, index: [f64; 3]) -> [f64; 3] {
        std::array::from_fn(|r| {
            let mut sum = 0.0;
            for (m, i) in self.to_point[r].iter().zip(index) {
                sum += m * i;
            }
            sum + self.origin[r]
        })
    }

    /// Patient position of the centre of a voxel, or of the place one past the last.
    pub fn voxel_point(&self, index: [usize; 3]) -> [f64; 3] {
        std::array::from_fn(|r| {
            let mut sum = self.origin[r];
            for (m, i) in self.to_point[r].iter().zip(index) {
                sum += m * i as f64;
            }
            sum
        })
    }

    /// Fractional index of a patient position.
    pub fn index(&self, point: [f64; 3]) -> [f64; 3] {
        let offset: [f64; 3] = std::array::from_fn(|r| point[r] - self.origin[r]);
        std::array::from_fn(|r| {
            let mut sum = 0.0;
            for (m, o) in self.to_index[r].iter().zip(offset) {
                sum += m * o;
            }
            sum
        })
    }
}

/// The indices in a source grid that one row (along x) of a target grid reads.
pub(crate) struct Row {
    start: [f64; 3],
    step: [f64; 3],
    length: f64,
}

impl Row {
    /// Row `(y, z)` of `target`, which has `length` voxels along x, seen from `source`.
    pub(crate) fn new(source: &GridMap, target: &GridMap, length: usize, y: usize, z: usize) -> Row {
        let start = source.index(target.voxel_point([0, y, z]));
        let end = source.index(target.voxel_point([length, y, z]));
        Row { start, step: std::array::from_fn(|a| end[a] - start[a]), length: length as f64 }
    }

    /// Whether the row runs along the source's x axis.
    pub(crate) fn keeps_y_and_z(&self) -> bool {
        self.step[1] == 0.0 && self.step[2] == 0.0
    }

    /// Where the row starts along the source's x axis, and how far it goes.
    pub(crate) fn along_x(&self) -> (f64, f64) {
        (self.start[0], self.step[0])
    }

    /// Source index of the row's voxel `x`.
    pub(crate) fn at(&self, x: usize) -> [f64; 3] {
        let alpha = x as f64 / self.length;
        std::array::from_fn(|a| self.start[a] + alpha * self.step[a])
    }
}

/// Inverse of a 3x3 matrix. A matrix with one entry per row and column is inverted entry by entry, which keeps
/// `1 / spacing` exact for grids along the patient's axes.
fn inverse(m: &[[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let mut inverse = [[0.0; 3]; 3];
    let one_per_row = m.iter().all(|row| row.iter().filter(|v| **v != 0.0).count() == 1);
    if one_per_row {
        for r in 0..3 {
            for c in 0..3 {
                if m[r][c] != 0.0 {
                    inverse[c][r] = 1.0 / m[r][c];
                }
            }
        }
        return inverse;
    }
    let cofactor = |r: usize, c: usize| {
        let (r1, r2, c1, c2) = ((r + 1) % 3, (r + 2) % 3, (c + 1) % 3, (c + 2) % 3);
        m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
    };
    let determinant: f64 = (0..3).map(|c| m[0][c] * cofactor(0, c)).sum();
    for (r, row) in inverse.iter_mut().enumerate() {
        for (c, value) in row.iter_mut().enumerate() {
            *value = cofactor(c, r) / determinant;
        }
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oblique() -> Geometry {
        let (s, c) = 0.3_f64.sin_cos();
        Geometry {
            size: [4, 5, 6],
            spacing: [0.7, 1.1, 2.5],
            origin: [-10.0, 20.0, 3.0],
            direction: [[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]],
        }
    }

    #[test]
    fn index_and_point_are_inverse() {
        let map = oblique().map();
        let index = map.index(map.point([1.25, 3.5, -0.75]));
        for (got, want) in index.iter().zip([1.25, 3.5, -0.75]) {
            assert!((got - want).abs() < 1e-13, "{index:?}");
        }
    }

    #[test]
    fn flipped_and_permuted_axes_invert_exactly() {
        let mut g = Geometry::identity([2, 2, 2]);
        g.direction = [[0.0, -1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]];
        g.spacing = [0.25, 0.5, 4.0];
        let map = g.map();
        assert_eq!(map.index(map.voxel_point([3, 1, 2])), [3.0, 1.0, 2.0]);
    }

    #[test]
    fn grids_match_within_a_tolerance_of_the_spacing() {
        let a = oblique();
        let mut b = a.clone();
        b.origin[2] += 0.5e-6;
        assert!(a.matches(&b, 1e-6));
        b.origin[2] += 1e-6;
        assert!(!a.matches(&b, 1e-6));
        b = a.clone();
        b.size[0] += 1;
        assert!(!a.matches(&b, 1e-6));
    }
}
