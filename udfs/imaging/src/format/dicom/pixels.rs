//! From pixel data to stored values: native, RLE and JPEG (baseline, lossless).

use std::borrow::Cow;

use jpeg_decoder::{Decoder, PixelFormat as JpegFormat};

use super::file::{DicomFile, Pixels};
use super::header::PixelFormat;
use crate::error::{ImageError, Result};
use crate::format::samples::Order;

/// How the frames of a transfer syntax are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    Native,
    Rle,
    Jpeg,
}

fn codec(syntax: &str) -> Option<Codec> {
    Some(match syntax {
        "1.2.840.10008.1.2" | "1.2.840.10008.1.2.1" | "1.2.840.10008.1.2.1.99" | "1.2.840.10008.1.2.2" | "1.2.840.10008.1.2.1.98" => {
            Codec::Native
        }
        "1.2.840.10008.1.2.5" => Codec::Rle,
        "1.2.840.10008.1.2.4.50" | "1.2.840.10008.1.2.4.51" | "1.2.840.10008.1.2.4.57" | "1.2.840.10008.1.2.4.70" => Codec::Jpeg,
        _ => return None,
    })
}

/// The most bytes that one byte of a compressed frame can become: RLE repeats a byte 128 times in two bytes; a JPEG
/// block of 64 samples takes at least a bit.
pub(super) fn ratio(syntax: &str) -> u64 {
    match codec(syntax) {
        Some(Codec::Rle) => 64,
        Some(Codec::Jpeg) => 1024,
        Some(Codec::Native) | None => 1,
    }
}

/// Refuses transfer syntaxes that no decoder here reads.
pub(super) fn check_syntax(file: &DicomFile) -> Result<()> {
    if codec(&file.syntax).is_some() {
        return Ok(());
    }
    let name = match file.syntax.as_str() {
        "1.2.840.10008.1.2.4.80" | "1.2.840.10008.1.2.4.81" => "JPEG-LS",
        "1.2.840.10008.1.2.4.90" | "1.2.840.10008.1.2.4.91" => "JPEG 2000",
        "1.2.840.10008.1.2.4.201" | "1.2.840.10008.1.2.4.202" | "1.2.840.10008.1.2.4.203" => "High-Throughput JPEG 2000",
        "1.2.840.10008.1.2.4.110" | "1.2.840.10008.1.2.4.111" | "1.2.840.10008.1.2.4.112" => "JPEG XL",
        other => other,
    };
    let problem = format!(
        "its pixels are compressed as {name}, which is not read; decompress the files first, for instance with 'gdcmconv --raw in.dcm out.dcm' \
         (uncompressed, deflated, RLE, JPEG baseline and JPEG lossless are read)"
    );
    Err(ImageError::dicom(&file.path, problem))
}

/// The packed bytes of one frame.
struct Frame<'a> {
    bytes: Cow<'a, [u8]>,
    /// Bytes of a pixel.
    width: usize,
    order: Order,
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
        Some(Codec::Rle) => Ok(Frame { bytes: Cow::Owned(rle(file, format, &fragment)?), width, order: Order::Little }),
        Some(Codec::Jpeg) => jpeg(file, format, &fragment),
        _ => Ok(Frame { bytes: fragment, width, order }),
    }
}

/// PackBits planes of bytes, the highest byte of every pixel first (PS3.5 G).
fn rle(file: &DicomFile, format: &PixelFormat, bytes: &[u8]) -> Result<Vec<u8>> {
    let fail = |problem: &str| ImageError::dicom(&file.path, format!("its RLE pixels are damaged: {problem}; export it again"));
    let word = |i: usize| bytes.get(4 * i..4 * i + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize);
    let (pixels, width) = (format.rows * format.columns, format.allocated as usize / 8);
    if word(0) != Some(width) {
        return Err(fail(&format!("{:?} planes for {width} bytes a pixel", word(0))));
    }
    if pixels * width > bytes.len().saturating_mul(64) {
        return Err(fail("too few bytes for its rows and columns"));
    }
    let mut out = vec![0; pixels * width];
    for plane in 0..width {
        let start = word(1 + plane).ok_or_else(|| fail("its header is cut"))?;
        let mut rest = bytes.get(start..).ok_or_else(|| fail("a plane begins beyond its end"))?;
        let mut done = 0;
        while done < pixels {
            let (&control, after) = rest.split_first().ok_or_else(|| fail("a plane is cut"))?;
            let run = match control {
                0..=127 => {
                    let (literal, after) = after.split_at_checked(usize::from(control) + 1).ok_or_else(|| fail("a plane is cut"))?;
                    rest = after;
                    Cow::Borrowed(literal)
                }
                128 => {
                    rest = after;
                    continue;
                }
                129..=255 => {
                    let (&byte, after) = after.split_first().ok_or_else(|| fail("a plane is cut"))?;
                    rest = after;
                    Cow::Owned(vec![byte; 257 - usize::from(control)])
                }
            };
            // A run may go on into padding.
            for &byte in run.iter().take(pixels - done) {
                out[done * width + width - 1 - plane] = byte;
                done += 1;
            }
        }
    }
    Ok(out)
}

/// A JPEG of one component whose size is the header's.
fn jpeg<'a>(file: &DicomFile, format: &PixelFormat, bytes: &[u8]) -> Result<Frame<'a>> {
    let fail = |problem: String| {
        ImageError::dicom(
            &file.path,
            format!("its JPEG pixels cannot be read: {problem}; decompress it first, for instance with gdcmconv --raw"),
        )
    };
    let mut decoder = Decoder::new(bytes);
    decoder.read_info().map_err(|e| fail(e.to_string()))?;
    let info = decoder.info().ok_or_else(|| fail("there is no frame in them".into()))?;
    if (usize::from(info.height), usize::from(info.width)) != (format.rows, format.columns) {
        return Err(fail(format!("they are {} x {}, the header says {} x {}", info.height, info.width, format.rows, format.columns)));
    }
    let width = match info.pixel_format {
        JpegFormat::L8 => 1,
        JpegFormat::L16 => 2,
        JpegFormat::RGB24 | JpegFormat::CMYK32 => return Err(fail("they are in colour".into())),
    };
    if width * 8 > format.allocated as usize {
        return Err(fail(format!("they have more than BitsAllocated {}", format.allocated)));
    }
    let pixels = format.rows * format.columns;
    if pixels > bytes.len().saturating_mul(512) {
        return Err(fail("too few bytes for their rows and columns".into()));
    }
    decoder.set_max_decoding_buffer_size(pixels * width);
    let bytes = decoder.decode().map_err(|e| fail(e.to_string()))?;
    // The decoder gives 16-bit samples in the machine's order.
    let order = if cfg!(target_endian = "big") { Order::Big } else { Order::Little };
    Ok(Frame { bytes: Cow::Owned(bytes), width, order })
}
