//! Surface of a binary region by marching cubes: area and enclosed volume.
//!
//! Every vertex lies at the middle of a lattice edge. The cube's corners, edges and triangles are numbered as by
//! Lorensen & Cline (SIGGRAPH 1987) and tabulated by P. Bourke, "Polygonising a scalar field" (1994). A cube whose
//! corner 7 is inside takes the triangles of its complement, turned round, so half of the table is enough. On
//! ambiguous faces the table decides, so area and volume are those of this table.

use ndarray::Array3;

/// Corners of a cube as (z, y, x) steps.
const CORNERS: [[usize; 3]; 8] = [[0, 0, 0], [0, 0, 1], [0, 1, 1], [0, 1, 0], [1, 0, 0], [1, 0, 1], [1, 1, 1], [1, 1, 0]];

/// Corners that each edge joins.
const EDGES: [[usize; 2]; 12] = [[0, 1], [1, 2], [2, 3], [3, 0], [4, 5], [5, 6], [6, 7], [7, 4], [0, 4], [1, 5], [2, 6], [3, 7]];

/// Triangles of each configuration of corners 0 to 6, as edges.
#[rustfmt::skip]
const TRIANGLES: [&[[u8; 3]]; 128] = [
    &[],
    &[[0, 8, 3]],
    &[[0, 1, 9]],
    &[[1, 8, 3], [9, 8, 1]],
    &[[1, 2, 10]],
    &[[0, 8, 3], [1, 2, 10]],
    &[[9, 2, 10], [0, 2, 9]],
    &[[2, 8, 3], [2, 10, 8], [10, 9, 8]],
    &[[3, 11, 2]],
    &[[0, 11, 2], [8, 11, 0]],
    &[[1, 9, 0], [2, 3, 11]],
    &[[1, 11, 2], [1, 9, 11], [9, 8, 11]],
    &[[3, 10, 1], [11, 10, 3]],
    &[[0, 10, 1], [0, 8, 10], [8, 11, 10]],
    &[[3, 9, 0], [3, 11, 9], [11, 10, 9]],
    &[[9, 8, 10], [10, 8, 11]],
    &[[4, 7, 8]],
    &[[4, 3, 0], [7, 3, 4]],
    &[[0, 1, 9], [8, 4, 7]],
    &[[4, 1, 9], [4, 7, 1], [7, 3, 1]],
    &[[1, 2, 10], [8, 4, 7]],
    &[[3, 4, 7], [3, 0, 4], [1, 2, 10]],
    &[[9, 2, 10], [9, 0, 2], [8, 4, 7]],
    &[[2, 10, 9], [2, 9, 7], [2, 7, 3], [7, 9, 4]],
    &[[8, 4, 7], [3, 11, 2]],
    &[[11, 4, 7], [11, 2, 4], [2, 0, 4]],
    &[[9, 0, 1], [8, 4, 7], [2, 3, 11]],
    &[[4, 7, 11], [9, 4, 11], [9, 11, 2], [9, 2, 1]],
    &[[3, 10, 1], [3, 11, 10], [7, 8, 4]],
    &[[1, 11, 10], [1, 4, 11], [1, 0, 4], [7, 11, 4]],
    &[[4, 7, 8], [9, 0, 11], [9, 11, 10], [11, 0, 3]],
    &[[4, 7, 11], [4, 11, 9], [9, 11, 10]],
    &[[9, 5, 4]],
    &[[9, 5, 4], [0, 8, 3]],
    &[[0, 5, 4], [1, 5, 0]],
    &[[8, 5, 4], [8, 3, 5], [3, 1, 5]],
    &[[1, 2, 10], [9, 5, 4]],
    &[[3, 0, 8], [1, 2, 10], [4, 9, 5]],
    &[[5, 2, 10], [5, 4, 2], [4, 0, 2]],
    &[[2, 10, 5], [3, 2, 5], [3, 5, 4], [3, 4, 8]],
    &[[9, 5, 4], [2, 3, 11]],
    &[[0, 11, 2], [0, 8, 11], [4, 9, 5]],
    &[[0, 5, 4], [0, 1, 5], [2, 3, 11]],
    &[[2, 1, 5], [2, 5, 8], [2, 8, 11], [4, 8, 5]],
    &[[10, 3, 11], [10, 1, 3], [9, 5, 4]],
    &[[4, 9, 5], [0, 8, 1], [8, 10, 1], [8, 11, 10]],
    &[[5, 4, 0], [5, 0, 11], [5, 11, 10], [11, 0, 3]],
    &[[5, 4, 8], [5, 8, 10], [10, 8, 11]],
    &[[9, 7, 8], [5, 7, 9]],
    &[[9, 3, 0], [9, 5, 3], [5, 7, 3]],
    &[[0, 7, 8], [0, 1, 7], [1, 5, 7]],
    &[[1, 5, 3], [3, 5, 7]],
    &[[9, 7, 8], [9, 5, 7], [10, 1, 2]],
    &[[10, 1, 2], [9, 5, 0], [5, 3, 0], [5, 7, 3]],
    &[[8, 0, 2], [8, 2, 5], [8, 5, 7], [10, 5, 2]],
    &[[2, 10, 5], [2, 5, 3], [3, 5, 7]],
    &[[7, 9, 5], [7, 8, 9], [3, 11, 2]],
    &[[9, 5, 7], [9, 7, 2], [9, 2, 0], [2, 7, 11]],
    &[[2, 3, 11], [0, 1, 8], [1, 7, 8], [1, 5, 7]],
    &[[11, 2, 1], [11, 1, 7], [7, 1, 5]],
    &[[9, 5, 8], [8, 5, 7], [10, 1, 3], [10, 3, 11]],
    &[[5, 7, 0], [5, 0, 9], [7, 11, 0], [1, 0, 10], [11, 10, 0]],
    &[[11, 10, 0], [11, 0, 3], [10, 5, 0], [8, 0, 7], [5, 7, 0]],
    &[[11, 10, 5], [7, 11, 5]],
    &[[10, 6, 5]],
    &[[0, 8, 3], [5, 10, 6]],
    &[[9, 0, 1], [5, 10, 6]],
    &[[1, 8, 3], [1, 9, 8], [5, 10, 6]],
    &[[1, 6, 5], [2, 6, 1]],
    &[[1, 6, 5], [1, 2, 6], [3, 0, 8]],
    &[[9, 6, 5], [9, 0, 6], [0, 2, 6]],
    &[[5, 9, 8], [5, 8, 2], [5, 2, 6], [3, 2, 8]],
    &[[2, 3, 11], [10, 6, 5]],
    &[[11, 0, 8], [11, 2, 0], [10, 6, 5]],
    &[[0, 1, 9], [2, 3, 11], [5, 10, 6]],
    &[[5, 10, 6], [1, 9, 2], [9, 11, 2], [9, 8, 11]],
    &[[6, 3, 11], [6, 5, 3], [5, 1, 3]],
    &[[0, 8, 11], [0, 11, 5], [0, 5, 1], [5, 11, 6]],
    &[[3, 11, 6], [0, 3, 6], [0, 6, 5], [0, 5, 9]],
    &[[6, 5, 9], [6, 9, 11], [11, 9, 8]],
    &[[5, 10, 6], [4, 7, 8]],
    &[[4, 3, 0], [4, 7, 3], [6, 5, 10]],
    &[[1, 9, 0], [5, 10, 6], [8, 4, 7]],
    &[[10, 6, 5], [1, 9, 7], [1, 7, 3], [7, 9, 4]],
    &[[6, 1, 2], [6, 5, 1], [4, 7, 8]],
    &[[1, 2, 5], [5, 2, 6], [3, 0, 4], [3, 4, 7]],
    &[[8, 4, 7], [9, 0, 5], [0, 6, 5], [0, 2, 6]],
    &[[7, 3, 9], [7, 9, 4], [3, 2, 9], [5, 9, 6], [2, 6, 9]],
    &[[3, 11, 2], [7, 8, 4], [10, 6, 5]],
    &[[5, 10, 6], [4, 7, 2], [4, 2, 0], [2, 7, 11]],
    &[[0, 1, 9], [4, 7, 8], [2, 3, 11], [5, 10, 6]],
    &[[9, 2, 1], [9, 11, 2], [9, 4, 11], [7, 11, 4], [5, 10, 6]],
    &[[8, 4, 7], [3, 11, 5], [3, 5, 1], [5, 11, 6]],
    &[[5, 1, 11], [5, 11, 6], [1, 0, 11], [7, 11, 4], [0, 4, 11]],
    &[[0, 5, 9], [0, 6, 5], [0, 3, 6], [11, 6, 3], [8, 4, 7]],
    &[[6, 5, 9], [6, 9, 11], [4, 7, 9], [7, 11, 9]],
    &[[10, 4, 9], [6, 4, 10]],
    &[[4, 10, 6], [4, 9, 10], [0, 8, 3]],
    &[[10, 0, 1], [10, 6, 0], [6, 4, 0]],
    &[[8, 3, 1], [8, 1, 6], [8, 6, 4], [6, 1, 10]],
    &[[1, 4, 9], [1, 2, 4], [2, 6, 4]],
    &[[3, 0, 8], [1, 2, 9], [2, 4, 9], [2, 6, 4]],
    &[[0, 2, 4], [4, 2, 6]],
    &[[8, 3, 2], [8, 2, 4], [4, 2, 6]],
    &[[10, 4, 9], [10, 6, 4], [11, 2, 3]],
    &[[0, 8, 2], [2, 8, 11], [4, 9, 10], [4, 10, 6]],
    &[[3, 11, 2], [0, 1, 6], [0, 6, 4], [6, 1, 10]],
    &[[6, 4, 1], [6, 1, 10], [4, 8, 1], [2, 1, 11], [8, 11, 1]],
    &[[9, 6, 4], [9, 3, 6], [9, 1, 3], [11, 6, 3]],
    &[[8, 11, 1], [8, 1, 0], [11, 6, 1], [9, 1, 4], [6, 4, 1]],
    &[[3, 11, 6], [3, 6, 0], [0, 6, 4]],
    &[[6, 4, 8], [11, 6, 8]],
    &[[7, 10, 6], [7, 8, 10], [8, 9, 10]],
    &[[0, 7, 3], [0, 10, 7], [0, 9, 10], [6, 7, 10]],
    &[[10, 6, 7], [1, 10, 7], [1, 7, 8], [1, 8, 0]],
    &[[10, 6, 7], [10, 7, 1], [1, 7, 3]],
    &[[1, 2, 6], [1, 6, 8], [1, 8, 9], [8, 6, 7]],
    &[[2, 6, 9], [2, 9, 1], [6, 7, 9], [0, 9, 3], [7, 3, 9]],
    &[[7, 8, 0], [7, 0, 6], [6, 0, 2]],
    &[[7, 3, 2], [6, 7, 2]],
    &[[2, 3, 11], [10, 6, 8], [10, 8, 9], [8, 6, 7]],
    &[[2, 0, 7], [2, 7, 11], [0, 9, 7], [6, 7, 10], [9, 10, 7]],
    &[[1, 8, 0], [1, 7, 8], [1, 10, 7], [6, 7, 10], [2, 3, 11]],
    &[[11, 2, 1], [11, 1, 7], [10, 6, 1], [6, 7, 1]],
    &[[8, 9, 6], [8, 6, 7], [9, 1, 6], [11, 6, 3], [1, 3, 6]],
    &[[0, 9, 1], [11, 6, 7]],
    &[[7, 8, 0], [7, 0, 6], [3, 11, 0], [11, 6, 0]],
    &[[7, 11, 6]],
];

