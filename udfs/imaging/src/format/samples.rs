//! From stored bytes to voxels: types, byte orders and encodings.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use ndarray::Array3;

use super::source::{DEFLATE_RATIO, Source};
use crate::Voxels;
use crate::error::{ImageError, Result};

/// Type of a voxel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

impl Dtype {
    /// Bytes of one voxel.
    pub fn bytes(self) -> u64 {
        match self {
            Dtype::U8 | Dtype::I8 => 1,
            Dtype::U16 | Dtype::I16 => 2,
            Dtype::U32 | Dtype::I32 | Dtype::F32 => 4,
            Dtype::U64 | Dtype::I64 | Dtype::F64 => 8,
        }
    }

    /// `uint8`, `int16`, `float32`, ...
    pub fn name(self) -> &'static str {
        match self {
            Dtype::U8 => "uint8",
            Dtype::I8 => "int8",
            Dtype::U16 => "uint16",
            Dtype::I16 => "int16",
            Dtype::U32 => "uint32",
            Dtype::I32 => "int32",
            Dtype::U64 => "uint64",
            Dtype::I64 => "int64",
            Dtype::F32 => "float32",
            Dtype::F64 => "float64",
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Byte order of the stored voxels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

/// How the voxels' bytes are wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Raw,
    Gzip,
    Zlib,
    /// Decimal numbers between white space or commas.
    Text,
    /// Two hexadecimal digits a byte.
    Hex,
}

/// Numbers of one voxel. Images have one; a mask may have several, a channel for each layer of regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Channels {
    pub count: u64,
    /// All numbers of a channel follow each other; otherwise all numbers of a voxel.
    pub apart: bool,
}

impl Channels {
    pub const ONE: Channels = Channels { count: 1, apart: false };

    /// The number of the channel to read, if the file has it.
    pub fn choose(self, path: &Path, wanted: Option<u32>) -> Result<usize> {
        let Channels { count, .. } = self;
        match wanted {
            None if count == 1 => Ok(0),
            None => {
                let expected =
                    "one number per voxel; name a mask's channel: mask(path, label, {'channel': 0}), or `label_channel` of radiomics";
                Err(ImageError::header(path, "the file", format!("{count} values per voxel"), expected))
            }
            Some(channel) if u64::from(channel) < count => Ok(channel as usize),
            Some(channel) => {
                let last = count.saturating_sub(1);
                Err(ImageError::header(path, "the mask's channel", channel, format!("0 to {last}: the file has {count}")))
            }
        }
    }

    /// The numbers of one channel.
    fn pick<T: Copy>(self, values: Vec<T>, channel: usize) -> Vec<T> {
        match self {
            Channels { count: 1, .. } => values,
            Channels { count, apart: true } => {
                let each = values.len() / count as usize;
                values[channel * each..][..each].to_vec()
            }
            Channels { count, .. } => values.into_iter().skip(channel).step_by(count as usize).collect(),
        }
    }
}

/// How a file stores its voxels.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub dtype: Dtype,
    pub order: Order,
    pub encoding: Encoding,
    /// Voxels.
    pub count: u64,
    pub channels: Channels,
    /// `value * slope + intercept`, as NIfTI scales.
    pub scale: Option<(f64, f64)>,
}

impl Stored {
    /// Bytes that the numbers of all channels take when they are not encoded.
    pub fn bytes(&self, path: &Path) -> Result<u64> {
        self.count
            .checked_mul(self.channels.count)
            .and_then(|numbers| numbers.checked_mul(self.dtype.bytes()))
            .filter(|bytes| *bytes <= isize::MAX as u64)
            .ok_or_else(|| ImageError::header(path, "the number of voxels", self.count, "a volume that fits in memory"))
    }

    /// Type of the voxels after scaling. ITK's: integers become float32, floats keep their type.
    pub fn result(&self) -> Dtype {
        match (self.scale, self.dtype) {
            (None, dtype) => dtype,
            (Some(_), Dtype::F64) => Dtype::F64,
            (Some(_), _) => Dtype::F32,
        }
    }
}

