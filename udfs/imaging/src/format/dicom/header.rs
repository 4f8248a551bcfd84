//! What an image file says about its slices.
//!
//! A file holds one slice, or (enhanced CT, MR, PET; segmentations) one a frame, whose place stands in functional
//! groups (PS3.3 C.7.6.16): in the frame's own, or in those that all frames share.

use std::path::PathBuf;

use dicom_core::Tag;

use super::file::{DicomFile, Pixels};
use super::object::Object;
use super::tags;
use crate::error::{ImageError, Result};
use crate::volume::cross;

/// What a DICOM file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Slices with a place in the patient.
    Image,
    RtStruct,
    Seg,
    /// Anything else: plans, doses, reports, screenshots.
    Other,
}

/// Pixels of a file, as they are stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PixelFormat {
    pub rows: usize,
    pub columns: usize,
    /// 1, 8, 16 or 32.
    pub allocated: u32,
    pub stored: u32,
    pub high: u32,
    pub signed: bool,
}

/// One slice.
#[derive(Debug, Clone)]
pub(super) struct Slice {
    /// Which of the file's frames.
    pub frame: usize,
    /// Centre of the first pixel, LPS in mm.
    pub position: [f64; 3],
    /// Unit vectors along a row and along a column.
    pub along: [[f64; 3]; 2],
    /// Millimetres between pixels of a row, and of a column.
    pub spacing: [f64; 2],
    /// Millimetres from slice to slice, where the file says so.
    pub step: Option<f64>,
    /// `stored * slope + intercept`.
    pub rescale: (f64, f64),
}

/// An image file.
#[derive(Debug, Clone)]
pub(super) struct ImageFile {
    pub path: PathBuf,
    pub series: String,
    pub modality: Option<String>,
    pub frame_of_reference: Option<String>,
    pub pixels: PixelFormat,
    pub slices: Vec<Slice>,
}

const RT_STRUCTURE_SET: &str = "1.2.840.10008.5.1.4.1.1.481.3";
const SEGMENTATION: &str = "1.2.840.10008.5.1.4.1.1.66.4";
const LABEL_MAP_SEGMENTATION: &str = "1.2.840.10008.5.1.4.1.1.66.7";
const RT_DOSE: &str = "1.2.840.10008.5.1.4.1.1.481.2";

/// More than any scanner makes; a bound for a count that a header states.
const MAX_FRAMES: u32 = 1 << 20;

/// What a file is.
pub(super) fn kind(object: &Object) -> Kind {
    match object.uid(tags::SOP_CLASS_UID).as_deref() {
        Some(RT_STRUCTURE_SET) => Kind::RtStruct,
        Some(SEGMENTATION | LABEL_MAP_SEGMENTATION) => Kind::Seg,
        Some(RT_DOSE) => Kind::Other,
        _ => {
            let placed = object.numbers(tags::IMAGE_POSITION_PATIENT).is_some()
                || !object.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).is_empty();
            if placed && object.whole(tags::ROWS).is_some() { Kind::Image } else { Kind::Other }
        }
    }
}

/// The series that a file belongs to.
pub(super) fn series_of(file: &DicomFile) -> Result<String> {
    let uid = file.object.uid(tags::SERIES_INSTANCE_UID);
    uid.ok_or_else(|| ImageError::dicom(&file.path, "it does not name its series (SeriesInstanceUID is absent); export it again"))
}

/// A functional group's element for a frame: its own, or the one that all frames share.
pub(super) fn group(object: &Object, frame: usize, group: Tag) -> Option<&Object> {
    let own = object.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).get(frame);
    let shared = object.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).first();
    [own, shared].into_iter().flatten().find_map(|groups| groups.items(group).first())
}

