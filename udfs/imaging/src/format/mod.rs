//! Image files (of DICOM: folders of them): what is in them ([`read_header`]), their voxels ([`read_volume`]) and writing them ([`write_volume`]).
//!
//! A file is recognised by its first bytes, not by its name. Geometry is reported as ITK 5.4 (SimpleITK 2.5) reports
//! it, in LPS; a 2D image is a volume of one slice, trailing axes of one voxel are dropped.
//! Nothing is allocated on the word of a header alone: the voxels it promises must fit in the file's length (times
//! 1032, deflate's best ratio, when compressed), and compressed voxels are read in growing steps.

pub(crate) mod dicom;
mod metaimage;
mod nifti;
mod nrrd;
mod samples;
mod source;
mod write;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{ImageError, Result};
use crate::{Geometry, Volume, Voxels};
use samples::{Channels, Encoding, Order, Stored};
use source::Source;

pub use samples::Dtype;
pub use write::write_volume;

/// The kind of file an image came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Nifti1,
    Nifti2,
    Nrrd,
    MetaImage,
    Dicom,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Nifti1 => "NIfTI-1",
            Format::Nifti2 => "NIfTI-2",
            Format::Nrrd => "NRRD",
            Format::MetaImage => "MetaImage",
            Format::Dicom => "DICOM",
        })
    }
}

/// What a file says about its image without its voxels.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    pub format: Format,
    /// Type of the voxels that [`read_volume`] returns; after NIfTI's scaling, float32 or float64.
    pub dtype: Dtype,
    pub geometry: Geometry,
}

/// A header, and where and how the file stores the voxels.
struct Layout {
    header: Header,
    stored: Stored,
    place: Place,
}

/// Where the voxels start.
enum Place {
    /// In the same stream, this many bytes after the header's end.
    Here { skip: u64 },
    /// In another file.
    Beside { path: PathBuf, skip: Skip },
}

/// What precedes the voxels in their file.
#[derive(Clone, Copy)]
struct Skip {
    lines: usize,
    bytes: u64,
    /// The voxels are the file's last bytes; `lines` and `bytes` do not count.
    from_end: bool,
}

/// Reads the header of an image file, or the headers of a DICOM series.
pub fn read_header(path: impl AsRef<Path>) -> Result<Header> {
    if dicom::is_dicom(&path) {
        return dicom::read_header(path.as_ref(), &dicom::open_to_all);
    }
    let layout = layout(&mut Source::open(path.as_ref())?)?;
    layout.stored.channels.choose(path.as_ref(), None)?;
    Ok(layout.header)
}

/// Reads an image file or a DICOM series.
pub fn read_volume(path: impl AsRef<Path>) -> Result<Volume> {
    read_volume_within(path.as_ref(), None, &dicom::open_to_all)
}

/// The same, or one channel of a file of several; `guard` is asked before a file is opened that the path does not name.
pub(crate) fn read_volume_within(path: &Path, channel: Option<u32>, guard: dicom::Guard) -> Result<Volume> {
    if dicom::is_dicom(path) {
        Channels::ONE.choose(path, channel)?;
        return dicom::read_volume(path, guard);
    }
    let mut source = Source::open(path)?;
    let layout = layout(&mut source)?;
    load(layout, source, channel)
}

/// Reads an image from the bytes of a file of any format; voxels in other files cannot be reached.
pub fn parse_volume(bytes: &[u8]) -> Result<Volume> {
    if dicom::recognises(bytes) {
        return dicom::parse_dicom(bytes);
    }
    let mut source = Source::memory(bytes)?;
    let layout = layout(&mut source)?;
    load(layout, source, None)
}

/// Reads one channel of a mask from the bytes of a file, 0 of a file of one. DICOM has no channels.
pub fn parse_channel(bytes: &[u8], channel: u32) -> Result<Volume> {
    let mut source = Source::memory(bytes)?;
    let layout = layout(&mut source)?;
    load(layout, source, Some(channel))
}

