//! Operations on masks. A voxel other than 0 is in the mask; one that is not a number is outside.

use std::path::Path;

use ndarray::{Array3, s};

use crate::error::{ImageError, Result};
use crate::ops::{GEOMETRY_TOLERANCE, same_grid};
use crate::volume::with_voxels;
use crate::{Region, Volume, Voxels, labels};

/// How far a mask shrinks or grows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reach {
    /// Steps to one of the six face neighbours: the structuring element |x| + |y| + |z| <= n.
    Voxels(u32),
    /// Distance between voxel centres: a ball of this radius in mm, whatever the spacing.
    Millimetres(f64),
}

/// Is a voxel of this value in the mask?
pub fn is_inside(voxel: f64) -> bool {
    voxel.abs() > 0.0
}

/// The mask as 0 and 1.
pub fn binary(mask: &Volume) -> Volume {
    let voxels = with_voxels!(&mask.voxels, a => a.mapv(|v| u8::from(is_inside(v as f64))));
    Volume { geometry: mask.geometry.clone(), voxels: Voxels::U8(voxels) }
}

/// One label of a mask as 0 and 1. Values are read as PyRadiomics reads them, cut to unsigned integers.
/// `path` is for the message.
pub fn select_label(mask: &Volume, label: u32, path: &Path) -> Result<Volume> {
    let voxels = with_voxels!(&mask.voxels, a => a.mapv(|v| u8::from(v as u32 == label)));
    if label == 0 || !voxels.iter().any(|v| *v == 1) {
        let present = labels(mask);
        let shown: Vec<String> = present.iter().take(10).map(u32::to_string).collect();
        let present = match present.len() {
            0 => "no label but 0, the background".into(),
            1..=10 => shown.join(", "),
            n => format!("{n} labels: {}, ...", shown.join(", ")),
        };
        return Err(ImageError::LabelAbsent { path: path.into(), label, present });
    }
    Ok(Volume { geometry: mask.geometry.clone(), voxels: Voxels::U8(voxels) })
}

/// Voxels in the mask.
pub fn voxels(mask: &Volume) -> usize {
    with_voxels!(&mask.voxels, a => a.iter().filter(|v| is_inside(**v as f64)).count())
}

/// Volume of the mask in mm3: voxels times the volume of one.
pub fn volume_mm3(mask: &Volume) -> f64 {
    voxels(mask) as f64 * mask.geometry.voxel_volume()
}

/// Dice coefficient 2 |A and B| / (|A| + |B|) of two masks on one grid (Dice, Ecology 1945;26:297).
pub fn dice(a: &Volume, b: &Volume) -> Result<f64> {
    same_grid("the two masks", &a.geometry, &b.geometry, GEOMETRY_TOLERANCE)?;
    let (a, b) = (binary(a), binary(b));
    let (Voxels::U8(a), Voxels::U8(b)) = (&a.voxels, &b.voxels) else {
        return Err(ImageError::Operation("esccsql bug: a binary mask is not uint8".into()));
    };
    let (mut both, mut sum) = (0u64, 0u64);
    for (a, b) in a.iter().zip(b) {
        both += u64::from(a & b);
        sum += u64::from(a + b);
    }
    if sum == 0 {
        return Err(ImageError::EmptyMask("both masks are, so that Dice is 0/0".into()));
    }
    Ok(2.0 * both as f64 / sum as f64)
}

/// The mask without its rim: a voxel stays when everything within reach lies in the mask. Beyond the image there is no mask.
pub fn erode(mask: &Volume, reach: Reach) -> Result<Volume> {
    morph(mask, reach, true)
}

/// The mask and everything within reach of it, as far as the image goes.
pub fn dilate(mask: &Volume, reach: Reach) -> Result<Volume> {
    morph(mask, reach, false)
}

