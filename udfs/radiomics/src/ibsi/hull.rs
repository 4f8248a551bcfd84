//! Volume and surface of the convex hull of points on a lattice.
//!
//! The hull grows point by point: the faces that see a point give way to the cone from the point to their border. Points
//! on a lattice often lie in one plane, so the decisions are taken on points moved by less than a thousandth of a step,
//! each by its own fixed amount, in exact integers; area and volume are those of the points where they are.

use std::collections::HashMap;

/// Steps of the fine lattice per step of the given one.
const FINE: i128 = 1 << 22;

/// (area, volume) of the hull of `points`, in units of `spacing`. Both 0 when the points do not span a space.
pub(super) fn hull(points: &[[i64; 3]], spacing: [f64; 3]) -> (f64, f64) {
    let moved: Vec<[i128; 3]> = points.iter().map(|p| moved(*p)).collect();
    let Some(mut faces) = tetrahedron(&moved) else { return (0.0, 0.0) };
    for p in 0..moved.len() {
        // A directed edge of a visible face whose twin is not visible belongs to the border.
        let mut edges: HashMap<(usize, usize), bool> = HashMap::new();
        let mut hidden = Vec::with_capacity(faces.len());
        let mut visible = Vec::new();
        for face in faces {
            if side(&moved, face, p) > 0 { visible.push(face) } else { hidden.push(face) }
        }
        for [a, b, c] in &visible {
            for edge in [(*a, *b), (*b, *c), (*c, *a)] {
                edges.insert(edge, true);
            }
        }
        for [a, b, c] in &visible {
            for (from, to) in [(*a, *b), (*b, *c), (*c, *a)] {
                if !edges.contains_key(&(to, from)) {
                    hidden.push([from, to, p]);
                }
            }
        }
        faces = hidden;
    }
    let at = |i: usize| -> [f64; 3] { std::array::from_fn(|d| points[i][d] as f64 * spacing[d]) };
    let (mut area, mut volume) = (0.0, 0.0);
    for [a, b, c] in faces {
        let (a, b, c) = (at(a), at(b), at(c));
        let (u, v): ([f64; 3], [f64; 3]) = (std::array::from_fn(|d| b[d] - a[d]), std::array::from_fn(|d| c[d] - a[d]));
        let normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
        area += 0.5 * normal.iter().map(|n| n * n).sum::<f64>().sqrt();
        volume += normal.iter().zip(a).map(|(n, a)| n * a).sum::<f64>() / 6.0;
    }
    (area, volume.abs())
}

/// The point on the fine lattice, off its place by up to 2^11 of 2^22 steps.
fn moved(p: [i64; 3]) -> [i128; 3] {
    std::array::from_fn(|d| {
        let mut h = (p[0] as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (p[1] as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
        h ^= (p[2] as u64).wrapping_mul(0x1656_67B1_9E37_79F9) ^ (d as u64 + 1).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        h = (h ^ (h >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        h = (h ^ (h >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        i128::from(p[d]) * FINE + i128::from((h >> 52) as i64 - 2048)
    })
}

/// Six times the signed volume of a face and a point: above 0 where the face sees the point.
fn side(points: &[[i128; 3]], [a, b, c]: [usize; 3], p: usize) -> i128 {
    let from = points[a];
    let [u, v, w] = [b, c, p].map(|i| -> [i128; 3] { std::array::from_fn(|d| points[i][d] - from[d]) });
    (u[1] * v[2] - u[2] * v[1]) * w[0] + (u[2] * v[0] - u[0] * v[2]) * w[1] + (u[0] * v[1] - u[1] * v[0]) * w[2]
}

/// Four faces, seen from outside counter-clockwise, around the first points that span a space.
fn tetrahedron(points: &[[i128; 3]]) -> Option<Vec<[usize; 3]>> {
    if points.len() < 4 {
        return None;
    }
    let apex = (3..points.len()).find(|p| side(points, [0, 1, 2], *p) != 0)?;
    let (a, b, c) = if side(points, [0, 1, 2], apex) < 0 { (0, 1, 2) } else { (0, 2, 1) };
    Some(vec![[a, b, c], [a, apex, b], [b, apex, c], [c, apex, a]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_full_of_points() {
        let points: Vec<[i64; 3]> = (0..6).flat_map(|z| (0..5).flat_map(move |y| (0..4).map(move |x| [z, y, x]))).collect();
        let (area, volume) = hull(&points, [1.0, 2.0, 3.0]);
        assert!((volume - 5.0 * 8.0 * 9.0).abs() < 1e-9, "{volume}");
        assert!((area - 2.0 * (5.0 * 8.0 + 5.0 * 9.0 + 8.0 * 9.0)).abs() < 0.05, "{area}");
    }

    #[test]
    fn an_octahedron() {
        let points = [[-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1], [0, 0, 0]];
        let (area, volume) = hull(&points, [1.0; 3]);
        assert!((volume - 4.0 / 3.0).abs() < 1e-12 && (area - 4.0 * 3.0_f64.sqrt()).abs() < 1e-12, "{area} {volume}");
    }

    #[test]
    fn too_few_points_have_no_volume() {
        assert_eq!(hull(&[[0, 0, 0], [1, 0, 0], [0, 1, 0]], [1.0; 3]), (0.0, 0.0));
    }
}