/// Reads all voxels of a channel and makes sure that nothing follows the last channel.
pub(super) fn read(source: Source, stored: &Stored, shape: (usize, usize, usize), channel: usize) -> Result<Voxels> {
    macro_rules! typed {
        ($variant:ident, $type:ty) => {{
            let values: Vec<$type> = stored.channels.pick(decode(source, stored)?, channel);
            match stored.scale {
                None => array(shape, values).map(Voxels::$variant),
                // Integers go through float32 before they are scaled in float64: ITK's order, last bits included.
                Some((slope, intercept)) => {
                    let scaled = values.into_iter().map(|v| (f64::from(v as f32) * slope + intercept) as f32).collect();
                    array(shape, scaled).map(Voxels::F32)
                }
            }
        }};
    }
    match stored.dtype {
        Dtype::U8 => typed!(U8, u8),
        Dtype::I8 => typed!(I8, i8),
        Dtype::U16 => typed!(U16, u16),
        Dtype::I16 => typed!(I16, i16),
        Dtype::U32 => typed!(U32, u32),
        Dtype::I32 => typed!(I32, i32),
        Dtype::U64 => typed!(U64, u64),
        Dtype::I64 => typed!(I64, i64),
        Dtype::F32 => typed!(F32, f32),
        Dtype::F64 => {
            let mut values: Vec<f64> = stored.channels.pick(decode(source, stored)?, channel);
            if let Some((slope, intercept)) = stored.scale {
                values.iter_mut().for_each(|v| *v = *v * slope + intercept);
            }
            array(shape, values).map(Voxels::F64)
        }
    }
}

fn array<T>(shape: (usize, usize, usize), values: Vec<T>) -> Result<Array3<T>> {
    let found = values.len();
    Array3::from_shape_vec(shape, values).map_err(|_| ImageError::Operation(format!("esccsql bug: {found} voxels for a grid of {shape:?}")))
}

/// A number that can be read from its bytes or from text.
trait Sample: Copy + FromStr {
    const SIZE: usize;
    fn little(bytes: &[u8]) -> Self;
    fn big(bytes: &[u8]) -> Self;
}

macro_rules! sample {
    ($($type:ty),*) => {$(
        impl Sample for $type {
            const SIZE: usize = size_of::<$type>();
            fn little(bytes: &[u8]) -> Self {
                let mut own = [0; size_of::<$type>()];
                own.copy_from_slice(bytes);
                <$type>::from_le_bytes(own)
            }
            fn big(bytes: &[u8]) -> Self {
                let mut own = [0; size_of::<$type>()];
                own.copy_from_slice(bytes);
                <$type>::from_be_bytes(own)
            }
        }
    )*};
}
sample!(u8, i8, u16, i16, u32, i32, u64, i64, f32, f64);

fn decode<T: Sample>(source: Source, stored: &Stored) -> Result<Vec<T>> {
    let Source { path, ceiling, stream, .. } = source;
    let bytes = stored.bytes(&path)?;
    match stored.encoding {
        Encoding::Raw => binary(&path, stream, ceiling, bytes, stored.order),
        Encoding::Gzip => binary(&path, Box::new(MultiGzDecoder::new(stream)), ceiling.saturating_mul(DEFLATE_RATIO), bytes, stored.order),
        Encoding::Zlib => binary(&path, Box::new(ZlibDecoder::new(stream)), ceiling.saturating_mul(DEFLATE_RATIO), bytes, stored.order),
        Encoding::Hex => {
            let text = all_of(&path, stream)?;
            let digits: Vec<u8> = text.into_iter().filter(|c| !c.is_ascii_whitespace()).collect();
            let pair = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|s| u8::from_str_radix(s, 16).ok());
            let decoded: Option<Vec<u8>> = digits.chunks(2).map(pair).collect();
            let decoded =
                decoded.ok_or_else(|| ImageError::header(&path, "the hex data", "something else", "pairs of the digits 0-9a-f"))?;
            let found = decoded.len() as u64;
            binary(&path, Box::new(decoded.as_slice()), found, bytes, stored.order)
        }
        Encoding::Text => text(&path, stream, ceiling, stored),
    }
}

