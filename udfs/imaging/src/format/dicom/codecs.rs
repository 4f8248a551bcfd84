//! Compressed frames: RLE, JPEG (baseline, lossless) and JPEG 2000, all by decoders in Rust alone.

use std::borrow::Cow;

use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};
use jpeg_decoder::{Decoder, PixelFormat as JpegFormat};

use super::file::DicomFile;
use super::header::PixelFormat;
use super::pixels::Frame;
use crate::error::{ImageError, Result};
use crate::format::samples::Order;

/// How the frames of a transfer syntax are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Native,
    Rle,
    Jpeg,
    Jpeg2000,
}

pub(super) fn codec(syntax: &str) -> Option<Codec> {
    Some(match syntax {
        "1.2.840.10008.1.2" | "1.2.840.10008.1.2.1" | "1.2.840.10008.1.2.1.99" | "1.2.840.10008.1.2.2" | "1.2.840.10008.1.2.1.98" => {
            Codec::Native
        }
        "1.2.840.10008.1.2.5" => Codec::Rle,
        "1.2.840.10008.1.2.4.50" | "1.2.840.10008.1.2.4.51" | "1.2.840.10008.1.2.4.57" | "1.2.840.10008.1.2.4.70" => Codec::Jpeg,
        "1.2.840.10008.1.2.4.90" | "1.2.840.10008.1.2.4.91" => Codec::Jpeg2000,
        _ => return None,
    })
}

/// The most bytes that one byte of a compressed frame can become: RLE repeats a byte 128 times in two bytes; a JPEG
/// block of 64 samples takes at least a bit; JPEG 2000 has no bound, and a slice of 512 x 512 equal pixels takes 130 bytes.
pub(super) fn ratio(syntax: &str) -> u64 {
    match codec(syntax) {
        Some(Codec::Rle) => 64,
        Some(Codec::Jpeg) => 1024,
        Some(Codec::Jpeg2000) => 4096,
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
        "1.2.840.10008.1.2.4.201" | "1.2.840.10008.1.2.4.202" | "1.2.840.10008.1.2.4.203" => "High-Throughput JPEG 2000",
        "1.2.840.10008.1.2.4.110" | "1.2.840.10008.1.2.4.111" | "1.2.840.10008.1.2.4.112" => "JPEG XL",
        other => other,
    };
    let problem = format!(
        "its pixels are compressed as {name}, which is not read; decompress the files first, for instance with 'gdcmconv --raw in.dcm out.dcm' \
         (uncompressed, deflated, RLE, JPEG baseline, JPEG lossless and JPEG 2000 are read)"
    );
    Err(ImageError::dicom(&file.path, problem))
}

/// PackBits planes of bytes, the highest byte of every pixel first (PS3.5 G).
pub(super) fn rle(file: &DicomFile, format: &PixelFormat, bytes: &[u8]) -> Result<Vec<u8>> {
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
pub(super) fn jpeg<'a>(file: &DicomFile, format: &PixelFormat, bytes: &[u8]) -> Result<Frame<'a>> {
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

/// A JPEG 2000 codestream of one component whose size is the header's.
pub(super) fn jpeg2000<'a>(file: &DicomFile, format: &PixelFormat, bytes: &[u8]) -> Result<Frame<'a>> {
    let fail = |problem: String| {
        let advice = "decompress it first, for instance with gdcmconv --raw";
        ImageError::dicom(&file.path, format!("its JPEG 2000 pixels cannot be read: {problem}; {advice}"))
    };
    // The decoder takes signed samples for unsigned ones; the sign is bit 7 of the first component's precision, which
    // stands after the sizes of image and tiles (ISO 15444-1, A.5.1).
    const PRECISION: usize = 42;
    let precision = *bytes
        .get(PRECISION)
        .filter(|_| bytes.starts_with(&[0xff, 0x4f, 0xff, 0x51]))
        .ok_or_else(|| fail("there is no codestream in them".into()))?;
    let (signed, bits) = (precision & 0x80 != 0, u32::from(precision & 0x7f) + 1);
    if bits > format.allocated.min(16) {
        return Err(fail(format!("they have {bits} bits, the header says {}", format.allocated)));
    }
    let settings = DecodeSettings { strict: true, ..DecodeSettings::default() };
    let image = Image::new(bytes, &settings).map_err(|e| fail(e.to_string()))?;
    if (image.height() as usize, image.width() as usize) != (format.rows, format.columns) {
        return Err(fail(format!("they are {} x {}, the header says {} x {}", image.height(), image.width(), format.rows, format.columns)));
    }
    let pixels = format.rows * format.columns;
    if pixels > bytes.len().saturating_mul(1024).max(1 << 20) {
        return Err(fail("too few bytes for their rows and columns".into()));
    }
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(|e| fail(e.to_string()))?;
    let [component] = decoded.components() else { return Err(fail("they are in colour".into())) };
    let shift = if signed { 1i32 << (bits - 1) } else { 0 };
    let most = (1i32 << bits) - 1;
    let value = |sample: &f32| ((sample.round() as i32).clamp(0, most) - shift) as u16;
    let out = component.samples().iter().flat_map(|sample| value(sample).to_le_bytes()).collect();
    Ok(Frame { bytes: Cow::Owned(out), width: 2, order: Order::Little })
}
