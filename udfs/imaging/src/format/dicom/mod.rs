//! DICOM: image series (CT, MR, PET, single slices or enhanced multi-frame) as volumes, RTSTRUCT and SEG as masks on
//! the grid of the series that they belong to.
//!
//! A path is a folder with one series, one file of it, or `folder#SeriesInstanceUID`; of an RTSTRUCT or SEG,
//! `file#folder` where the images are not found beside it.

mod codecs;
mod file;
mod find;
mod header;
mod object;
mod parser;
mod pixels;
mod rtstruct;
mod seg;
mod series;
mod tags;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use ndarray::Array3;

pub(super) use file::recognises;
pub use find::{Guard, open_to_all};

use super::{Format, Header};
use crate::error::{ImageError, Result};
use crate::{Geometry, Label, Volume, Voxels, mask};
use file::DicomFile;
use header::{ImageFile, Kind, kind, series_of};
use rtstruct::StructureSet;
use seg::Segmentation;
use series::Series;

/// A DICOM series, RTSTRUCT or SEG, without its voxels.
#[derive(Debug, Clone, PartialEq)]
pub struct DicomEntry {
    /// As [`crate::Recipe`] takes it: the file, or the folder with `#SeriesInstanceUID` where it holds several series.
    pub path: String,
    /// The series' files along z, or the one file.
    pub files: Vec<PathBuf>,
    pub modality: Option<String>,
    /// SeriesInstanceUID of the images; of an RTSTRUCT or SEG, of the images that it belongs to.
    pub series: Option<String>,
    /// Of an RTSTRUCT or SEG: names of its regions.
    pub regions: Option<Vec<String>>,
    /// Of images.
    pub header: Option<Header>,
}

/// Whether a path means DICOM: a folder, a DICOM file, or one of them followed by `#`.
pub fn is_dicom(path: impl AsRef<Path>) -> bool {
    let (place, _) = find::split(path.as_ref());
    place.is_dir() || find::is_dicom(&place)
}

/// The file or folder that a path in a query names, without what follows `#`.
pub fn place(path: impl AsRef<Path>) -> PathBuf {
    find::split(path.as_ref()).0
}

/// The header of a series.
pub(super) fn read_header(path: &Path, guard: Guard) -> Result<Header> {
    Ok(header_of(&find::series(path, guard)?))
}

/// The voxels of a series.
pub(super) fn read_volume(path: &Path, guard: Guard) -> Result<Volume> {
    find::series(path, guard)?.load()
}

/// A region of an RTSTRUCT or SEG as 0 and 1 on the grid of its series; without a label all of them by their numbers.
/// A series whose voxels are labels is a mask as well.
pub(crate) fn read_mask(path: &Path, label: Option<&Label>, guard: Guard) -> Result<Volume> {
    let (place, given) = find::split(path);
    if place.is_dir() {
        return numbered(path, label, guard);
    }
    guard(&place)?;
    let file = DicomFile::open(&place, true)?;
    match kind(&file.object) {
        Kind::RtStruct => {
            let set = StructureSet::of(&file)?;
            let series = find::referenced(&place, &set.series, given.as_deref(), guard)?;
            same_space(&place, &set.frame_of_reference, &series)?;
            structures(&set, &series.geometry, label, &place)
        }
        Kind::Seg => {
            let segmentation = Segmentation::of(&file)?;
            let series = find::referenced(&place, &segmentation.series, given.as_deref(), guard)?;
            same_space(&place, &segmentation.frame_of_reference, &series)?;
            segments(&file, &segmentation, &series.geometry, label)
        }
        Kind::Image | Kind::Other => numbered(path, label, guard),
    }
}

/// A series whose voxels are labels.
fn numbered(path: &Path, label: Option<&Label>, guard: Guard) -> Result<Volume> {
    let volume = read_volume(path, guard)?;
    match label {
        None => Ok(volume),
        Some(label) => one_label(&volume, label, path),
    }
}

/// One label of a mask of numbers.
pub(crate) fn one_label(volume: &Volume, label: &Label, path: &Path) -> Result<Volume> {
    match label {
        Label::Number(label) => mask::select_label(volume, *label, path),
        Label::Roi(name) => {
            let found = format!("'{name}', a region's name, for voxels that are numbers");
            Err(ImageError::header(path, "the label", found, "a label number (regions have names in DICOM RTSTRUCT and SEG)"))
        }
    }
}

