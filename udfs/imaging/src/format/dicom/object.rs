//! DICOM data sets (PS3.5, PS3.10): elements by tag, read forward.
//!
//! Element headers and character sets are dicom-rs's. Values are read here, because a length in a header is only a
//! promise: a value grows with the bytes that are really there and is never allocated ahead of them. Elements that
//! nothing in this crate asks for are passed over.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use dicom_core::header::{DataElementHeader, Length, SequenceItemHeader};
use dicom_core::{Tag, VR};
use dicom_encoding::decode::explicit_be::ExplicitVRBigEndianDecoder;
use dicom_encoding::decode::explicit_le::ExplicitVRLittleEndianDecoder;
use dicom_encoding::decode::implicit_le::StandardImplicitVRLittleEndianDecoder;
use dicom_encoding::decode::{Decode, Error as HeaderError};
use dicom_encoding::text::{SpecificCharacterSet, TextCodec};
use flate2::bufread::DeflateDecoder;

use super::tags;
use crate::error::{ImageError, Result};
use crate::format::samples::Order;
use crate::format::source::DEFLATE_RATIO;

/// Bytes before `DICM`.
const PREAMBLE: usize = 128;

/// Sequences within sequences.
const MAX_DEPTH: usize = 16;

/// A data set.
#[derive(Debug, Clone)]
pub(super) struct Object {
    values: BTreeMap<Tag, Value>,
    order: Order,
    charset: SpecificCharacterSet,
}

#[derive(Debug, Clone)]
enum Value {
    Bytes(VR, Vec<u8>),
    Items(Vec<Object>),
}

/// A file: its data set, how its pixels are packed, and how many bytes they can be.
#[derive(Debug)]
pub(super) struct DicomFile {
    pub path: PathBuf,
    pub object: Object,
    pub syntax: String,
    pub pixels: Pixels,
}

/// The pixel data element.
#[derive(Debug)]
pub(super) enum Pixels {
    Absent,
    /// Not read; the most bytes that it can have.
    Unread {
        encapsulated: bool,
        bytes: u64,
    },
    Native(Vec<u8>),
    Fragments(Vec<Vec<u8>>),
}

/// How elements are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Syntax {
    ImplicitLittle,
    ExplicitLittle,
    ExplicitBig,
}

impl Syntax {
    fn header(self, mut stream: &mut dyn BufRead) -> Result<DataElementHeader, HeaderError> {
        let (header, _) = match self {
            Syntax::ImplicitLittle => StandardImplicitVRLittleEndianDecoder::new().decode_header(&mut stream),
            Syntax::ExplicitLittle => ExplicitVRLittleEndianDecoder::default().decode_header(&mut stream),
            Syntax::ExplicitBig => ExplicitVRBigEndianDecoder::default().decode_header(&mut stream),
        }?;
        Ok(header)
    }

    fn item(self, mut stream: &mut dyn BufRead) -> Result<SequenceItemHeader, HeaderError> {
        match self {
            Syntax::ImplicitLittle => StandardImplicitVRLittleEndianDecoder::new().decode_item_header(&mut stream),
            Syntax::ExplicitLittle => ExplicitVRLittleEndianDecoder::default().decode_item_header(&mut stream),
            Syntax::ExplicitBig => ExplicitVRBigEndianDecoder::default().decode_item_header(&mut stream),
        }
    }

    fn order(self) -> Order {
        if self == Syntax::ExplicitBig { Order::Big } else { Order::Little }
    }
}

/// Whether the first bytes are those of a DICOM file.
pub fn recognises(head: &[u8]) -> bool {
    head.get(PREAMBLE..PREAMBLE + 4) == Some(b"DICM")
}

impl DicomFile {
    /// Reads a file; its pixels only when asked for.
    pub fn open(path: &Path, with_pixels: bool) -> Result<DicomFile> {
        let file = File::open(path).map_err(|e| ImageError::io(path, "opening the file", e))?;
        let length = file.metadata().map_err(|e| ImageError::io(path, "opening the file", e))?.len();
        DicomFile::read(path, length, BufReader::with_capacity(1 << 14, file), with_pixels)
    }

    /// Reads the bytes of a file.
    pub fn parse(bytes: &[u8]) -> Result<DicomFile> {
        DicomFile::read(Path::new("(bytes in memory)"), bytes.len() as u64, bytes, true)
    }