/// Area in mm2 and volume in mm3 of the surface around a region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mesh {
    pub(crate) area: f64,
    pub(crate) volume: f64,
}

/// What the triangles of one configuration add, for a cube whose corner 0 lies at the origin.
#[derive(Clone, Copy, Default)]
struct Patch {
    area: f64,
    /// Sum of a . (b x c): six times the signed volume.
    volume: f64,
    /// Sum of a x b + b x c + c x a: how `volume` changes when the cube moves.
    normal: [f64; 3],
}

/// Marching cubes on `inside` (`[z, y, x]`, outside all around) with voxels of `spacing` mm (z, y, x).
pub(crate) fn mesh(inside: &Array3<bool>, spacing: [f64; 3]) -> Mesh {
    let patches: Vec<Patch> = (0..256).map(|configuration| patch(configuration, spacing)).collect();
    let (nz, ny, nx) = inside.dim();
    let empty = vec![false; nx];
    let row = |z: usize, y: usize| -> &[bool] {
        // Row (z, y) of the region with one empty voxel all around.
        if z == 0 || y == 0 || z > nz || y > ny {
            return &empty;
        }
        let from = ((z - 1) * ny + y - 1) * nx;
        inside.as_slice().map_or(&empty[..], |all| &all[from..from + nx])
    };
    let mut counts = [0u64; 256];
    let mut volume = 0.0;
    for z in 0..=nz {
        for y in 0..=ny {
            let rows = [row(z, y), row(z, y + 1), row(z + 1, y), row(z + 1, y + 1)];
            // Bits of the corners at x (0, 3, 4, 7) come from the corners at x + 1 (1, 2, 5, 6) of the cube before.
            let mut left = 0usize;
            for x in 0..=nx {
                let at = |r: usize| rows[r].get(x).copied().unwrap_or(false);
                let right = usize::from(at(0)) << 1 | usize::from(at(1)) << 2 | usize::from(at(2)) << 5 | usize::from(at(3)) << 6;
                let configuration = left | right;
                left = right >> 1 & 0b0001_0001 | (right & 0b0100_0100) << 1;
                if configuration == 0 || configuration == 255 {
                    continue;
                }
                counts[configuration] += 1;
                let patch = &patches[configuration];
                volume += patch.volume
                    + z as f64 * spacing[0] * patch.normal[0]
                    + y as f64 * spacing[1] * patch.normal[1]
                    + x as f64 * spacing[2] * patch.normal[2];
            }
        }
    }
    let area = counts.iter().zip(&patches).map(|(n, p)| *n as f64 * p.area).sum();
    Mesh { area, volume: volume / 6.0 }
}