fn all_of(path: &Path, mut stream: impl Read) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).map_err(|e| ImageError::io(path, "reading the voxels", e))?;
    Ok(all)
}

/// Numbers in text. Two voxels take at least three bytes, so the text's length limits what is allocated.
fn text<T: Sample>(path: &Path, stream: impl Read, ceiling: u64, stored: &Stored) -> Result<Vec<T>> {
    let count = stored.count.saturating_mul(stored.channels.count);
    if count > ceiling.div_ceil(2) {
        return Err(ImageError::Truncated { path: path.into(), expected: count.saturating_mul(2) - 1, found: ceiling });
    }
    let all = all_of(path, stream)?;
    let mut values = Vec::with_capacity(count as usize);
    for word in all.split(|c| c.is_ascii_whitespace() || *c == b',').filter(|word| !word.is_empty()) {
        let number = std::str::from_utf8(word).ok().and_then(|word| word.parse().ok());
        let Some(number) = number else {
            let found = format!("'{}'", String::from_utf8_lossy(&word[..word.len().min(40)]));
            return Err(ImageError::header(path, format!("voxel {}", values.len()), found, format!("a number of type {}", stored.dtype)));
        };
        if values.len() as u64 == count {
            return Err(ImageError::header(path, "the number of voxels in the text", "more", count.to_string()));
        }
        values.push(number);
    }
    if values.len() as u64 != count {
        return Err(ImageError::header(path, "the number of voxels in the text", values.len(), count.to_string()));
    }
    Ok(values)
}

/// Bytes read and turned into numbers at a time.
const STEP: usize = 1 << 20;
/// Bytes of numbers allocated before any of a compressed stream is read.
const FIRST: u64 = 64 << 20;

fn binary<T: Sample>(path: &Path, mut stream: impl Read, ceiling: u64, expected: u64, order: Order) -> Result<Vec<T>> {
    if expected > ceiling {
        return Err(ImageError::Truncated { path: path.into(), expected, found: ceiling });
    }
    let mut values: Vec<T> = Vec::with_capacity((expected.min(FIRST) as usize) / T::SIZE);
    let mut buffer = vec![0u8; STEP.min(expected as usize)];
    let mut left = expected;
    while left > 0 {
        let want = (STEP as u64).min(left) as usize;
        let got = fill(&mut stream, &mut buffer[..want]).map_err(|e| damaged(path, e))?;
        if got < want {
            return Err(ImageError::Truncated { path: path.into(), expected, found: expected - left + got as u64 });
        }
        if values.capacity() - values.len() < want / T::SIZE {
            // Doubles, but never beyond what is still to come.
            let rest = left as usize / T::SIZE;
            values.reserve_exact(rest.min(values.len().max(want / T::SIZE)));
        }
        let chunks = buffer[..want].chunks_exact(T::SIZE);
        match order {
            Order::Little => values.extend(chunks.map(T::little)),
            Order::Big => values.extend(chunks.map(T::big)),
        }
        left -= want as u64;
    }
    // One byte more: finds what should not be there, and makes a decompressor check its sum.
    let after = std::io::copy(&mut stream.take(STEP as u64), &mut std::io::sink());
    match after {
        Ok(0) => Ok(values),
        Ok(extra) => Err(ImageError::Trailing { path: path.into(), expected, extra }),
        Err(e) => Err(damaged(path, e)),
    }
}

/// Reads until the buffer is full or the stream ends.
fn fill(stream: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match stream.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            // A compressed stream that stops early is a short one.
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => break,
            Err(e) => return Err(e),
        }
    }
    Ok(got)
}

fn damaged(path: &Path, source: std::io::Error) -> ImageError {
    ImageError::Io { path: path.into(), doing: "unpacking the voxels (the file is damaged)", source }
}
