//! DICOM files (PS3.10): a preamble, the transfer syntax, a data set.

use std::cell::Cell;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use flate2::bufread::DeflateDecoder;

use super::object::Object;
use super::parser::{Parser, Syntax};
use crate::error::{ImageError, Result};
use crate::format::source::DEFLATE_RATIO;

/// Bytes before `DICM`.
const PREAMBLE: usize = 128;

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
        let (syntax_uid, meta, next) = parser.meta(&mut stream)?;
        let stream = std::io::Cursor::new(next).chain(stream);
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
pub(super) struct Counted<R> {
    pub inner: R,
    pub read: Rc<Cell<u64>>,
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
