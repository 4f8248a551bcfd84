//! RTSTRUCT: regions as contours in the planes of a series (PS3.3 C.8.8).
//!
//! A voxel is in the region when its centre lies inside an odd number of the contours of its slice (even-odd rule, so
//! that a contour within another is a hole). A contour belongs to the slice nearest to its plane.

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::{Array3, ArrayViewMut2, Axis};

use super::file::DicomFile;
use super::object::Object;
use super::tags;
use crate::Geometry;
use crate::error::{ImageError, Result};

/// A region of an RTSTRUCT.
#[derive(Debug)]
pub(super) struct Region {
    pub number: u32,
    pub name: String,
    /// The region's contours, when it has any.
    contours: Vec<Contour>,
}

#[derive(Debug)]
struct Contour {
    kind: String,
    /// x, y, z in mm (LPS).
    points: Vec<[f64; 3]>,
}

/// What an RTSTRUCT holds.
#[derive(Debug)]
pub(super) struct StructureSet {
    pub regions: Vec<Region>,
    /// The series that the contours were drawn on.
    pub series: Vec<String>,
    pub frame_of_reference: Option<String>,
}

/// A contour may leave its slice by this part of the distance to the next.
const OFF_PLANE: f64 = 0.5;
/// Contours of one slice lie within this part of the distance to the next.
const ONE_PLANE: f64 = 0.1;

impl StructureSet {
    pub fn of(file: &DicomFile) -> Result<StructureSet> {
        let fail = |problem: String| ImageError::dicom(&file.path, problem);
        let object = &file.object;
        let mut contours: BTreeMap<u32, Vec<Contour>> = BTreeMap::new();
        for item in object.items(tags::ROI_CONTOUR_SEQUENCE) {
            let Some(number) = item.whole(tags::REFERENCED_ROI_NUMBER) else { continue };
            let read = item.items(tags::CONTOUR_SEQUENCE).iter().map(contour).collect::<Result<Vec<_>, _>>();
            contours.entry(number).or_default().extend(read.map_err(|what| fail(format!("a contour of region {number}: {what}")))?);
        }
        let mut regions = Vec::new();
        for item in object.items(tags::STRUCTURE_SET_ROI_SEQUENCE) {
            let number = item.whole(tags::ROI_NUMBER).ok_or_else(|| fail("a region has no number (ROINumber); export it again".into()))?;
            let name = item.text(tags::ROI_NAME).unwrap_or_default();
            regions.push(Region { number, name, contours: contours.remove(&number).unwrap_or_default() });
        }
        let frames = object.items(tags::REFERENCED_FRAME_OF_REFERENCE_SEQUENCE);
        let studies = frames.iter().flat_map(|frame| frame.items(tags::RT_REFERENCED_STUDY_SEQUENCE));
        let series = studies.flat_map(|study| study.items(tags::RT_REFERENCED_SERIES_SEQUENCE));
        Ok(StructureSet {
            regions,
            series: series.filter_map(|series| series.uid(tags::SERIES_INSTANCE_UID)).collect(),
            frame_of_reference: frames.iter().find_map(|frame| frame.uid(tags::FRAME_OF_REFERENCE_UID)),
        })
    }
}

impl Contour {
    /// CLOSED_PLANAR or CLOSEDPLANAR_XOR, which the even-odd rule treats alike.
    fn closed(&self) -> bool {
        self.kind.starts_with("CLOSED")
    }
}

fn contour(item: &Object) -> Result<Contour, String> {
    let written = item.bytes(tags::CONTOUR_DATA).is_some_and(|bytes| !bytes.trim_ascii().is_empty());
    let values = match item.numbers(tags::CONTOUR_DATA) {
        Some(values) => values,
        None if written => return Err("its points are no finite numbers; export it again".into()),
        None => Vec::new(),
    };
    if !values.len().is_multiple_of(3) {
        return Err(format!("{} numbers, which are no points of three; export it again", values.len()));
    }
    let points = values.chunks_exact(3).map(|p| [p[0], p[1], p[2]]).collect();
    Ok(Contour { kind: item.text(tags::CONTOUR_GEOMETRIC_TYPE).unwrap_or_default(), points })
}

impl Region {
    /// Whether anything is drawn that can hold voxels.
    pub fn encloses(&self) -> bool {
        self.contours.iter().any(|contour| contour.closed() && !contour.points.is_empty())
    }

