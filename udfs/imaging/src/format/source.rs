//! The bytes of an image file, read forward, with a bound on how many there can be.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::error::{ImageError, Result};

/// The most bytes that deflate can make of one.
pub(super) const DEFLATE_RATIO: u64 = 1032;

/// Bytes looked at to recognise a format.
const HEAD: usize = 1024;

/// Longest text header that is read.
const MAX_TEXT_HEADER: u64 = 1 << 20;

/// A file (or bytes in memory) that is read forward, unpacked when it is gzipped as a whole.
pub(super) struct Source<'a> {
    /// For messages, and where a second file is looked for.
    pub path: PathBuf,
    /// Whether a second file may be read.
    pub on_disk: bool,
    /// Whether the whole file is gzipped.
    pub packed: bool,
    /// The most bytes that the stream can still give.
    pub ceiling: u64,
    pub stream: Box<dyn BufRead + 'a>,
    head: Vec<u8>,
}

impl<'a> Source<'a> {
    /// Opens a file.
    pub fn open(path: &Path) -> Result<Source<'static>> {
        let (file, length) = open_file(path)?;
        Source::new(path.into(), true, length, Box::new(BufReader::with_capacity(1 << 18, file)))
    }

    /// Opens the voxels' own file; `header` is the file that names it.
    pub fn open_data(header: &Path, data: &Path) -> Result<Source<'static>> {
        if !data.exists() {
            return Err(ImageError::DataFileMissing { path: header.into(), data: data.into() });
        }
        let (file, length) = open_file(data)?;
        Ok(Source {
            path: data.into(),
            on_disk: true,
            packed: false,
            ceiling: length,
            stream: Box::new(BufReader::with_capacity(1 << 18, file)),
            head: Vec::new(),
        })
    }

    /// The bytes of a file.
    pub fn memory(bytes: &'a [u8]) -> Result<Source<'a>> {
        Source::new(PathBuf::from("(bytes in memory)"), false, bytes.len() as u64, Box::new(bytes))
    }

    fn new(path: PathBuf, on_disk: bool, length: u64, mut stream: Box<dyn BufRead + 'a>) -> Result<Source<'a>> {
        let mut head = peek(&mut stream, &path)?;
        let packed = head.starts_with(&[0x1f, 0x8b]);
        let mut ceiling = length;
        stream = Box::new(std::io::Cursor::new(head.clone()).chain(stream));
        if packed {
            ceiling = length.saturating_mul(DEFLATE_RATIO);
            stream = Box::new(BufReader::with_capacity(1 << 18, MultiGzDecoder::new(stream)));
            head = peek(&mut stream, &path)?;
            stream = Box::new(std::io::Cursor::new(head.clone()).chain(stream));
        }
        Ok(Source { path, on_disk, packed, ceiling, stream, head })
    }

    /// The file's first bytes, unpacked.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Reads exactly `n` bytes of a binary header.
    pub fn take(&mut self, n: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; n];
        self.stream.read_exact(&mut bytes).map_err(|e| match e.kind() {
            ErrorKind::UnexpectedEof => {
                ImageError::header(&self.path, "the file's length", "too short for a header", format!("at least {n} bytes"))
            }
            _ => ImageError::io(&self.path, "reading the header", e),
        })?;
        self.ceiling = self.ceiling.saturating_sub(n as u64);
        Ok(bytes)
    }

    /// The next line of a text header without its end; `None` at the end of the file.
    pub fn line(&mut self) -> Result<Option<String>> {
        let mut bytes = Vec::new();
        let limit = MAX_TEXT_HEADER;
        let got = (&mut self.stream).take(limit).read_until(b'\n', &mut bytes);
        let got = got.map_err(|e| ImageError::io(&self.path, "reading the header", e))?;
        if got == 0 {
            return Ok(None);
        }
        if got as u64 == limit {
            return Err(ImageError::header(
                &self.path,
                "a line of the header",
                format!("longer than {limit} bytes"),
                "a short line of text",
            ));
        }
        self.ceiling = self.ceiling.saturating_sub(got as u64);
        let text = String::from_utf8_lossy(&bytes);
        Ok(Some(text.trim_end_matches(['\n', '\r']).to_string()))
    }

    /// Passes over bytes.
    pub fn skip(&mut self, n: u64) -> Result<()> {
        if n > self.ceiling {
            let found = format!("{n} bytes further on");
            return Err(ImageError::header(&self.path, "the start of the voxels", found, "a place inside the file"));
        }
        let passed = std::io::copy(&mut (&mut self.stream).take(n), &mut std::io::sink());
        let passed = passed.map_err(|e| ImageError::io(&self.path, "reading the header", e))?;
        if passed < n {
            let found = format!("{} bytes beyond the file's end", n - passed);
            return Err(ImageError::header(&self.path, "the start of the voxels", found, "a place inside the file"));
        }
        self.ceiling -= n;
        Ok(())
    }

    /// Passes over lines.
    pub fn skip_lines(&mut self, n: usize) -> Result<()> {
        for _ in 0..n {
            if self.line()?.is_none() {
                return Err(ImageError::header(&self.path, "the number of lines", "too few to skip", n.to_string()));
            }
        }
        Ok(())
    }

    /// Goes to where the last `n` bytes of an unpacked file begin.
    pub fn skip_to_last(&mut self, n: u64) -> Result<()> {
        if n > self.ceiling {
            return Err(ImageError::Truncated { path: self.path.clone(), expected: n, found: self.ceiling });
        }
        self.skip(self.ceiling - n)
    }

    /// Where a file lies that the header names.
    pub fn beside(&self, name: &str) -> Result<PathBuf> {
        if !self.on_disk {
            let found = format!("in another file, {name}");
            return Err(ImageError::header(&self.path, "the place of the voxels", found, "voxels that follow the header"));
        }
        Ok(self.path.parent().unwrap_or(Path::new("")).join(name))
    }

    /// The error for a file of no known format.
    pub fn not_an_image(&self) -> ImageError {
        let head = &self.head;
        let found = if head.is_empty() {
            "an empty file".into()
        } else if head.starts_with(b"\x89PNG") {
            "a PNG picture".into()
        } else if head.starts_with(b"\xff\xd8\xff") {
            "a JPEG picture".into()
        } else if head.starts_with(b"PK") {
            "a zip archive".into()
        } else if head.starts_with(b"version https://git-lfs") {
            "a Git LFS pointer instead of the file (run git lfs pull)".into()
        } else if head.get(..4).is_some_and(|b| b == 348i32.to_le_bytes() || b == 348i32.to_be_bytes()) {
            "an Analyze 7.5 header, which does not say left from right".into()
        } else {
            let shown: String = head.iter().take(16).map(|b| b.escape_ascii().to_string()).collect();
            let packing = if self.packed { " inside gzip" } else { "" };
            format!("a file that starts with \"{shown}\"{packing}")
        };
        ImageError::NotAnImage { path: self.path.clone(), found }
    }
}

fn open_file(path: &Path) -> Result<(File, u64)> {
    let about = std::fs::metadata(path).map_err(|e| ImageError::io(path, "opening the file", e))?;
    if !about.is_file() {
        return Err(ImageError::NotAnImage { path: path.into(), found: "not a regular file".into() });
    }
    let file = File::open(path).map_err(|e| ImageError::io(path, "opening the file", e))?;
    Ok((file, about.len()))
}

/// Reads up to [`HEAD`] bytes.
fn peek(stream: &mut impl Read, path: &Path) -> Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    match stream.take(HEAD as u64).read_to_end(&mut head) {
        Ok(_) => Ok(head),
        Err(e) if matches!(e.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidInput | ErrorKind::InvalidData) => {
            Err(ImageError::Io { path: path.into(), doing: "unpacking the file (it is damaged or truncated)", source: e })
        }
        Err(e) => Err(ImageError::io(path, "reading the file", e)),
    }
}