    fn read(path: &Path, length: u64, mut stream: impl BufRead, with_pixels: bool) -> Result<DicomFile> {
        let parser = Parser { path };
        let mut head = Vec::new();
        (&mut stream).take(PREAMBLE as u64 + 4).read_to_end(&mut head).map_err(|e| parser.io(e))?;
        if !recognises(&head) {
            return Err(parser.fail("it is no DICOM file ('DICM' is missing after 128 bytes); export it again"));
        }
        let (syntax_uid, meta) = parser.meta(&mut stream)?;
        let syntax = match syntax_uid.as_str() {
            "1.2.840.10008.1.2" => Syntax::ImplicitLittle,
            "1.2.840.10008.1.2.2" => Syntax::ExplicitBig,
            _ => Syntax::ExplicitLittle,
        };
        let after_head = length.saturating_sub(head.len() as u64 + meta);
        let read = Rc::new(Cell::new(0));
        let (object, pixels) = if syntax_uid == "1.2.840.10008.1.2.1.99" {
            let mut stream = Counted { inner: BufReader::new(DeflateDecoder::new(stream)), read: read.clone() };
            parser.all(&mut stream, syntax, &read, after_head.saturating_mul(DEFLATE_RATIO), with_pixels)?
        } else {
            let mut stream = Counted { inner: stream, read: read.clone() };
            parser.all(&mut stream, syntax, &read, after_head, with_pixels)?
        };
        Ok(DicomFile { path: path.into(), object, syntax: syntax_uid, pixels })
    }
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    read: Rc<Cell<u64>>,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.read.set(self.read.get() + n as u64);
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.read.set(self.read.get() + n as u64);
        self.inner.consume(n);
    }
}

/// Reads elements; knows the file for messages.
struct Parser<'a> {
    path: &'a Path,
}