impl PixelFormat {
    /// Reads and checks the pixel module. `expected` are the values of BitsAllocated that make sense.
    pub fn of(file: &DicomFile, expected: &[u32]) -> Result<PixelFormat> {
        let object = &file.object;
        let fail = |name: &str, found: Option<f64>, expected: &str| {
            let found = found.map_or("absent".to_string(), |v| v.to_string());
            ImageError::header(&file.path, name, found, expected)
        };
        let count = |tag: Tag, name: &str| {
            let found = object.whole(tag).filter(|n| (1..=65535).contains(n));
            found.ok_or_else(|| fail(name, object.number(tag), "1 to 65535"))
        };
        let (rows, columns) = (count(tags::ROWS, "Rows")?, count(tags::COLUMNS, "Columns")?);
        if object.whole(tags::SAMPLES_PER_PIXEL).unwrap_or(1) != 1 {
            return Err(fail("SamplesPerPixel", object.number(tags::SAMPLES_PER_PIXEL), "1 (a colour picture is no measurement)"));
        }
        let allocated = object.whole(tags::BITS_ALLOCATED).filter(|n| expected.contains(n));
        let allocated =
            allocated.ok_or_else(|| fail("BitsAllocated", object.number(tags::BITS_ALLOCATED), &format!("one of {expected:?}")))?;
        let stored = object.whole(tags::BITS_STORED).unwrap_or(allocated);
        let high = object.whole(tags::HIGH_BIT).unwrap_or(stored.saturating_sub(1));
        if !(1..=allocated).contains(&stored) || !(stored - 1..allocated).contains(&high) {
            let found = format!("BitsStored {stored} and HighBit {high}");
            return Err(ImageError::header(&file.path, "the pixels", found, format!("bits that lie in BitsAllocated {allocated}")));
        }
        let signed = object.whole(tags::PIXEL_REPRESENTATION) == Some(1);
        Ok(PixelFormat { rows: rows as usize, columns: columns as usize, allocated, stored, high, signed })
    }

    /// Bits of one frame.
    pub fn frame_bits(&self) -> u64 {
        self.rows as u64 * self.columns as u64 * u64::from(self.allocated)
    }
}

/// How many frames a file says it has; refused when its bytes cannot be so many.
pub(super) fn frames(file: &DicomFile, pixels: &PixelFormat) -> Result<usize> {
    let frames = file.object.whole(tags::NUMBER_OF_FRAMES).unwrap_or(1);
    if !(1..=MAX_FRAMES).contains(&frames) {
        return Err(ImageError::header(&file.path, "NumberOfFrames", frames, format!("1 to {MAX_FRAMES}")));
    }
    let expected = (u64::from(frames) * pixels.frame_bits()).div_ceil(8);
    let ceiling = match &file.pixels {
        Pixels::Absent => return Err(ImageError::dicom(&file.path, "it holds no pixels; export the images with their pixel data")),
        Pixels::Unread { encapsulated: false, bytes } => *bytes,
        Pixels::Unread { encapsulated: true, bytes } => bytes.saturating_mul(super::codecs::ratio(&file.syntax)),
        Pixels::Native(bytes) => bytes.len() as u64,
        Pixels::Fragments(fragments) => {
            fragments.iter().map(|f| f.len() as u64).sum::<u64>().saturating_mul(super::codecs::ratio(&file.syntax))
        }
    };
    if expected > ceiling {
        return Err(ImageError::Truncated { path: file.path.clone(), expected, found: ceiling });
    }
    Ok(frames as usize)
}