/// Stamps the structuring element on the voxels at the border. The voxel of the other side that is nearest to a voxel
/// always has a face neighbour on its side, so the border is all that counts.
fn morph(mask: &Volume, reach: Reach, shrink: bool) -> Result<Volume> {
    let mut out = binary(mask);
    let Some(region) = Region::of_label(&out.voxels, 1) else { return Ok(out) };
    let offsets = element(reach, mask.geometry.spacing, mask.geometry.size)?;
    let margin: [usize; 3] = std::array::from_fn(|a| offsets.iter().map(|o| o[a].unsigned_abs()).max().unwrap_or(0) + 1);
    let (nz, ny, nx) = region.inside.dim();
    let mut before = Array3::from_elem((nz + 2 * margin[0], ny + 2 * margin[1], nx + 2 * margin[2]), false);
    let core = s![margin[0]..margin[0] + nz, margin[1]..margin[1] + ny, margin[2]..margin[2] + nx];
    before.slice_mut(core).assign(&region.inside);
    let mut after = before.clone();
    let (dz, dy, dx) = before.dim();
    let dims = [dz, dy, dx];
    let shifted = |at: [usize; 3], by: [isize; 3]| -> Option<[usize; 3]> {
        let mut to = [0; 3];
        for a in 0..3 {
            to[a] = at[a].checked_add_signed(by[a]).filter(|i| *i < dims[a])?;
        }
        Some(to)
    };
    const FACES: [[isize; 3]; 6] = [[-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1]];
    for ((z, y, x), inside) in before.indexed_iter() {
        // Erosion stamps background, dilation the mask.
        let at = [z, y, x];
        if *inside == shrink || !FACES.iter().filter_map(|f| shifted(at, *f)).any(|n| before[n] == shrink) {
            continue;
        }
        for to in offsets.iter().filter_map(|o| shifted(at, *o)) {
            after[to] = !shrink;
        }
    }
    if let Voxels::U8(voxels) = &mut out.voxels {
        let limits = voxels.dim();
        for ((z, y, x), inside) in after.indexed_iter() {
            let place = [(z, 0), (y, 1), (x, 2)].map(|(i, a)| (i + region.lower[a]).checked_sub(margin[a]));
            if let [Some(z), Some(y), Some(x)] = place
                && z < limits.0
                && y < limits.1
                && x < limits.2
            {
                voxels[[z, y, x]] = u8::from(*inside);
            }
        }
    }
    Ok(out)
}

/// Voxels in the box around the largest structuring element.
const MAX_ELEMENT: u128 = 1 << 26;