impl Parser<'_> {
    fn fail(&self, problem: impl Into<String>) -> ImageError {
        ImageError::dicom(self.path, problem)
    }

    fn io(&self, error: std::io::Error) -> ImageError {
        match error.kind() {
            ErrorKind::UnexpectedEof | ErrorKind::InvalidInput | ErrorKind::InvalidData => {
                self.fail("the DICOM file is truncated or damaged; copy or export it again")
            }
            _ => ImageError::io(self.path, "reading the file", error),
        }
    }

    fn header_error(&self, error: HeaderError) -> ImageError {
        self.fail(format!("the DICOM file is truncated or damaged ({error}); copy or export it again"))
    }

    fn at_end(&self, stream: &mut dyn BufRead) -> Result<bool> {
        Ok(stream.fill_buf().map_err(|e| self.io(e))?.is_empty())
    }

    /// Up to `length` bytes: as many as there are, and an error when they are fewer.
    fn bytes(&self, stream: &mut dyn BufRead, length: u64, what: &str) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        stream.take(length).read_to_end(&mut bytes).map_err(|e| self.io(e))?;
        if (bytes.len() as u64) < length {
            let found = bytes.len();
            return Err(self
                .fail(format!("the file is truncated: {what} has {length} bytes by its header, found {found}; copy or export it again")));
        }
        Ok(bytes)
    }

    fn skip(&self, stream: &mut dyn BufRead, length: u64, what: &str) -> Result<()> {
        let found = std::io::copy(&mut stream.take(length), &mut std::io::sink()).map_err(|e| self.io(e))?;
        if found < length {
            return Err(self
                .fail(format!("the file is truncated: {what} has {length} bytes by its header, found {found}; copy or export it again")));
        }
        Ok(())
    }

    /// The file meta group, always explicit and little endian: the transfer syntax, and the group's bytes.
    fn meta(&self, stream: &mut impl BufRead) -> Result<(String, u64)> {
        let read = Rc::new(Cell::new(0));
        let mut stream = Counted { inner: stream, read: read.clone() };
        let header = Syntax::ExplicitLittle.header(&mut stream).map_err(|e| self.header_error(e))?;
        if header.tag != Tag(0x0002, 0x0000) || header.len != Length(4) {
            return Err(self.fail("the file meta group does not start with its length; export the file again"));
        }
        let length = self.bytes(&mut stream, 4, "the group length")?;
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]);
        let group = self.bytes(&mut stream, length.into(), "the file meta group")?;
        let meta = self.data_set(&mut group.as_slice(), Syntax::ExplicitLittle, SpecificCharacterSet::ISO_IR_6, 0)?;
        match meta.uid(tags::TRANSFER_SYNTAX_UID) {
            Some(uid) => Ok((uid, read.get())),
            None => Err(self.fail("the file does not name its transfer syntax; export it again")),
        }
    }

    /// The data set up to and with its pixels.
    fn all(&self, stream: &mut dyn BufRead, syntax: Syntax, read: &Cell<u64>, ceiling: u64, with_pixels: bool) -> Result<(Object, Pixels)> {
        let mut object = Object::new(syntax, SpecificCharacterSet::ISO_IR_6);
        while !self.at_end(stream)? {
            let header = syntax.header(stream).map_err(|e| self.header_error(e))?;
            if header.tag != tags::PIXEL_DATA {
                self.element(stream, syntax, header, &mut object, 0)?;
                continue;
            }
            let left = ceiling.saturating_sub(read.get());
            let pixels = match (header.len.get(), with_pixels) {
                (Some(length), _) if u64::from(length) > left => {
                    return Err(ImageError::Truncated { path: self.path.into(), expected: length.into(), found: left });
                }
                (Some(length), false) => Pixels::Unread { encapsulated: false, bytes: length.into() },
                (None, false) => Pixels::Unread { encapsulated: true, bytes: left },
                (Some(length), true) => Pixels::Native(self.bytes(stream, length.into(), "the pixel data")?),
                (None, true) => Pixels::Fragments(self.fragments(stream, syntax)?),
            };
            return Ok((object, pixels));
        }
        Ok((object, Pixels::Absent))
    }

    /// Encapsulated pixels without their offset table (PS3.5 A.4).
    fn fragments(&self, stream: &mut dyn BufRead, syntax: Syntax) -> Result<Vec<Vec<u8>>> {
        let mut fragments = Vec::new();
        let mut table_passed = false;
        loop {
            match syntax.item(stream).map_err(|e| self.header_error(e))? {
                SequenceItemHeader::Item { len } => {
                    let length = len.get().ok_or_else(|| self.fail("a fragment of the pixel data has no length; export it again"))?;
                    if table_passed {
                        fragments.push(self.bytes(stream, length.into(), "a fragment of the pixel data")?);
                    } else {
                        self.skip(stream, length.into(), "the offset table")?;
                        table_passed = true;
                    }
                }
                SequenceItemHeader::SequenceDelimiter => return Ok(fragments),
                SequenceItemHeader::ItemDelimiter => return Err(self.fail("its pixel data is damaged; export it again")),
            }
        }
    }

    /// Elements up to the end of the stream, or to an item's delimiter.
    fn data_set(&self, stream: &mut dyn BufRead, syntax: Syntax, charset: SpecificCharacterSet, depth: usize) -> Result<Object> {
        if depth > MAX_DEPTH {
            return Err(self.fail(format!("its sequences are nested more than {MAX_DEPTH} deep; the file is damaged")));
        }
        let mut object = Object::new(syntax, charset);
        while !self.at_end(stream)? {
            let header = syntax.header(stream).map_err(|e| self.header_error(e))?;
            if header.tag == tags::ITEM_DELIMITATION_ITEM {
                return Ok(object);
            }
            self.element(stream, syntax, header, &mut object, depth)?;
        }
        Ok(object)
    }

    /// The value that follows a header, kept when it is of use.
    fn element(
        &self,
        stream: &mut dyn BufRead,
        syntax: Syntax,
        header: DataElementHeader,
        object: &mut Object,
        depth: usize,
    ) -> Result<()> {
        let DataElementHeader { tag, vr, len } = header;
        let keep = tags::KEPT.contains(&tag);
        let what = format!("element {tag}");
        match len.get() {
            Some(length) if vr != VR::SQ || !keep => {
                if !keep {
                    return self.skip(stream, length.into(), &what);
                }
                let bytes = self.bytes(stream, length.into(), &what)?;
                if tag == tags::SPECIFIC_CHARACTER_SET {
                    let codes = String::from_utf8_lossy(&bytes).into_owned();
                    if let Some(charset) = codes.split('\\').find_map(|code| SpecificCharacterSet::from_code(code.trim())) {
                        object.charset = charset;
                    }
                }
                object.values.insert(tag, Value::Bytes(vr, bytes));
            }
            length => {
                // A sequence of unknown VR is implicit inside (PS3.5 6.2.2, note 2).
                let inner = if vr == VR::UN { Syntax::ImplicitLittle } else { syntax };
                let items = match length {
                    Some(length) => {
                        let mut part = stream.take(length.into());
                        let items = self.items(&mut part, inner, object.charset.clone(), depth + 1, true)?;
                        let missing = part.limit();
                        if missing > 0 {
                            return Err(
                                self.fail(format!("the file is truncated: {missing} bytes of {what} are missing; copy or export it again"))
                            );
                        }
                        items
                    }
                    None => self.items(stream, inner, object.charset.clone(), depth + 1, false)?,
                };
                if keep {
                    object.values.insert(tag, Value::Items(items));
                }
            }
        }
        Ok(())
    }

    fn items(
        &self,
        stream: &mut dyn BufRead,
        syntax: Syntax,
        charset: SpecificCharacterSet,
        depth: usize,
        bounded: bool,
    ) -> Result<Vec<Object>> {
        let mut items = Vec::new();
        while !(bounded && self.at_end(stream)?) {
            match syntax.item(stream).map_err(|e| self.header_error(e))? {
                SequenceItemHeader::Item { len } => items.push(match len.get() {
                    Some(length) => {
                        let mut part = stream.take(length.into());
                        let item = self.data_set(&mut part, syntax, charset.clone(), depth)?;
                        let missing = part.limit();
                        if missing > 0 {
                            return Err(self.fail(format!(
                                "the file is truncated: {missing} bytes of a sequence are missing; copy or export it again"
                            )));
                        }
                        item
                    }
                    None => self.data_set(stream, syntax, charset.clone(), depth)?,
                }),
                SequenceItemHeader::SequenceDelimiter => break,
                SequenceItemHeader::ItemDelimiter => {
                    return Err(self.fail("an item of a sequence ends before it starts; the file is damaged"));
                }
            }
        }
        Ok(items)
    }
}

