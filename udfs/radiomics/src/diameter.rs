//! Largest distances across a region, in space and within the planes of the grid.
//!
//! The points are the middles of all lattice edges that join a voxel inside to one outside. Their pairs grow as n^2, so
//! the search keeps what can be an end of a diameter only: the two ends of each line of points, of these the corners
//! of each plane's convex hull. Coordinates stay doubled integers until a distance is taken, so nothing is lost.

use ndarray::Array3;

/// Largest distances in mm between the region's surface points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Diameters {
    /// Over all pairs.
    pub(crate) maximum: f64,
    /// Over pairs with equal z.
    pub(crate) slice: f64,
    /// Over pairs with equal y.
    pub(crate) column: f64,
    /// Over pairs with equal x.
    pub(crate) row: f64,
}

/// A surface point: twice its position in voxels, z, y, x.
type Point = [i64; 3];

/// Diameters of `inside` (`[z, y, x]`, outside all around) with voxels of `spacing` mm (z, y, x).
pub(crate) fn diameters(inside: &Array3<bool>, spacing: [f64; 3]) -> Diameters {
    let points = surface(inside);
    let dim = inside.dim();
    let dim = [dim.0, dim.1, dim.2];
    let mut in_slices = plane_hulls(&points, dim, 0, 2);
    let slice = widest(&mut in_slices, spacing);
    let column = widest(&mut plane_hulls(&points, dim, 1, 2), spacing);
    let row = widest(&mut plane_hulls(&points, dim, 2, 1), spacing);
    let maximum = widest(&mut [in_slices.concat()], spacing);
    Diameters { maximum, slice, column, row }
}

/// Surface points among which are all corners of the region's convex hull, as doubled voxel positions (z, y, x).
pub(crate) fn surface_corners(inside: &Array3<bool>) -> Vec<[i64; 3]> {
    let (nz, ny, nx) = inside.dim();
    plane_hulls(&surface(inside), [nz, ny, nx], 0, 2).concat()
}

/// The middles of the edges that leave the region.
fn surface(inside: &Array3<bool>) -> Vec<Point> {
    let (nz, ny, nx) = inside.dim();
    let inside = inside.as_standard_layout();
    let flat = inside.as_slice().unwrap_or(&[]);
    let empty = vec![false; nx];
    let row = |z: Option<usize>, y: Option<usize>| match (z, y) {
        (Some(z), Some(y)) if z < nz && y < ny => &flat[(z * ny + y) * nx..][..nx],
        _ => &empty[..],
    };
    let mut points = Vec::new();
    for z in 0..nz {
        for y in 0..ny {
            let here = row(Some(z), Some(y));
            let across = [
                (0, -1, row(z.checked_sub(1), Some(y))),
                (0, 1, row(Some(z + 1), Some(y))),
                (1, -1, row(Some(z), y.checked_sub(1))),
                (1, 1, row(Some(z), Some(y + 1))),
            ];
            for (x, _) in here.iter().enumerate().filter(|(_, inside)| **inside) {
                let doubled: Point = [2 * z as i64, 2 * y as i64, 2 * x as i64];
                let mut leaves = |axis: usize, by: i64| {
                    let mut middle = doubled;
                    middle[axis] += by;
                    points.push(middle);
                };
                for (axis, by, neighbours) in across {
                    if !neighbours[x] {
                        leaves(axis, by);
                    }
                }
                if x == 0 || !here[x - 1] {
                    leaves(2, -1);
                }
                if x + 1 == nx || !here[x + 1] {
                    leaves(2, 1);
                }
            }
        }
    }
    points
}

/// The corners of the convex hull of each plane across `axis` of a grid of `dim` voxels. `along` is the axis within the
/// plane whose lines are reduced to their ends first.
fn plane_hulls(points: &[Point], dim: [usize; 3], axis: usize, along: usize) -> Vec<Vec<Point>> {
    let other = 3 - axis - along;
    let (planes, lines) = (2 * dim[axis] + 1, 2 * dim[other] + 1);
    let mut ends: Vec<Option<(i64, i64)>> = vec![None; planes * lines];
    for p in points {
        // Doubled positions start at -1.
        let at = (p[axis] + 1) as usize * lines + (p[other] + 1) as usize;
        let (low, high) = ends[at].unwrap_or((p[along], p[along]));
        ends[at] = Some((low.min(p[along]), high.max(p[along])));
    }
    ends.chunks(lines)
        .enumerate()
        .map(|(plane, lines)| {
            let mut points = Vec::new();
            for (line, end) in lines.iter().enumerate() {
                if let Some((low, high)) = *end {
                    points.push((line as i64 - 1, low));
                    if high > low {
                        points.push((line as i64 - 1, high));
                    }
                }
            }
            hull(&points)
                .into_iter()
                .map(|(line, position)| {
                    let mut p = [0; 3];
                    p[axis] = plane as i64 - 1;
                    p[other] = line;
                    p[along] = position;
                    p
                })
                .collect()
        })
        .collect()
}

