//! SEG: regions as frames of pixels (PS3.3 C.8.20), put onto the grid of the series that they belong to.
//!
//! Frames may leave out empty slices, show part of a slice and run along other axes of the same voxels; a frame whose
//! pixels fall between the series' voxels is refused. Of a fractional segmentation the voxels of at least half the
//! largest value count.

use ndarray::Array3;

use super::file::DicomFile;
use super::header::{PixelFormat, Slice, frames, group, slices};
use super::object::Object;
use super::{codecs, pixels, tags};
use crate::Geometry;
use crate::error::{ImageError, Result};

/// A segment of a SEG.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub number: u32,
    pub label: String,
}

/// What a frame's pixels mean.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Meaning {
    /// 1 is in the segment.
    Binary,
    /// From 0 to this.
    Fraction(u32),
    /// The number of the voxel's segment.
    Numbers,
}

/// What a SEG holds, but its pixels.
#[derive(Debug)]
pub(super) struct Segmentation {
    pub segments: Vec<Segment>,
    /// The series that it was made on.
    pub series: Vec<String>,
    pub frame_of_reference: Option<String>,
    meaning: Meaning,
    format: PixelFormat,
    slices: Vec<Slice>,
    /// Segment of each frame; without meaning for [`Meaning::Numbers`].
    of_frame: Vec<u32>,
}

/// Pixels may lie this part of a voxel beside the series' voxels.
const BESIDE: f64 = 0.02;

impl Segmentation {
    pub fn of(file: &DicomFile) -> Result<Segmentation> {
        let fail = |problem: String| ImageError::dicom(&file.path, problem);
        let object = &file.object;
        codecs::check_syntax(file)?;
        let kind = object.text(tags::SEGMENTATION_TYPE).unwrap_or_default();
        let meaning = match kind.as_str() {
            "BINARY" => Meaning::Binary,
            "FRACTIONAL" => Meaning::Fraction(object.whole(tags::MAXIMUM_FRACTIONAL_VALUE).unwrap_or(255)),
            "LABELMAP" => Meaning::Numbers,
            _ => return Err(ImageError::header(&file.path, "SegmentationType", format!("'{kind}'"), "BINARY, FRACTIONAL or LABELMAP")),
        };
        let allocated: &[u32] = match meaning {
            Meaning::Binary => &[1, 8],
            Meaning::Fraction(_) => &[8],
            Meaning::Numbers => &[8, 16],
        };
        let format = PixelFormat::of(file, allocated)?;
        let count = frames(file, &format)?;
        let of_frame = (0..count).map(|frame| match meaning {
            Meaning::Numbers => Ok(0),
            _ => {
                let segment = group(object, frame, tags::SEGMENT_IDENTIFICATION_SEQUENCE);
                let number = segment.and_then(|segment| segment.whole(tags::REFERENCED_SEGMENT_NUMBER));
                number.ok_or_else(|| fail(format!("frame {} does not say of which segment it is; export it again", frame + 1)))
            }
        });
        let segment = |item: &Object| {
            let number = item.whole(tags::SEGMENT_NUMBER).ok_or_else(|| fail("a segment has no number; export it again".into()))?;
            Ok(Segment { number, label: item.text(tags::SEGMENT_LABEL).unwrap_or_default() })
        };
        let mut segments = object.items(tags::SEGMENT_SEQUENCE).iter().map(segment).collect::<Result<Vec<_>>>()?;
        // A label map describes its background as well.
        segments.retain(|segment| segment.number != 0);
        Ok(Segmentation {
            segments,
            series: object.items(tags::REFERENCED_SERIES_SEQUENCE).iter().filter_map(|s| s.uid(tags::SERIES_INSTANCE_UID)).collect(),
            frame_of_reference: object.uid(tags::FRAME_OF_REFERENCE_UID),
            of_frame: of_frame.collect::<Result<_>>()?,
            slices: slices(file, count)?,
            meaning,
            format,
        })
    }

    /// The grid of the first frame alone.
    pub fn own_grid(&self) -> Geometry {
        let slice = &self.slices[0];
        let axes = [slice.along[0], slice.along[1], slice.normal()];
        Geometry {
            size: [self.format.columns, self.format.rows, 1],
            spacing: [slice.spacing[0], slice.spacing[1], slice.step.unwrap_or(1.0)],
            origin: slice.position,
            direction: std::array::from_fn(|row| std::array::from_fn(|axis| axes[axis][row])),
        }
    }