/// Offsets (z, y, x) of a structuring element, cut to what fits in the image.
fn element(reach: Reach, spacing: [f64; 3], size: [usize; 3]) -> Result<Vec<[isize; 3]>> {
    let limits: [isize; 3] = match reach {
        Reach::Voxels(n) => size.map(|s| (n as usize).min(s) as isize),
        Reach::Millimetres(r) if r.is_finite() && r >= 0.0 => {
            std::array::from_fn(|a| ((r / spacing[a]).floor() as usize).min(size[a]) as isize)
        }
        Reach::Millimetres(r) => {
            return Err(ImageError::Operation(format!("a radius of {r} mm: expected a finite number, 0 or more")));
        }
    };
    let boxed: u128 = limits.iter().map(|l| 2 * l.unsigned_abs() as u128 + 1).product();
    if boxed > MAX_ELEMENT {
        return Err(ImageError::Operation(format!("{reach:?} is too far: the structuring element would have {boxed} voxels")));
    }
    let inside = |z: isize, y: isize, x: isize| match reach {
        Reach::Voxels(n) => (x.unsigned_abs() + y.unsigned_abs() + z.unsigned_abs()) <= n as usize,
        Reach::Millimetres(r) => {
            let d = [x as f64 * spacing[0], y as f64 * spacing[1], z as f64 * spacing[2]];
            d.iter().map(|v| v * v).sum::<f64>() <= r * r
        }
    };
    let mut offsets = Vec::new();
    for z in -limits[2]..=limits[2] {
        for y in -limits[1]..=limits[1] {
            offsets.extend((-limits[0]..=limits[0]).filter(|x| inside(z, y, *x)).map(|x| [z, y, x]));
        }
    }
    Ok(offsets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Geometry;

    fn mask(size: [usize; 3], spacing: [f64; 3], inside: impl Fn(usize, usize, usize) -> bool) -> Volume {
        let geometry = Geometry { spacing, ..Geometry::identity(size) };
        let voxels = Array3::from_shape_fn(geometry.shape(), |(z, y, x)| u8::from(inside(x, y, z)));
        Volume { geometry, voxels: Voxels::U8(voxels) }
    }

    fn at(volume: &Volume, x: usize, y: usize, z: usize) -> bool {
        matches!(&volume.voxels, Voxels::U8(a) if a[[z, y, x]] == 1)
    }

    /// The definition, voxel by voxel.
    fn slow(volume: &Volume, reach: Reach, shrink: bool) -> Volume {
        let [nx, ny, nz] = volume.geometry.size.map(|n| n as isize);
        let offsets = element(reach, volume.geometry.spacing, [100; 3]).unwrap();
        mask(volume.geometry.size, volume.geometry.spacing, |x, y, z| {
            let mut found = offsets.iter().map(|o| {
                let (x, y, z) = (x as isize + o[2], y as isize + o[1], z as isize + o[0]);
                let within = (0..nx).contains(&x) && (0..ny).contains(&y) && (0..nz).contains(&z);
                within && at(volume, x as usize, y as usize, z as usize)
            });
            if shrink { found.all(|v| v) } else { found.any(|v| v) }
        })
    }

    #[test]
    fn growing_and_shrinking_follow_the_definition() {
        let blob = |x: usize, y: usize, z: usize| (x * 7 + y * 3 + z * 5) % 11 < 8 && x > 0 && (x, y, z) != (5, 5, 5);
        for spacing in [[1.0, 1.0, 1.0], [0.7, 1.3, 3.0]] {
            let volume = mask([11, 10, 9], spacing, blob);
            let few = mask([11, 10, 9], spacing, |x, y, z| (x, y, z) == (3, 4, 4) || (x, y, z) == (10, 9, 8));
            for reach in [0, 1, 2, 5].map(Reach::Voxels).into_iter().chain([0.0, 0.9, 2.0, 3.5, 6.1].map(Reach::Millimetres)) {
                for v in [&volume, &few] {
                    assert_eq!(erode(v, reach).unwrap(), slow(v, reach, true), "erode {reach:?} {spacing:?}");
                    assert_eq!(dilate(v, reach).unwrap(), slow(v, reach, false), "dilate {reach:?} {spacing:?}");
                }
            }
        }
        assert!(erode(&mask([2, 2, 2], [1.0; 3], |_, _, _| true), Reach::Millimetres(-1.0)).is_err());
        let all = dilate(&mask([3, 3, 3], [1.0; 3], |x, _, _| x == 0), Reach::Voxels(u32::MAX)).unwrap();
        assert_eq!(voxels(&all), 27);
    }

    #[test]
    fn labels_are_selected_and_missing_ones_listed() {
        let mut volume = mask([3, 1, 1], [1.0, 2.0, 3.0], |_, _, _| false);
        volume.voxels = Voxels::F32(Array3::from_shape_vec((1, 1, 3), vec![0.0, 2.0, 5.9]).unwrap());
        let one = select_label(&volume, 5, Path::new("m.nii")).unwrap();
        assert!(at(&one, 2, 0, 0) && !at(&one, 1, 0, 0));
        assert_eq!(volume_mm3(&one), 6.0);
        assert_eq!(volume_mm3(&volume), 12.0);
        let message = select_label(&volume, 3, Path::new("m.nii")).unwrap_err().to_string();
        assert!(message.contains("m.nii") && message.contains("label 3") && message.contains("2, 5"), "{message}");
    }

    #[test]
    fn what_is_no_number_is_outside() {
        let mut volume = mask([3, 1, 1], [1.0; 3], |_, _, _| false);
        volume.voxels = Voxels::F32(Array3::from_shape_vec((1, 1, 3), vec![f32::NAN, 1.0, -1.0]).unwrap());
        assert_eq!(voxels(&volume), 2);
        assert_eq!(dice(&volume, &mask([3, 1, 1], [1.0; 3], |x, _, _| x > 0)).unwrap(), 1.0);
    }

    #[test]
    fn dice_counts_what_is_shared() {
        let a = mask([4, 1, 1], [1.0; 3], |x, _, _| x < 3);
        let b = mask([4, 1, 1], [1.0; 3], |x, _, _| x == 2);
        assert_eq!(dice(&a, &b).unwrap(), 0.5);
        assert_eq!(dice(&a, &a).unwrap(), 1.0);
        let empty = mask([4, 1, 1], [1.0; 3], |_, _, _| false);
        assert_eq!(dice(&a, &empty).unwrap(), 0.0);
        assert!(dice(&empty, &empty).is_err());
        let other = mask([4, 1, 1], [2.0, 1.0, 1.0], |_, _, _| true);
        assert!(dice(&a, &other).unwrap_err().to_string().contains("spacing"));
    }
}
