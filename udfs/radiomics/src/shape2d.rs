//! Size and form of a region in one slice: 9 features.
//!
//! The outline comes from marching squares with every vertex at the middle of a lattice edge; pixels that touch at a
//! corner only are cut apart.

use std::f64::consts::PI;

use ndarray::{Array2, Array3, Axis};

use crate::diameter::diameters;
use crate::shape::principal_moments;

/// Corners of a square as (row, column) steps, then the middles of its edges, doubled.
const CORNERS: [[usize; 2]; 4] = [[0, 0], [0, 1], [1, 1], [1, 0]];
const MIDDLES: [[usize; 2]; 4] = [[0, 1], [1, 2], [2, 1], [1, 0]];

/// Lines of each configuration of corners, as edges.
const LINES: [&[[usize; 2]]; 16] = [
    &[],
    &[[3, 0]],
    &[[0, 1]],
    &[[3, 1]],
    &[[1, 2]],
    &[[1, 2], [3, 0]],
    &[[0, 2]],
    &[[3, 2]],
    &[[2, 3]],
    &[[2, 0]],
    &[[0, 1], [2, 3]],
    &[[2, 1]],
    &[[1, 3]],
    &[[1, 0]],
    &[[0, 3]],
    &[],
];

/// The features in alphabetical order. `inside` is `[z, y, x]` and one voxel thick along `across`; `spacing` in mm.
pub(crate) fn shape2d(inside: &Array3<bool>, spacing: [f64; 3], across: usize) -> Vec<(&'static str, f64)> {
    let slice = inside.index_axis(Axis(across), 0).to_owned();
    let [rows, columns] = match across {
        0 => [spacing[1], spacing[2]],
        1 => [spacing[0], spacing[2]],
        _ => [spacing[0], spacing[1]],
    };
    let (perimeter, surface) = outline(&slice, [rows, columns]);
    let found = diameters(inside, spacing);
    let maximum = [found.slice, found.column, found.row][across];
    // The axis across has no extent, so the first of the three moments is its 0.
    let [_, minor, major] = principal_moments(inside, spacing);
    let pixels = slice.iter().filter(|v| **v).count() as f64;
    vec![
        ("Elongation", (minor / major).sqrt()),
        ("MajorAxisLength", 4.0 * major.sqrt()),
        ("MaximumDiameter", maximum),
        ("MeshSurface", surface),
        ("MinorAxisLength", 4.0 * minor.sqrt()),
        ("Perimeter", perimeter),
        ("PerimeterSurfaceRatio", perimeter / surface),
        ("PixelSurface", pixels * rows * columns),
        ("Sphericity", 2.0 * (PI * surface).sqrt() / perimeter),
    ]
}

/// Length in mm and enclosed area in mm2 of the outline of `slice`, outside all around.
fn outline(slice: &Array2<bool>, spacing: [f64; 2]) -> (f64, f64) {
    let (rows, columns) = slice.dim();
    let inside = |r: usize, c: usize| r > 0 && c > 0 && r <= rows && c <= columns && slice[[r - 1, c - 1]];
    let (mut length, mut doubled_area) = (0.0, 0.0);
    for r in 0..=rows {
        for c in 0..=columns {
            let configuration = (0..4).filter(|b| inside(r + CORNERS[*b][0], c + CORNERS[*b][1])).fold(0, |bits, b| bits | 1 << b);
            for line in LINES[configuration] {
                let [a, b] = line.map(|edge| {
                    let [dr, dc] = MIDDLES[edge];
                    [(r as f64 + 0.5 * dr as f64) * spacing[0], (c as f64 + 0.5 * dc as f64) * spacing[1]]
                });
                length += (a[0] - b[0]).hypot(a[1] - b[1]);
                doubled_area += a[0] * b[1] - a[1] * b[0];
            }
        }
    }
    (length, (0.5 * doubled_area).abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_is_a_diamond() {
        let (length, area) = outline(&Array2::from_elem((1, 1), true), [1.0, 1.0]);
        assert!((length - 8.0_f64.sqrt()).abs() < 1e-14 && (area - 0.5).abs() < 1e-14);
    }

    #[test]
    fn pixels_at_a_corner_are_apart() {
        let two = Array2::from_shape_vec((2, 2), vec![true, false, false, true]).unwrap();
        let (length, area) = outline(&two, [1.0, 1.0]);
        assert!((length - 2.0 * 8.0_f64.sqrt()).abs() < 1e-14 && (area - 1.0).abs() < 1e-14);
    }
}
