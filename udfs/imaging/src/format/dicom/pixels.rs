//! From pixel data to stored values.

use std::borrow::Cow;

use super::codecs::{self, Codec, check_syntax, codec};
use super::file::{DicomFile, Pixels};
use super::header::PixelFormat;
use crate::error::{ImageError, Result};
use crate::format::samples::Order;

/// The packed bytes of one frame.
pub(super) struct Frame<'a> {
    pub bytes: Cow<'a, [u8]>,
    /// Bytes of a pixel.
    pub width: usize,
    pub order: Order,
}

/// Calls `put` for every pixel of a frame, row by row, with its stored value.
pub(super) fn stored_values(
    file: &DicomFile,
    format: &PixelFormat,
    frame: usize,
    frames: usize,
    mut put: impl FnMut(usize, i64),
) -> Result<()> {
    let pixels = format.rows * format.columns;
    let packed = packed(file, format, frame, frames)?;
    if packed.bytes.len() < pixels * packed.width {
        let (expected, found) = ((pixels * packed.width) as u64, packed.bytes.len() as u64);
        return Err(ImageError::Truncated { path: file.path.clone(), expected, found });
    }
    let down = format.high + 1 - format.stored;
    let mask = u32::MAX >> (32 - format.stored);
    let sign = if format.signed { 1u32 << (format.stored - 1) } else { 0 };
    let value = |raw: u32| {
        let bits = (raw >> down) & mask;
        i64::from(bits) - if bits & sign != 0 { 1i64 << format.stored } else { 0 }
    };
    macro_rules! each {
        ($bytes:literal, $raw:expr) => {
            for (i, chunk) in packed.bytes.as_chunks::<$bytes>().0.iter().take(pixels).enumerate() {
                put(i, value($raw(*chunk)));
            }
        };
    }
    match (packed.width, packed.order) {
        (1, _) => each!(1, |[byte]: [u8; 1]| u32::from(byte)),
        (2, Order::Little) => each!(2, |bytes| u32::from(u16::from_le_bytes(bytes))),
        (2, Order::Big) => each!(2, |bytes| u32::from(u16::from_be_bytes(bytes))),
        (_, Order::Little) => each!(4, u32::from_le_bytes),
        (_, Order::Big) => each!(4, u32::from_be_bytes),
    }
    Ok(())
}

/// Calls `put` for every pixel of a frame of one-bit pixels. Frames follow each other bit by bit, lowest bit first.
pub(super) fn stored_bits(file: &DicomFile, format: &PixelFormat, frame: usize, mut put: impl FnMut(usize, bool)) -> Result<()> {
    let Pixels::Native(bytes) = &file.pixels else {
        return Err(ImageError::dicom(&file.path, "its one-bit pixels are compressed, which is not read; export it uncompressed"));
    };
    let pixels = format.rows * format.columns;
    let first = frame as u64 * pixels as u64;
    for i in 0..pixels {
        let bit = first + i as u64;
        let byte = bytes.get((bit / 8) as usize).ok_or_else(|| {
            let (expected, found) = ((first + pixels as u64).div_ceil(8), bytes.len() as u64);
            ImageError::Truncated { path: file.path.clone(), expected, found }
        })?;
        put(i, byte >> (bit % 8) & 1 == 1);
    }
    Ok(())
}

fn packed<'a>(file: &'a DicomFile, format: &PixelFormat, frame: usize, frames: usize) -> Result<Frame<'a>> {
    check_syntax(file)?;
    let (width, order) = (format.allocated as usize / 8, file.object.order());
    let fragments = match &file.pixels {
        Pixels::Native(bytes) => {
            let size = format.rows * format.columns * width;
            let start = frame.saturating_mul(size).min(bytes.len());
            let end = start.saturating_add(size).min(bytes.len());
            return Ok(Frame { bytes: Cow::Borrowed(&bytes[start..end]), width, order });
        }
        Pixels::Fragments(fragments) => fragments,
        Pixels::Absent | Pixels::Unread { .. } => return Err(ImageError::dicom(&file.path, "esccsql bug: its pixels were not read")),
    };
    let fragment = match (fragments.as_slice(), frames) {
        ([], _) => return Err(ImageError::dicom(&file.path, "it holds no pixels; export the images with their pixel data")),
        ([one], 1) => Cow::Borrowed(one.as_slice()),
        (many, 1) => Cow::Owned(many.concat()),
        (many, _) if many.len() == frames => Cow::Borrowed(many[frame].as_slice()),
        (many, _) => {
            let problem = format!("{frames} frames lie in {} fragments; export it with one fragment a frame, or uncompressed", many.len());
            return Err(ImageError::dicom(&file.path, problem));
        }
    };
    match codec(&file.syntax) {
        Some(Codec::Rle) => Ok(Frame { bytes: Cow::Owned(codecs::rle(file, format, &fragment)?), width, order: Order::Little }),
        Some(Codec::Jpeg) => codecs::jpeg(file, format, &fragment),
        Some(Codec::Jpeg2000) => codecs::jpeg2000(file, format, &fragment),
        _ => Ok(Frame { bytes: fragment, width, order }),
    }
}
