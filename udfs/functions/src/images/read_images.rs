//! Image files and DICOM series as rows.

use std::path::{Path, PathBuf};

use esccsql_imaging::{DicomEntry, Found, Header, ImageError, Recipe, is_dicom, list_dicom, place, read_header, sha256_file, sha256_files};

use crate::shape::{Environment, Function, Image, Kind, OnError, Problem, options, record, table};

/// Endings of the files that are read. DICOM files are also found by their first bytes.
const ENDINGS: [&str; 8] = [".nii", ".nii.gz", ".hdr", ".nrrd", ".nhdr", ".mha", ".mhd", ".dcm"];

record! {
    /// One file or one DICOM series. An RTSTRUCT or SEG has no grid of its own: it belongs to a series.
    struct ImageFile {
        path: String,
        format: Option<String>,
        modality: Option<String>,
        shape: Option<Vec<i64>>,
        spacing: Option<Vec<f64>>,
        origin: Option<Vec<f64>>,
        direction: Option<Vec<f64>>,
        dtype: Option<String>,
        series: Option<String>,
        rois: Option<Vec<String>>,
        sha256: Option<String>,
        image: Option<Image>,
    }
}

options! {
    struct Options {
        /// Compute each file's SHA-256, which reads it whole. Of a DICOM series: of its files one after the other, along z.
        sha256: bool = true,
        /// 'null' gives a file or series that cannot be read a row of NULLs but for its path, and a line in esccsql_errors().
        on_error: OnError = OnError::Fail,
    }
}

pub fn read_images() -> Function {
    table("read_images", "One row per image file, DICOM series, RTSTRUCT and SEG of a folder (searched with its subfolders), a glob pattern or a single path. Headers are read, voxels are not. `series` is the SeriesInstanceUID of a DICOM series and, of an RTSTRUCT or SEG, of the images that it belongs to; `rois` are the names of its regions for mask(path, name).")
        .arg("path", Kind::Text, "folder, pattern such as 'scans/*.nii.gz' or 'scans/**/*_pre.nrrd', or file")
        .options::<Options>()
        .example("SELECT path, shape, spacing, image FROM read_images('*.nii.gz') ORDER BY path")
        .rows(|arguments, options| {
            let environment = Environment::current();
            let found = files(arguments.text(0), &environment)?;
            for path in &found {
                environment.check_path(&place(path))?;
            }
            let (dicom, files): (Vec<_>, Vec<_>) = found.into_iter().partition(|path| is_dicom(path));
            let guard = |path: &Path| environment.check_path(path).map_err(|problem| ImageError::Operation(problem.to_string()));
            let series = environment.pool()?.install(|| list_dicom(&dicom, &guard)).map_err(Problem::user)?;
            let mut rows = environment.map(series.len(), |i| dicom_row(&series[i], options))?;
            rows.extend(environment.map(files.len(), |i| file_row(&files[i], options))?);
            rows.sort_by(|(a, _), (b, _)| a.cmp(b));
            let or_nulls = |(path, row): (String, Result<ImageFile, Problem>)| {
                row.or_else(|problem| options.on_error.note("read_images", problem, &|| path.clone()).map(|()| unread(path)))
            };
            rows.into_iter().map(or_nulls).collect()
        })
}

