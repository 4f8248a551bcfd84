//! Which files make a series: a folder's, or those beside one file of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::codecs::check_syntax;
use super::file::{self, DicomFile};
use super::header::{ImageFile, Kind, kind, series_of};
use super::series::Series;
use crate::error::{ImageError, Result};

/// Asked before a file or folder is opened that the user did not name.
pub type Guard<'a> = &'a (dyn Fn(&Path) -> Result<()> + Sync);

/// Lets everything be opened.
pub fn open_to_all(_: &Path) -> Result<()> {
    Ok(())
}

/// A path as it is written in a query: the file or folder, and what follows `#`.
pub(super) fn split(path: &Path) -> (PathBuf, Option<String>) {
    if path.exists() {
        return (path.into(), None);
    }
    let text = path.to_string_lossy();
    match text.rsplit_once('#') {
        Some((place, choice)) if !place.is_empty() && !choice.is_empty() => (place.into(), Some(choice.into())),
        _ => (path.into(), None),
    }
}

/// Whether a file begins as DICOM files do.
pub(super) fn is_dicom(path: &Path) -> bool {
    let mut head = Vec::new();
    path.is_file() && File::open(path).is_ok_and(|file| file.take(132).read_to_end(&mut head).is_ok()) && file::recognises(&head)
}

/// The DICOM files of a folder, without its subfolders, sorted. Files of other kinds are passed over, unless their name
/// ends in `.dcm`.
pub(super) fn files(folder: &Path, guard: Guard) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in candidates(folder, guard)? {
        guard(&path)?;
        let named = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("dcm"));
        if named || is_dicom(&path) {
            found.push(path);
        }
    }
    Ok(found)
}