/// Reads a single-file NIfTI-1 or NIfTI-2 image, gzipped or not, from its bytes.
pub fn parse_nifti(bytes: &[u8]) -> Result<Volume> {
    let mut source = Source::memory(bytes)?;
    let layout = nifti::layout(&mut source)?;
    load(layout, source, None)
}

/// Reads a NRRD with attached voxels from its bytes.
pub fn parse_nrrd(bytes: &[u8]) -> Result<Volume> {
    let mut source = Source::memory(bytes)?;
    let layout = nrrd::layout(&mut source)?;
    load(layout, source, None)
}

/// Reads a MetaImage with local voxels from its bytes.
pub fn parse_metaimage(bytes: &[u8]) -> Result<Volume> {
    let mut source = Source::memory(bytes)?;
    let layout = metaimage::layout(&mut source)?;
    load(layout, source, None)
}

/// Recognises the format and reads the header. The source is left at the header's end.
fn layout(source: &mut Source) -> Result<Layout> {
    if nrrd::recognises(source.head()) {
        nrrd::layout(source)
    } else if nifti::recognises(source.head()) {
        nifti::layout(source)
    } else if metaimage::recognises(source.head()) {
        metaimage::layout(source)
    } else {
        Err(source.not_an_image())
    }
}

/// Reads the voxels that a layout describes, of one channel where there are several.
fn load(layout: Layout, mut source: Source, channel: Option<u32>) -> Result<Volume> {
    let Layout { header, stored, place } = layout;
    let channel = stored.channels.choose(&source.path, channel)?;
    match place {
        Place::Here { skip } => source.skip(skip)?,
        Place::Beside { path, skip } => {
            source = Source::open_data(&source.path, &path)?;
            match skip {
                Skip { from_end: true, .. } => source.skip_to_last(stored.bytes(&source.path)?)?,
                Skip { lines, bytes, .. } => {
                    source.skip_lines(lines)?;
                    source.skip(bytes)?;
                }
            }
        }
    }
    let voxels = samples::read(source, &stored, header.geometry.shape(), channel)?;
    Ok(Volume { geometry: header.geometry, voxels })
}

/// Keeps three axes of an image: 2D gets a third of one voxel, further axes must have one voxel.
fn three_sizes(path: &Path, sizes: &[u64]) -> Result<[usize; 3]> {
    let mut out = [1usize; 3];
    for (axis, &size) in sizes.iter().enumerate() {
        if axis >= 3 {
            if size != 1 {
                let message = "one 3D image; split the series into one file per volume";
                return Err(ImageError::header(
                    path,
                    "the number of axes longer than 1",
                    format!("{} (sizes {sizes:?})", axis + 1),
                    message,
                ));
            }
        } else {
            out[axis] = usize::try_from(size).map_err(|_| ImageError::header(path, "an axis", size, "fewer voxels"))?;
        }
    }
    Ok(out)
}

/// Checks a geometry that a file states.
fn checked(path: &Path, geometry: Geometry) -> Result<Geometry> {
    geometry.check().map_err(|geometry| ImageError::BadGeometry { path: path.into(), geometry })?;
    Ok(geometry)
}

impl Volume {
    /// Type of the voxels.
    pub fn dtype(&self) -> Dtype {
        match &self.voxels {
            Voxels::U8(_) => Dtype::U8,
            Voxels::I8(_) => Dtype::I8,
            Voxels::U16(_) => Dtype::U16,
            Voxels::I16(_) => Dtype::I16,
            Voxels::U32(_) => Dtype::U32,
            Voxels::I32(_) => Dtype::I32,
            Voxels::U64(_) => Dtype::U64,
            Voxels::I64(_) => Dtype::I64,
            Voxels::F32(_) => Dtype::F32,
            Voxels::F64(_) => Dtype::F64,
        }
    }
}