/// Where the frames of a file lie. Absent numbers are refused by name.
pub(super) fn slices(file: &DicomFile, frames: usize) -> Result<Vec<Slice>> {
    let object = &file.object;
    let absent = |name: &str| {
        let problem = format!("{name} is absent, empty or not a number; the slices have no place in the patient without it");
        ImageError::dicom(&file.path, problem)
    };
    let in_groups = object.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).len();
    if frames > 1 && in_groups != frames {
        let problem = format!(
            "it has {frames} frames and says of {in_groups} where they lie; only enhanced multi-frame images are read, export single slices"
        );
        return Err(ImageError::dicom(&file.path, problem));
    }
    (0..frames)
        .map(|frame| {
            let find = |sequence: Tag| group(object, frame, sequence).unwrap_or(object);
            let position = find(tags::PLANE_POSITION_SEQUENCE).vector::<3>(tags::IMAGE_POSITION_PATIENT);
            let cosines = find(tags::PLANE_ORIENTATION_SEQUENCE).vector::<6>(tags::IMAGE_ORIENTATION_PATIENT);
            let measures = find(tags::PIXEL_MEASURES_SEQUENCE);
            let values = find(tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE);
            let [dy, dx] = measures.vector::<2>(tags::PIXEL_SPACING).ok_or_else(|| absent("PixelSpacing"))?;
            if !(dx > 0.0 && dy > 0.0) {
                return Err(ImageError::header(&file.path, "PixelSpacing", format!("{dy}\\{dx}"), "two numbers above 0"));
            }
            let above_zero = |tag: Tag| measures.number(tag).or(object.number(tag)).filter(|v| *v > 0.0);
            let cosines = cosines.ok_or_else(|| absent("ImageOrientationPatient"))?;
            let slope = values.number(tags::RESCALE_SLOPE).unwrap_or(1.0);
            if slope == 0.0 {
                return Err(ImageError::header(&file.path, "RescaleSlope", slope, "a number other than 0"));
            }
            Ok(Slice {
                frame,
                position: position.ok_or_else(|| absent("ImagePositionPatient"))?,
                along: axes(cosines).ok_or_else(|| {
                    ImageError::header(&file.path, "ImageOrientationPatient", format!("{cosines:?}"), "two unit vectors at right angles")
                })?,
                spacing: [dx, dy],
                step: above_zero(tags::SPACING_BETWEEN_SLICES).or(above_zero(tags::SLICE_THICKNESS)),
                rescale: (slope, values.number(tags::RESCALE_INTERCEPT).unwrap_or(0.0)),
            })
        })
        .collect()
}

/// Two unit vectors at right angles from six direction cosines; cosines rounded to three digits pass.
fn axes(c: [f64; 6]) -> Option<[[f64; 3]; 2]> {
    const ROUNDED: f64 = 5e-3;
    let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    let unit = |v: [f64; 3]| {
        let norm = dot(v, v).sqrt();
        // -0.0 + 0.0 is 0.0: no minus signs on zeros.
        ((norm - 1.0).abs() < ROUNDED).then(|| v.map(|x| x / norm + 0.0))
    };
    let row = unit([c[0], c[1], c[2]])?;
    let column = unit([c[3], c[4], c[5]])?;
    let lean = dot(row, column);
    if lean.abs() > ROUNDED {
        return None;
    }
    let upright: [f64; 3] = std::array::from_fn(|a| column[a] - lean * row[a]);
    Some([row, unit(upright)?])
}

impl Slice {
    /// Unit vector across the slice.
    pub fn normal(&self) -> [f64; 3] {
        cross(self.along[0], self.along[1]).map(|x| x + 0.0)
    }
}

impl ImageFile {
    /// Reads and checks the header of a file whose kind is [`Kind::Image`].
    pub fn of(file: &DicomFile) -> Result<ImageFile> {
        let object = &file.object;
        if !object.items(tags::MODALITY_LUT_SEQUENCE).is_empty() {
            return Err(ImageError::dicom(
                &file.path,
                "its values go through a modality LUT, which is not read; export it with RescaleSlope",
            ));
        }
        let pixels = PixelFormat::of(file, &[8, 16, 32])?;
        let frames = frames(file, &pixels)?;
        Ok(ImageFile {
            path: file.path.clone(),
            series: series_of(file)?,
            modality: object.text(tags::MODALITY),
            frame_of_reference: object.uid(tags::FRAME_OF_REFERENCE_UID),
            pixels,
            slices: slices(file, frames)?,
        })
    }
}