    /// The voxels of a grid that lie in the region. `path` is for messages.
    pub fn rasterise(&self, grid: &Geometry, path: &Path) -> Result<Array3<bool>> {
        let fail = |problem: String| ImageError::dicom(path, format!("region '{}': {problem}", self.name));
        let drawn: Vec<&Contour> = self.contours.iter().filter(|c| !c.points.is_empty()).collect();
        if drawn.is_empty() {
            return Err(fail("it has no contours; choose another region".into()));
        }
        let map = grid.map();
        let mut out = Array3::from_elem(grid.shape(), false);
        // Where the contours of each slice lie, for one slice must not take two planes.
        let mut planes: BTreeMap<usize, f64> = BTreeMap::new();
        for contour in drawn {
            if !contour.closed() {
                return Err(fail(format!(
                    "it is drawn as {}, which encloses no voxels; only closed planar contours are read",
                    contour.kind
                )));
            }
            let points: Vec<[f64; 3]> = contour.points.iter().map(|point| map.index(*point)).collect();
            let (low, high) = points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), p| (l.min(p[2]), h.max(p[2])));
            let middle = (low + high) / 2.0;
            if high - low > OFF_PLANE {
                return Err(fail(format!(
                    "a contour runs through {:.1} slices: it was drawn across the slices of this series; give the series that it was drawn on, '{}#folder'",
                    high - low,
                    path.display()
                )));
            }
            let slice = middle.round();
            if !(slice >= 0.0 && slice < grid.size[2] as f64) {
                let z = contour.points[0][2];
                return Err(fail(format!(
                    "a contour (at z = {z} mm) lies outside the series, which may be cut; give the whole series, '{}#folder'",
                    path.display()
                )));
            }
            let slice = slice as usize;
            let plane = *planes.entry(slice).or_insert(middle);
            if (plane - middle).abs() > ONE_PLANE {
                return Err(fail(format!(
                    "two planes of contours fall on slice {}: they were drawn on a finer series; give it, '{}#folder'",
                    slice + 1,
                    path.display()
                )));
            }
            toggle(&points, out.index_axis_mut(Axis(0), slice));
        }
        Ok(out)
    }
}

/// Turns over the voxels of a slice whose centre lies inside a polygon of index coordinates.
fn toggle(points: &[[f64; 3]], mut slice: ArrayViewMut2<bool>) {
    let mut crossings = Vec::new();
    for (y, mut row) in slice.outer_iter_mut().enumerate() {
        let y = y as f64;
        crossings.clear();
        let mut from = points[points.len() - 1];
        for &to in points {
            // An edge counts with its lower end and without its upper one: a corner on the row counts once.
            if (from[1] > y) != (to[1] > y) {
                crossings.push(from[0] + (y - from[1]) / (to[1] - from[1]) * (to[0] - from[0]));
            }
            from = to;
        }
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            // Centres in [enter, leave).
            let first = pair[0].ceil().max(0.0) as usize;
            let end = pair[1].ceil().clamp(0.0, row.len() as f64) as usize;
            for x in first..end {
                row[x] = !row[x];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn drawn(points: &[[f64; 2]]) -> Array2<bool> {
        let mut slice = Array2::from_elem((6, 8), false);
        toggle(&points.iter().map(|p| [p[0], p[1], 0.0]).collect::<Vec<_>>(), slice.view_mut());
        slice
    }

    #[test]
    fn centres_inside_count_and_neighbours_share_an_edge_without_overlap() {
        let left = drawn(&[[1.0, 1.0], [4.0, 1.0], [4.0, 4.0], [1.0, 4.0]]);
        let right = drawn(&[[4.0, 1.0], [6.0, 1.0], [6.0, 4.0], [4.0, 4.0]]);
        assert_eq!(left.iter().filter(|v| **v).count(), 9);
        assert_eq!(right.iter().filter(|v| **v).count(), 6);
        assert!(left.iter().zip(&right).all(|(a, b)| !(a & b)));
        assert!(left[[1, 1]] && !left[[1, 4]] && right[[1, 4]] && !left[[4, 1]]);
    }

    #[test]
    fn any_polygon_agrees_with_the_crossing_number_of_every_centre() {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as f64 / (1u64 << 31) as f64
        };
        for corners in 3..30 {
            let points: Vec<[f64; 2]> = (0..corners).map(|_| [next() * 10.0 - 1.0, next() * 8.0 - 1.0]).collect();
            let slice = drawn(&points);
            for ((y, x), inside) in slice.indexed_iter() {
                let (x, y) = (x as f64, y as f64);
                let mut odd = false;
                for i in 0..points.len() {
                    let (a, b) = (points[i], points[(i + 1) % points.len()]);
                    if (a[1] > y) != (b[1] > y) && x < a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]) {
                        odd = !odd;
                    }
                }
                assert_eq!(*inside, odd, "{points:?} at {x}, {y}");
            }
        }
    }

    #[test]
    fn a_polygon_beyond_the_slice_is_cut() {
        assert!(drawn(&[[-90.0, -90.0], [90.0, -90.0], [90.0, 90.0], [-90.0, 90.0]]).iter().all(|v| *v));
        assert!(drawn(&[[20.0, 20.0], [90.0, 20.0], [90.0, 90.0]]).iter().all(|v| !*v));
    }
}