/// Corners of the convex hull of ascending points: Andrew's monotone chain.
fn hull(points: &[(i64, i64)]) -> Vec<(i64, i64)> {
    if points.len() < 3 {
        return points.to_vec();
    }
    let turn = |o: (i64, i64), a: (i64, i64), b: (i64, i64)| (a.0 - o.0) * (b.1 - o.1) - (a.1 - o.1) * (b.0 - o.0);
    let mut corners: Vec<(i64, i64)> = Vec::new();
    let mut chain = |points: &mut dyn Iterator<Item = (i64, i64)>| {
        let start = corners.len();
        for p in points {
            while corners.len() >= start + 2 && turn(corners[corners.len() - 2], corners[corners.len() - 1], p) <= 0 {
                corners.pop();
            }
            corners.push(p);
        }
        corners.pop();
    };
    chain(&mut points.iter().copied());
    chain(&mut points.iter().rev().copied());
    corners
}

/// Largest distance between two points of one group.
fn widest(groups: &mut [Vec<Point>], spacing: [f64; 3]) -> f64 {
    let mut best: f64 = 0.0;
    for group in groups {
        // Points far from the middle come first: once two radii together are too short, no later pair is longer.
        let n = group.len().max(1) as f64;
        let middle: [f64; 3] = std::array::from_fn(|d| group.iter().map(|p| p[d] as f64).sum::<f64>() / n);
        let mut ranked: Vec<(f64, Point)> = group
            .iter()
            .map(|p| {
                let radius: f64 = (0..3).map(|d| (0.5 * spacing[d] * (p[d] as f64 - middle[d])).powi(2)).sum();
                (radius.sqrt() * (1.0 + 1e-12), *p)
            })
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (i, (radius, p)) in ranked.iter().enumerate() {
            if 2.0 * radius < best {
                break;
            }
            for (other, q) in &ranked[i + 1..] {
                if radius + other < best {
                    break;
                }
                let square: f64 = (0..3).map(|d| (0.5 * (p[d] - q[d]) as f64 * spacing[d]).powi(2)).sum();
                best = best.max(square.sqrt());
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every pair of surface points, as the definition says.
    fn simple(inside: &Array3<bool>, spacing: [f64; 3]) -> Diameters {
        let at = |p: [i64; 3]| {
            let index: Option<Vec<usize>> = p.iter().map(|v| usize::try_from(*v).ok()).collect();
            index.and_then(|i| inside.get([i[0], i[1], i[2]]).copied()).unwrap_or(false)
        };
        let mut points = Vec::new();
        let (nz, ny, nx) = inside.dim();
        for z in -1..=nz as i64 {
            for y in -1..=ny as i64 {
                for x in -1..=nx as i64 {
                    for d in 0..3 {
                        let mut next = [z, y, x];
                        next[d] += 1;
                        if at([z, y, x]) != at(next) {
                            points.push(std::array::from_fn(|a| z_y_x(z, y, x)[a] + next[a]));
                        }
                    }
                }
            }
        }
        let mut found = Diameters { maximum: 0.0, slice: 0.0, column: 0.0, row: 0.0 };
        for p in &points {
            for q in &points {
                let p: &Point = p;
                let d: f64 = (0..3).map(|a| (0.5 * (p[a] - q[a]) as f64 * spacing[a]).powi(2)).sum::<f64>().sqrt();
                found.maximum = found.maximum.max(d);
                let planes = [&mut found.slice, &mut found.column, &mut found.row];
                for (a, best) in planes.into_iter().enumerate() {
                    if p[a] == q[a] {
                        *best = best.max(d);
                    }
                }
            }
        }
        found
    }

    fn z_y_x(z: i64, y: i64, x: i64) -> Point {
        [z, y, x]
    }

    proptest! {
        #[test]
        fn equals_the_search_over_all_pairs(bits in proptest::collection::vec(any::<bool>(), 60), density in 0..3usize) {
            let voxels: Vec<bool> = bits.iter().enumerate().map(|(i, b)| *b && i % (density + 1) == 0).collect();
            let inside = Array3::from_shape_vec((3, 4, 5), voxels).unwrap();
            let spacing = [2.5, 0.7, 1.1];
            prop_assert_eq!(diameters(&inside, spacing), simple(&inside, spacing));
        }
    }
}