/// `FROM 'name'` reads images when the name ends like one.
pub fn is_image_path(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

fn file_row(file: &Path, options: &Options) -> (String, Result<ImageFile, Problem>) {
    let path = file.to_string_lossy().into_owned();
    let read = || {
        let header = read_header(file)?;
        let sha256 = options.sha256.then(|| sha256_file(file)).transpose()?;
        Ok(ImageFile { sha256, ..row(path.clone(), Recipe::image(path.as_str()), header.format.to_string(), Some(&header)) })
    };
    let row = read().map_err(|error: ImageError| Problem::user(error));
    (path, row)
}

fn dicom_row((path, found): &Found, options: &Options) -> (String, Result<ImageFile, Problem>) {
    let row = match found {
        Ok(entry) => entry_row(entry, options),
        Err(error) => Err(Problem::user(error)),
    };
    (path.clone(), row)
}

fn entry_row(entry: &DicomEntry, options: &Options) -> Result<ImageFile, Problem> {
    let sha256 = options.sha256.then(|| sha256_files(&entry.files)).transpose().map_err(Problem::user)?;
    let image = match entry.regions {
        Some(_) => Recipe::mask(entry.path.as_str(), None),
        None => Recipe::image(entry.path.as_str()),
    };
    Ok(ImageFile {
        modality: entry.modality.clone(),
        series: entry.series.clone(),
        rois: entry.regions.clone(),
        sha256,
        ..row(entry.path.clone(), image, "DICOM".into(), entry.header.as_ref())
    })
}

fn row(path: String, image: Recipe, format: String, header: Option<&Header>) -> ImageFile {
    let grid = header.map(|header| &header.geometry);
    ImageFile {
        format: Some(format),
        shape: grid.map(|grid| grid.size.iter().map(|&n| n as i64).collect()),
        spacing: grid.map(|grid| grid.spacing.to_vec()),
        origin: grid.map(|grid| grid.origin.to_vec()),
        direction: grid.map(|grid| grid.direction.concat()),
        dtype: header.map(|header| header.dtype.to_string()),
        image: Some(Image(image.to_string())),
        ..unread(path)
    }
}

/// What is known of a file that cannot be read.
fn unread(path: String) -> ImageFile {
    ImageFile {
        path,
        format: None,
        modality: None,
        shape: None,
        spacing: None,
        origin: None,
        direction: None,
        dtype: None,
        series: None,
        rois: None,
        sha256: None,
        image: None,
    }
}

/// The image files that a pattern means, sorted.
fn files(pattern: &str, environment: &Environment) -> Result<Vec<PathBuf>, Problem> {
    let path = Path::new(pattern);
    let mut found = Vec::new();
    if path.is_dir() {
        environment.check_path(path)?;
        walk(path, &mut |file| {
            let hidden = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if !hidden && (is_image_path(&file.to_string_lossy()) || (environment.check_path(&file).is_ok() && is_dicom(&file))) {
                found.push(file);
            }
        })?;
        if found.is_empty() {
            return Err(Problem::user(format!("{pattern}: the folder holds no image ({})", ENDINGS.join(", "))));
        }
    } else if pattern.contains(['*', '?', '[']) {
        let root: PathBuf = path.components().take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '['])).collect();
        let matcher = Pattern::new(pattern);
        let folder = if root.as_os_str().is_empty() { Path::new(".") } else { &root };
        environment.check_path(folder)?;
        walk(folder, &mut |file| {
            let file = file.strip_prefix(".").map(Path::to_path_buf).ok().filter(|_| root.as_os_str().is_empty()).unwrap_or(file);
            if matcher.matches(&file.to_string_lossy()) {
                found.push(file);
            }
        })?;
        if found.is_empty() {
            return Err(Problem::user(format!("no file matches {pattern}; relative patterns start at the working directory")));
        }
    } else {
        found.push(path.to_path_buf());
    }
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, found: &mut dyn FnMut(PathBuf)) -> Result<(), Problem> {
    let unreadable = |error: std::io::Error| {
        Problem::user(match error.kind() {
            std::io::ErrorKind::NotFound => {
                format!("{}: there is no such folder; check the path (relative paths start at the working directory)", folder.display())
            }
            _ => format!("{}: {error}", folder.display()),
        })
    };
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() { walk(&path, found)? } else { found(path) }
    }
    Ok(())
}

/// A glob pattern: `*` and `?` stay within a folder, `**` crosses folders, `[abc]` is one of the characters.
struct Pattern(Vec<char>);

impl Pattern {
    fn new(pattern: &str) -> Self {
        Pattern(pattern.chars().collect())
    }

    fn matches(&self, name: &str) -> bool {
        matches(&self.0, &name.chars().collect::<Vec<_>>())
    }
}

fn matches(pattern: &[char], name: &[char]) -> bool {
    match pattern {
        [] => name.is_empty(),
        ['*', '*', '/', rest @ ..] => matches(rest, name) || (0..name.len()).any(|i| name[i] == '/' && matches(rest, &name[i + 1..])),
        ['*', '*', rest @ ..] => (0..=name.len()).any(|i| matches(rest, &name[i..])),
        ['*', rest @ ..] => {
            let reach = name.iter().position(|&c| c == '/').unwrap_or(name.len());
            (0..=reach).any(|i| matches(rest, &name[i..]))
        }
        ['?', rest @ ..] => matches!(name, [c, tail @ ..] if *c != '/' && matches(rest, tail)),
        ['[', rest @ ..] => match (rest.iter().position(|&c| c == ']'), name) {
            (Some(end), [c, tail @ ..]) => rest[..end].contains(c) && matches(&rest[end + 1..], tail),
            _ => false,
        },
        [c, rest @ ..] => matches!(name, [d, tail @ ..] if c == d && matches(rest, tail)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stay_in_their_folder_unless_told() {
        for (pattern, name, expected) in [
            ("scans/*.nii.gz", "scans/p1.nii.gz", true),
            ("scans/*.nii.gz", "scans/deep/p1.nii.gz", false),
            ("scans/**/*.nii.gz", "scans/deep/er/p1.nii.gz", true),
            ("scans/**/*.nii.gz", "scans/p1.nii.gz", true),
            ("p[12].nrrd", "p2.nrrd", true),
            ("p?.nrrd", "p12.nrrd", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(name), expected, "{pattern} {name}");
        }
    }
}
