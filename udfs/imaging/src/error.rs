//! What can go wrong with an image, said so that the reader knows what to do next.

use std::path::{Path, PathBuf};

pub type Result<T, E = ImageError> = std::result::Result<T, E>;

/// Every failure of this crate. Messages begin with the file or the recipe that they are about.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    #[error("{path}: there is no such file; check the path (relative paths start at the working directory)", path = path.display())]
    NotFound { path: PathBuf },
    #[error("{path}: its header says that the voxels lie in {data}, which does not exist; put the two files side by side", path = path.display(), data = data.display())]
    DataFileMissing { path: PathBuf, data: PathBuf },
    #[error("{path}: {doing} failed: {source}", path = path.display())]
    Io { path: PathBuf, doing: &'static str, source: std::io::Error },
    #[error("{path}: not an image that is read here: found {found}; expected a DICOM series (its folder, or a file of it), NIfTI (.nii, .nii.gz, .hdr with .img), NRRD (.nrrd, .nhdr) or MetaImage (.mha, .mhd)", path = path.display())]
    NotAnImage { path: PathBuf, found: String },
    #[error("{path}: {field} is {found}; expected {expected}", path = path.display())]
    Header { path: PathBuf, field: String, found: String, expected: String },
    #[error("{path}: the file is truncated: its header promises {expected} bytes of voxels, found {found}; copy or export it again", path = path.display())]
    Truncated { path: PathBuf, expected: u64, found: u64 },
    #[error("{path}: the file holds more than its header says: {expected} bytes of voxels, then at least {extra} more; the header or the file is wrong", path = path.display())]
    Trailing { path: PathBuf, expected: u64, extra: u64 },
    #[error("{path}: {problem}", path = path.display())]
    Dicom { path: PathBuf, problem: String },
    #[error("{path}: {geometry}", path = path.display())]
    BadGeometry { path: PathBuf, geometry: GeometryError },
    #[error("{path}: cannot be written: {why}", path = path.display())]
    CannotWrite { path: PathBuf, why: String },
    #[error(
        "{what} lie on different grids: {field} is {a} in the first and {b} in the second (tolerance {tolerance:e}); resample one onto the other"
    )]
    GridMismatch { what: String, field: &'static str, a: String, b: String, tolerance: f64 },
    #[error("{path}: label {label} is absent; the mask holds {present}", path = path.display())]
    LabelAbsent { path: PathBuf, label: u32, present: String },
    #[error("the mask is empty: {0}")]
    EmptyMask(String),
    #[error("'{text}' is no image recipe: {problem} at character {at}; write a path, or image('scan.nii.gz').image_window(50, 350)")]
    Recipe { text: String, at: usize, problem: String },
    #[error("{0}")]
    Operation(String),
    #[error("{path}: {problem}", path = path.display())]
    Step { path: PathBuf, problem: Box<ImageError> },
}

/// A grid that no volume can have.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GeometryError {
    #[error("the grid has {0:?} voxels along x, y, z; expected at least one along each")]
    NoVoxels([usize; 3]),
    #[error("{0:?} voxels along x, y, z are more than this machine can address")]
    TooLarge([usize; 3]),
    #[error("spacing is {0:?} mm; expected three finite numbers above zero")]
    Spacing([f64; 3]),
    #[error("origin is {0:?} mm; expected three finite numbers")]
    Origin([f64; 3]),
    #[error("the direction matrix {0:?} is singular or not finite; expected three independent axes")]
    Direction([[f64; 3]; 3]),
}

impl ImageError {
    /// The same of a file's recipe: what says no file of its own is told with it.
    pub(crate) fn of(self, path: &Path) -> Self {
        match self {
            ImageError::GridMismatch { .. } | ImageError::EmptyMask(_) | ImageError::Operation(_) => {
                ImageError::Step { path: path.into(), problem: Box::new(self) }
            }
            told => told,
        }
    }

    pub(crate) fn header(path: &Path, field: impl Into<String>, found: impl ToString, expected: impl Into<String>) -> Self {
        ImageError::Header { path: path.into(), field: field.into(), found: found.to_string(), expected: expected.into() }
    }

    pub(crate) fn dicom(path: &Path, problem: impl Into<String>) -> Self {
        ImageError::Dicom { path: path.into(), problem: problem.into() }
    }

    pub(crate) fn io(path: &Path, doing: &'static str, source: std::io::Error) -> Self {
        if source.kind() == std::io::ErrorKind::NotFound {
            return ImageError::NotFound { path: path.into() };
        }
        ImageError::Io { path: path.into(), doing, source }
    }
}