    /// Calls `put` with array index (z, y, x) and segment of every voxel of `grid` that is in a segment. The file has
    /// been read with its pixels.
    pub fn place(&self, file: &DicomFile, grid: &Geometry, mut put: impl FnMut([usize; 3], u32)) -> Result<()> {
        for (slice, &segment) in self.slices.iter().zip(&self.of_frame) {
            let at = Lattice::new(slice, &self.format, grid).map_err(|problem| {
                ImageError::dicom(
                    &file.path,
                    format!("frame {}: {problem}; give the series that it was made on, '{}#folder'", slice.frame + 1, file.path.display()),
                )
            })?;
            let columns = self.format.columns;
            let mut mark = |i: usize, segment: u32| put(at.voxel(i % columns, i / columns), segment);
            if self.format.allocated == 1 {
                pixels::stored_bits(file, &self.format, slice.frame, |i, inside| {
                    if inside {
                        mark(i, segment);
                    }
                })?;
            } else {
                pixels::stored_values(file, &self.format, slice.frame, self.slices.len(), |i, value| match self.meaning {
                    Meaning::Binary if value == 1 => mark(i, segment),
                    Meaning::Fraction(most) if value > 0 && 2 * value >= i64::from(most) => mark(i, segment),
                    Meaning::Numbers if value > 0 => mark(i, value as u32),
                    _ => {}
                })?;
            }
        }
        Ok(())
    }
}

/// Where a frame's pixels fall among a grid's voxels: whole steps along its axes.
struct Lattice {
    first: [i64; 3],
    along_row: [i64; 3],
    along_column: [i64; 3],
}

impl Lattice {
    fn new(slice: &Slice, format: &PixelFormat, grid: &Geometry) -> Result<Lattice, String> {
        let map = grid.map();
        let index = |column: usize, row: usize| {
            let [dx, dy] = slice.spacing;
            map.index(std::array::from_fn(|a| {
                slice.position[a] + slice.along[0][a] * dx * column as f64 + slice.along[1][a] * dy * row as f64
            }))
        };
        let (last_column, last_row) = (format.columns - 1, format.rows - 1);
        let corners = [index(0, 0), index(last_column, 0), index(0, last_row), index(last_column, last_row)];
        for corner in corners {
            for a in 0..3 {
                let voxel = corner[a].round();
                if (corner[a] - voxel).abs() > BESIDE {
                    return Err(format!(
                        "its pixels fall between the voxels of the series (index {:.3}, {:.3}, {:.3})",
                        corner[0], corner[1], corner[2]
                    ));
                }
                if !(voxel >= 0.0 && voxel < grid.size[a] as f64) {
                    return Err(format!("it lies outside the series (index {:.0}, {:.0}, {:.0})", corner[0], corner[1], corner[2]));
                }
            }
        }
        let first = corners[0].map(|v| v.round() as i64);
        let step = |corner: [f64; 3], steps: usize| -> Result<[i64; 3], String> {
            let mut by = [0; 3];
            for a in 0..3 {
                let whole = corner[a].round() as i64 - first[a];
                match steps as i64 {
                    0 => {}
                    steps if whole % steps == 0 => by[a] = whole / steps,
                    _ => return Err("its pixels are of another size than the series' voxels".into()),
                }
            }
            let unit = by.iter().map(|v| v.abs()).sum::<i64>();
            if steps > 0 && unit != 1 {
                return Err("its pixels are of another size than the series' voxels".into());
            }
            Ok(by)
        };
        let (along_row, along_column) = (step(corners[1], last_column)?, step(corners[2], last_row)?);
        // The corner across is where both steps lead; with it all pixels lie inside, for the grid is a box.
        let across: [i64; 3] = std::array::from_fn(|a| first[a] + along_row[a] * last_column as i64 + along_column[a] * last_row as i64);
        if across != corners[3].map(|v| v.round() as i64) {
            return Err("its pixels fall between the voxels of the series".into());
        }
        Ok(Lattice { first, along_row, along_column })
    }

    /// Array index (z, y, x) of a pixel.
    fn voxel(&self, column: usize, row: usize) -> [usize; 3] {
        let at = |a: usize| (self.first[a] + self.along_row[a] * column as i64 + self.along_column[a] * row as i64) as usize;
        [at(2), at(1), at(0)]
    }
}

/// A mask of one segment, or of all by their numbers.
pub(super) fn mask(file: &DicomFile, segmentation: &Segmentation, grid: &Geometry, chosen: Option<u32>) -> Result<Array3<u32>> {
    let mut out = Array3::zeros(grid.shape());
    let mut twice = None;
    segmentation.place(file, grid, |at, segment| match chosen {
        Some(chosen) if chosen == segment => out[at] = 1,
        Some(_) => {}
        None => {
            if out[at] != 0 && out[at] != segment {
                twice = Some((out[at], segment));
            }
            out[at] = segment;
        }
    })?;
    match twice {
        Some((a, b)) => {
            Err(ImageError::dicom(&file.path, format!("segments {a} and {b} overlap, so that one mask cannot hold all; choose one")))
        }
        None => Ok(out),
    }
}