/// A folder's files but hidden ones, sorted.
fn candidates(folder: &Path, guard: Guard) -> Result<Vec<PathBuf>> {
    guard(folder)?;
    let unreadable = |e| ImageError::io(folder, "listing the folder", e);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The headers of several files, in their order.
pub(super) fn headers(paths: &[PathBuf]) -> Vec<Result<DicomFile>> {
    paths.par_iter().map(|path| DicomFile::open(path, false)).collect()
}

/// The image series of a folder: SeriesInstanceUID and its files.
pub(super) fn series_in(folder: &Path, guard: Guard) -> Result<BTreeMap<String, Vec<DicomFile>>> {
    let mut all: BTreeMap<String, Vec<DicomFile>> = BTreeMap::new();
    for file in headers(&files(folder, guard)?) {
        let file = file?;
        if kind(&file.object) == Kind::Image {
            all.entry(series_of(&file)?).or_default().push(file);
        }
    }
    Ok(all)
}

/// A series from its files.
pub(super) fn assemble(place: &Path, files: &[DicomFile]) -> Result<Series> {
    let images = files.iter().map(|file| check_syntax(file).and_then(|()| ImageFile::of(file))).collect::<Result<Vec<_>>>()?;
    Series::new(place, images)
}

/// The series that a path means: a folder with one, `folder#SeriesInstanceUID`, or any of its files.
pub(super) fn series(path: &Path, guard: Guard) -> Result<Series> {
    let (place, choice) = split(path);
    if place.is_dir() {
        let mut all = series_in(&place, guard)?;
        if let Some(uid) = choice {
            let files = all.remove(&uid);
            let files = files.ok_or_else(|| ImageError::dicom(&place, format!("it holds no series {uid}; it holds {}", listed(&all))))?;
            return assemble(&place, &files);
        }
        return match all.len() {
            0 => Err(ImageError::dicom(
                &place,
                "the folder holds no DICOM slices (its subfolders are not searched); name the folder that does, or use read_images(folder) to list them",
            )),
            1 => assemble(&place, all.values().next().map_or(&[], Vec::as_slice)),
            n => {
                let problem =
                    format!("the folder holds {n} series; choose one with '{}#SeriesInstanceUID': {}", place.display(), listed(&all));
                Err(ImageError::dicom(&place, problem))
            }
        };
    }
    guard(&place)?;
    let file = DicomFile::open(&place, false)?;
    let advice = "name the folder of an image series";
    match kind(&file.object) {
        Kind::Image => {}
        Kind::RtStruct => {
            return Err(ImageError::dicom(
                &place,
                format!("it holds contours (RTSTRUCT), no image; write mask('{}', 'the region''s name')", place.display()),
            ));
        }
        Kind::Seg => {
            return Err(ImageError::dicom(
                &place,
                format!("it holds a segmentation (SEG), no image; write mask('{}', 1)", place.display()),
            ));
        }
        Kind::Other => {
            let what = file.object.text(super::tags::MODALITY).unwrap_or("unknown".into());
            return Err(ImageError::dicom(&place, format!("it is no slice with a place in the patient (modality {what}); {advice}")));
        }
    }
    let uid = series_of(&file)?;
    let folder = match place.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut all = series_in(folder, guard)?;
    match all.remove(&uid) {
        Some(files) => assemble(folder, &files),
        None => Err(ImageError::dicom(&place, "it changed while it was read; try again")),
    }
}

/// Series for a message.
fn listed(all: &BTreeMap<String, Vec<DicomFile>>) -> String {
    if all.is_empty() {
        return "none".into();
    }
    let one = |(uid, files): (&String, &Vec<DicomFile>)| {
        let modality = files.first().and_then(|file| file.object.text(super::tags::MODALITY));
        format!("{uid} ({}, {} files)", modality.as_deref().unwrap_or("no modality"), files.len())
    };
    all.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Looks for one of the series that an RTSTRUCT or SEG refers to: in its own folder, in the one above, then in the
/// folders beside its own (`image` first), of which one file tells the series. `given` is a folder or file instead.
pub(super) fn referenced(path: &Path, uids: &[String], given: Option<&str>, guard: Guard) -> Result<Series> {
    if let Some(given) = given {
        return series(Path::new(given), guard);
    }
    let own = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let above = own.join("..");
    let above = match own.parent() {
        Some(parent) if !parent.as_os_str().is_empty() && !own.ends_with("..") => parent.to_path_buf(),
        _ => above,
    };
    let mut searched = vec![own.clone()];
    if let Some(found) = in_folder(&own, uids, guard)? {
        return Ok(found);
    }
    // Folders beside it may be closed to this query; then they are not looked at.
    let open = |folder: &Path| guard(folder).is_ok();
    if open(&above) {
        let mut beside: Vec<PathBuf> = match std::fs::read_dir(&above) {
            Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|p| p.is_dir()).collect(),
            Err(_) => Vec::new(),
        };
        beside.sort_by_key(|folder| (!folder.ends_with("image"), folder.clone()));
        for folder in std::iter::once(&above).chain(&beside).filter(|folder| open(folder)) {
            let same = std::fs::canonicalize(folder).ok() == std::fs::canonicalize(&own).ok();
            if same || !starts_series(folder, uids, guard) {
                continue;
            }
            searched.push(folder.clone());
            if let Some(found) = in_folder(folder, uids, guard)? {
                return Ok(found);
            }
        }
    }
    let wanted = match uids {
        [] => "it names no series".to_string(),
        some => format!("the series that it belongs to ({}) is not in its folder nor in those beside it", some.join(", ")),
    };
    Err(ImageError::dicom(path, format!("{wanted}; give the folder of the images: mask('{}#folder/of/the/images', ...)", path.display())))
}

/// Whether the first DICOM file of a folder is of one of these series.
fn starts_series(folder: &Path, uids: &[String], guard: Guard) -> bool {
    let Ok(files) = candidates(folder, guard) else { return false };
    let first = files.iter().find(|path| guard(path).is_ok() && is_dicom(path));
    let Some(Ok(file)) = first.map(|path| DicomFile::open(path, false)) else { return false };
    series_of(&file).is_ok_and(|uid| uids.contains(&uid))
}

fn in_folder(folder: &Path, uids: &[String], guard: Guard) -> Result<Option<Series>> {
    let all = series_in(folder, guard)?;
    match uids.iter().find_map(|uid| all.get(uid)) {
        Some(files) => assemble(folder, files).map(Some),
        None => Ok(None),
    }
}