/// The regions of an RTSTRUCT or SEG, as (number, name).
fn structures(set: &StructureSet, grid: &Geometry, label: Option<&Label>, path: &Path) -> Result<Volume> {
    let regions: Vec<(u32, &str)> = set.regions.iter().map(|r| (r.number, r.name.as_str())).collect();
    let mut out = Array3::<u32>::zeros(grid.shape());
    match label {
        Some(label) => {
            let region = &set.regions[choose(&regions, label, path)?];
            out.zip_mut_with(&region.rasterise(grid, path)?, |out, inside| *out = u32::from(*inside));
        }
        None => {
            // Points, such as the isocentre, and regions that nobody drew are not part of a mask of all.
            for region in set.regions.iter().filter(|region| region.encloses()) {
                let inside = region.rasterise(grid, path)?;
                if out.iter().zip(&inside).any(|(out, inside)| *out != 0 && *inside) {
                    let problem = format!(
                        "region '{}' overlaps another, so that one mask cannot hold all; choose one of {}",
                        region.name,
                        listed(&regions)
                    );
                    return Err(ImageError::dicom(path, problem));
                }
                out.zip_mut_with(&inside, |out, inside| {
                    if *inside {
                        *out = region.number;
                    }
                });
            }
        }
    }
    Ok(finished(out, grid))
}

fn segments(file: &DicomFile, segmentation: &Segmentation, grid: &Geometry, label: Option<&Label>) -> Result<Volume> {
    let regions: Vec<(u32, &str)> = segmentation.segments.iter().map(|s| (s.number, s.label.as_str())).collect();
    let chosen = label.map(|label| choose(&regions, label, &file.path)).transpose()?.map(|i| regions[i].0);
    Ok(finished(seg::mask(file, segmentation, grid, chosen)?, grid))
}

/// Masks take the smallest type that holds their labels.
fn finished(voxels: Array3<u32>, grid: &Geometry) -> Volume {
    let most = voxels.iter().copied().max().unwrap_or(0);
    let voxels = match most {
        0..=255 => Voxels::U8(voxels.mapv(|v| v as u8)),
        256..=65535 => Voxels::U16(voxels.mapv(|v| v as u16)),
        _ => Voxels::U32(voxels),
    };
    Volume { geometry: grid.clone(), voxels }
}

/// The place of a region in a list of numbers and names.
fn choose(regions: &[(u32, &str)], label: &Label, path: &Path) -> Result<usize> {
    let (wanted, number) = match label {
        Label::Number(number) => (number.to_string(), Some(*number)),
        Label::Roi(name) => (name.trim().to_string(), None),
    };
    if let Some(at) = regions.iter().position(|(n, _)| Some(*n) == number) {
        return Ok(at);
    }
    let named: Vec<usize> = (0..regions.len()).filter(|&i| regions[i].1 == wanted).collect();
    match named.as_slice() {
        [one] => Ok(*one),
        [] => Err(ImageError::dicom(path, format!("it holds no region '{wanted}'; it holds {}", listed(regions)))),
        many => {
            let numbers: Vec<String> = many.iter().map(|&i| regions[i].0.to_string()).collect();
            Err(ImageError::dicom(path, format!("regions {} are all called '{wanted}'; choose one by its number", numbers.join(", "))))
        }
    }
}

/// Regions for a message.
fn listed(regions: &[(u32, &str)]) -> String {
    match regions {
        [] => "none".into(),
        some => some.iter().map(|(number, name)| format!("'{name}' ({number})")).collect::<Vec<_>>().join(", "),
    }
}

/// Refuses regions that were drawn in another coordinate system than the series has.
fn same_space(path: &Path, frame: &Option<String>, series: &Series) -> Result<()> {
    match (frame, &series.frame_of_reference) {
        (Some(a), Some(b)) if a != b => {
            let problem = format!(
                "its frame of reference ({a}) is not that of the images in {} ({b}); give the series that it was made on, or register the two first",
                series.place.display()
            );
            Err(ImageError::dicom(path, problem))
        }
        _ => Ok(()),
    }
}

fn header_of(series: &Series) -> Header {
    Header { format: Format::Dicom, dtype: series.dtype, geometry: series.geometry.clone() }
}

/// What is found at a path, or why it cannot be read.
pub type Found = (String, Result<DicomEntry>);

/// The DICOM series, RTSTRUCTs and SEGs among files, sorted by path. Of a series, one file brings the whole.
pub fn list_dicom(files: &[PathBuf], guard: Guard) -> Result<Vec<Found>> {
    let mut folders: BTreeMap<PathBuf, BTreeSet<OsString>> = BTreeMap::new();
    for path in files {
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        folders.entry(folder).or_default().extend(path.file_name().map(OsString::from));
    }
    let mut entries = Vec::new();
    for (folder, names) in folders {
        list_folder(&folder, &names, guard, &mut entries)?;
    }
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(entries)
}