fn patch(configuration: usize, spacing: [f64; 3]) -> Patch {
    let (triangles, sign) = match configuration {
        0..128 => (TRIANGLES[configuration], 1.0),
        _ => (TRIANGLES[configuration ^ 255], -1.0),
    };
    let mut patch = Patch::default();
    for triangle in triangles {
        let [a, b, c] = triangle.map(|edge| {
            let [from, to] = EDGES[usize::from(edge)].map(|corner| CORNERS[corner]);
            std::array::from_fn(|d| 0.5 * (from[d] + to[d]) as f64 * spacing[d])
        });
        let sides: [[f64; 3]; 3] = [cross(a, b), cross(b, c), cross(c, a)];
        let normal: [f64; 3] = std::array::from_fn(|d| sides[0][d] + sides[1][d] + sides[2][d]);
        patch.area += 0.5 * dot(normal, normal).sqrt();
        patch.volume += sign * dot(sides[0], c);
        for (total, n) in patch.normal.iter_mut().zip(normal) {
            *total += sign * n;
        }
    }
    patch
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_voxel_is_an_octahedron() {
        let one = mesh(&Array3::from_elem((1, 1, 1), true), [1.0; 3]);
        assert!((one.area - 3.0_f64.sqrt()).abs() < 1e-15, "{one:?}");
        assert!((one.volume - 1.0 / 6.0).abs() < 1e-15, "{one:?}");
    }

    #[test]
    fn a_box_loses_its_edges_and_corners() {
        let cube = mesh(&Array3::from_elem((10, 10, 10), true), [1.0; 3]);
        // Each of 12 edges loses a prism of 1/8 x 9, each of 8 corners the rest of an eighth of the octahedron.
        let expected = 1000.0 - 12.0 * 9.0 / 8.0 - 8.0 * (1.0 / 8.0 - 1.0 / 48.0);
        assert!((cube.volume - expected).abs() < 1e-10, "{cube:?} {expected}");
    }

    /// Area and volume of each arrangement of a 2 x 2 x 2 block, at two spacings.
    #[test]
    fn every_configuration_has_pyradiomics_area_and_volume() {
        let path = "../../../shared/reference/radiomics/goldens/mesh_256_configurations.csv";
        let Ok(text) = std::fs::read_to_string(path) else {
            println!("skipped: ../shared is not here");
            return;
        };
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let configuration: usize = fields[0].parse().unwrap();
            let spacing: Vec<f64> = fields[1].split('x').map(|v| v.parse().unwrap()).collect();
            let spacing = [spacing[0], spacing[1], spacing[2]];
            let mut block = Array3::from_elem((2, 2, 2), false);
            for (bit, corner) in CORNERS.iter().enumerate() {
                block[*corner] = configuration >> bit & 1 == 1;
            }
            let values: Vec<f64> = fields[2..].iter().map(|v| v.parse().unwrap()).collect();
            let found = mesh(&block, spacing);
            assert!((found.area - values[0]).abs() < 1e-12, "{line}: {found:?}");
            assert!((found.volume - values[1]).abs() < 1e-12, "{line}: {found:?}");
            let found = crate::diameter::diameters(&block, spacing);
            for (a, b) in [found.slice, found.column, found.row, found.maximum].iter().zip(&values[2..]) {
                assert!((a - b).abs() < 1e-12, "{line}: {found:?}");
            }
        }
    }
}