impl Object {
    fn new(syntax: Syntax, charset: SpecificCharacterSet) -> Object {
        Object { values: BTreeMap::new(), order: syntax.order(), charset }
    }

    /// Byte order of binary values, pixels included.
    pub fn order(&self) -> Order {
        self.order
    }

    /// A value's bytes.
    pub fn bytes(&self, tag: Tag) -> Option<&[u8]> {
        match self.values.get(&tag) {
            Some(Value::Bytes(_, bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// Text without the padding.
    pub fn text(&self, tag: Tag) -> Option<String> {
        let bytes = self.bytes(tag)?;
        let text = self.charset.decode(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned());
        let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
        (!text.is_empty()).then(|| text.to_string())
    }

    /// A UID without the padding.
    pub fn uid(&self, tag: Tag) -> Option<String> {
        self.text(tag)
    }

    /// Numbers, written as text or in binary. `None` when the element is absent, empty or not of finite numbers.
    pub fn numbers(&self, tag: Tag) -> Option<Vec<f64>> {
        let Some(Value::Bytes(vr, bytes)) = self.values.get(&tag) else { return None };
        macro_rules! binary {
            ($type:ty) => {{
                let chunks = bytes.chunks_exact(size_of::<$type>()).map(|chunk| {
                    let mut own = [0; size_of::<$type>()];
                    own.copy_from_slice(chunk);
                    match self.order {
                        Order::Little => <$type>::from_le_bytes(own),
                        Order::Big => <$type>::from_be_bytes(own),
                    }
                });
                chunks.map(|v| v as f64).collect::<Vec<f64>>()
            }};
        }
        let values = match vr {
            VR::US => binary!(u16),
            VR::SS => binary!(i16),
            VR::UL => binary!(u32),
            VR::SL => binary!(i32),
            VR::FL => binary!(f32),
            VR::FD => binary!(f64),
            _ => decimals(bytes)?,
        };
        (!values.is_empty() && values.iter().all(|v| v.is_finite())).then_some(values)
    }

    /// The first of an element's numbers.
    pub fn number(&self, tag: Tag) -> Option<f64> {
        self.numbers(tag).map(|v| v[0])
    }

    /// Exactly `N` numbers.
    pub fn vector<const N: usize>(&self, tag: Tag) -> Option<[f64; N]> {
        self.numbers(tag)?.try_into().ok()
    }

    /// A count.
    pub fn whole(&self, tag: Tag) -> Option<u32> {
        self.number(tag).filter(|v| *v >= 0.0 && v.fract() == 0.0 && *v <= f64::from(u32::MAX)).map(|v| v as u32)
    }

    /// A sequence's items; none when it is absent.
    pub fn items(&self, tag: Tag) -> &[Object] {
        match self.values.get(&tag) {
            Some(Value::Items(items)) => items,
            _ => &[],
        }
    }
}

/// Decimal numbers between backslashes (DS, IS).
fn decimals(bytes: &[u8]) -> Option<Vec<f64>> {
    let part = |part: &[u8]| std::str::from_utf8(part).ok()?.trim_matches(|c: char| c == '\0' || c.is_whitespace()).parse().ok();
    bytes.split(|b| *b == b'\\').map(part).collect()
}