/// What some of a folder's files hold.
fn list_folder(folder: &Path, names: &BTreeSet<OsString>, guard: Guard, entries: &mut Vec<Found>) -> Result<()> {
    let mut images: BTreeMap<String, Vec<DicomFile>> = BTreeMap::new();
    let mut wanted = BTreeSet::new();
    let mut damaged = None;
    let paths = find::files(folder, guard)?;
    for (path, file) in paths.iter().zip(find::headers(&paths)) {
        let asked = path.file_name().is_some_and(|name| names.contains(name));
        let name = || path.to_string_lossy().into_owned();
        match file.and_then(|file| Ok((slice_of(&file)?, file))) {
            Ok((Some(uid), file)) => {
                if asked {
                    wanted.insert(uid.clone());
                }
                images.entry(uid).or_default().push(file);
            }
            Ok((None, file)) if asked => entries.extend(regions_of(&file, name()).transpose().map(|entry| (name(), entry))),
            Ok(_) => {}
            Err(error) => {
                damaged.get_or_insert(path);
                entries.push((name(), Err(error)));
            }
        }
    }
    // The slice that a series lacks may be one that cannot be read.
    let cause = |error: ImageError| match (error, damaged.and_then(|path| path.file_name())) {
        (ImageError::Dicom { path, problem }, Some(file)) => {
            ImageError::Dicom { path, problem: format!("{problem}; beside them {} cannot be read", file.display()) }
        }
        (other, _) => other,
    };
    for uid in wanted {
        let place = if images.len() == 1 { folder.display().to_string() } else { format!("{}#{uid}", folder.display()) };
        let entry = find::assemble(folder, &images[&uid]).map_err(cause).map(|series| DicomEntry {
            path: place.clone(),
            files: series.paths().into_iter().map(Path::to_path_buf).collect(),
            modality: series.modality.clone(),
            series: Some(series.uid.clone()),
            regions: None,
            header: Some(header_of(&series)),
        });
        entries.push((place, entry));
    }
    Ok(())
}

/// The series that a file is a part of.
fn slice_of(file: &DicomFile) -> Result<Option<String>> {
    match kind(&file.object) {
        Kind::Image => series_of(file).map(Some),
        Kind::RtStruct | Kind::Seg | Kind::Other => Ok(None),
    }
}

/// The regions of an RTSTRUCT or SEG.
fn regions_of(file: &DicomFile, path: String) -> Result<Option<DicomEntry>> {
    let (names, series): (Vec<String>, Vec<String>) = match kind(&file.object) {
        Kind::RtStruct => {
            let set = StructureSet::of(file)?;
            (set.regions.into_iter().map(|region| region.name).collect(), set.series)
        }
        Kind::Seg => {
            let segmentation = Segmentation::of(file)?;
            (segmentation.segments.into_iter().map(|segment| segment.label).collect(), segmentation.series)
        }
        Kind::Image | Kind::Other => return Ok(None),
    };
    Ok(Some(DicomEntry {
        path,
        files: vec![file.path.clone()],
        modality: file.object.text(tags::MODALITY),
        series: series.into_iter().next(),
        regions: Some(names),
        header: None,
    }))
}

/// Reads one DICOM file from its bytes: an image as a volume, an RTSTRUCT or SEG as a mask on the grid of a few voxels
/// (RTSTRUCT) or of its own first frame (SEG). For tests and fuzzing.
pub fn parse_dicom(bytes: &[u8]) -> Result<Volume> {
    let file = DicomFile::parse(bytes)?;
    match kind(&file.object) {
        Kind::Image => {
            codecs::check_syntax(&file)?;
            let series = Series::new(&file.path, vec![ImageFile::of(&file)?])?;
            series.load_from(|_| DicomFile::parse(bytes))
        }
        Kind::RtStruct => {
            let grid = Geometry { origin: [-16.0; 3], ..Geometry::identity([32; 3]) };
            structures(&StructureSet::of(&file)?, &grid, None, &file.path)
        }
        Kind::Seg => {
            let segmentation = Segmentation::of(&file)?;
            let grid = segmentation.own_grid();
            grid.check().map_err(|geometry| ImageError::BadGeometry { path: file.path.clone(), geometry })?;
            segments(&file, &segmentation, &grid, None)
        }
        Kind::Other => Err(ImageError::dicom(&file.path, "it is no image, RTSTRUCT or SEG")),
    }
}
