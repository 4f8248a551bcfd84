//! DICOM data sets (PS3.5), read forward.
//!
//! Element headers and character sets are dicom-rs's. Values are read here, because a length in a header is only a
//! promise: a value grows with the bytes that are really there and is never allocated ahead of them. Elements that
//! nothing in this crate asks for are passed over.

use std::cell::Cell;
use std::io::{BufRead, ErrorKind, Read};
use std::path::Path;
use std::rc::Rc;

use dicom_core::VR;
use dicom_core::header::{DataElementHeader, SequenceItemHeader};
use dicom_encoding::decode::explicit_be::ExplicitVRBigEndianDecoder;
use dicom_encoding::decode::explicit_le::ExplicitVRLittleEndianDecoder;
use dicom_encoding::decode::implicit_le::StandardImplicitVRLittleEndianDecoder;
use dicom_encoding::decode::{Decode, Error as HeaderError};
use dicom_encoding::text::SpecificCharacterSet;

use super::file::{Counted, Pixels};
use super::object::{Object, Value};
use super::tags;
use crate::error::{ImageError, Result};
use crate::format::samples::Order;

/// Sequences within sequences.
const MAX_DEPTH: usize = 16;

/// How elements are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
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

/// Reads elements; knows the file for messages.
pub(super) struct Parser<'a> {
    pub path: &'a Path,
}

impl Parser<'_> {
    pub fn fail(&self, problem: impl Into<String>) -> ImageError {
        ImageError::dicom(self.path, problem)
    }

    pub fn io(&self, error: std::io::Error) -> ImageError {
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

    /// The file meta group, always explicit and little endian: the transfer syntax, the group's bytes, and the bytes
    /// after it that had to be read to find its end.
    pub fn meta(&self, stream: &mut impl BufRead) -> Result<(String, u64, Vec<u8>)> {
        let read = Rc::new(Cell::new(0));
        let mut stream = Counted { inner: stream, read: read.clone() };
        let mut meta = Object::new(Order::Little, SpecificCharacterSet::ISO_IR_6);
        let mut next = Vec::new();
        loop {
            next.clear();
            (&mut stream).take(4).read_to_end(&mut next).map_err(|e| self.io(e))?;
            if next.len() < 4 || next[..2] != [2, 0] {
                break;
            }
            let header = Syntax::ExplicitLittle.header(&mut next.as_slice().chain(&mut stream)).map_err(|e| self.header_error(e))?;
            self.element(&mut stream, Syntax::ExplicitLittle, header, &mut meta, 0)?;
        }
        match meta.uid(tags::TRANSFER_SYNTAX_UID) {
            Some(uid) => Ok((uid, read.get() - next.len() as u64, next)),
            None => Err(self.fail("the DICOM file does not name its transfer syntax, or is truncated; export it again")),
        }
    }

    /// The data set up to and with its pixels.
    pub fn all(
        &self,
        stream: &mut dyn BufRead,
        syntax: Syntax,
        read: &Cell<u64>,
        ceiling: u64,
        with_pixels: bool,
    ) -> Result<(Object, Pixels)> {
        let mut object = Object::new(syntax.order(), SpecificCharacterSet::ISO_IR_6);
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
        let mut object = Object::new(syntax.order(), charset);
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
                        object.set_charset(charset);
                    }
                }
                object.insert(tag, Value::Bytes(vr, bytes));
            }
            length => {
                // A sequence of unknown VR is implicit inside (PS3.5 6.2.2, note 2).
                let inner = if vr == VR::UN { Syntax::ImplicitLittle } else { syntax };
                let items = match length {
                    Some(length) => {
                        let mut part = stream.take(length.into());
                        let items = self.items(&mut part, inner, object.charset(), depth + 1, true)?;
                        let missing = part.limit();
                        if missing > 0 {
                            return Err(
                                self.fail(format!("the file is truncated: {missing} bytes of {what} are missing; copy or export it again"))
                            );
                        }
                        items
                    }
                    None => self.items(stream, inner, object.charset(), depth + 1, false)?,
                };
                if keep {
                    object.insert(tag, Value::Items(items));
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
