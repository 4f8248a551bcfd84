//! Image files as rows.

use std::path::{Path, PathBuf};

use esccsql_imaging::{Recipe, read_header, sha256_file};
use rayon::prelude::*;

use crate::shape::{Environment, Function, Image, Kind, Problem, options, record, table};

/// Endings of the files that are read.
const ENDINGS: [&str; 7] = [".nii", ".nii.gz", ".hdr", ".nrrd", ".nhdr", ".mha", ".mhd"];

record! {
    /// One file.
    struct ImageFile {
        path: String,
        format: String,
        modality: Option<String>,
        shape: Vec<i64>,
        spacing: Vec<f64>,
        origin: Vec<f64>,
        direction: Vec<f64>,
        dtype: String,
        sha256: Option<String>,
        image: Image,
    }
}

options! {
    struct Options {
        /// Compute each file's SHA-256, which reads it whole.
        sha256: bool = true,
    }
}

pub fn read_images() -> Function {
    table("read_images", "One row per image file of a folder (searched with its subfolders), a glob pattern or a single path. Headers are read, voxels are not.")
        .arg("path", Kind::Text, "folder, pattern such as 'scans/*.nii.gz' or 'scans/**/*_pre.nrrd', or file")
        .options::<Options>()
        .example("SELECT path, shape, spacing, image FROM read_images('*.nii.gz') ORDER BY path")
        .rows(|arguments, options| {
            let environment = Environment::current();
            let files = files(arguments.text(0), &environment)?;
            let read = |path: &PathBuf| describe(path, options, &environment);
            environment.pool()?.install(|| files.par_iter().map(read).collect::<Vec<_>>()).into_iter().collect()
        })
}

/// `FROM 'name'` reads images when the name ends like one.
pub fn is_image_path(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

fn describe(path: &Path, options: &Options, environment: &Environment) -> Result<ImageFile, Problem> {
    environment.check_path(path)?;
    let header = read_header(path).map_err(Problem::user)?;
    let name = path.to_string_lossy().into_owned();
    Ok(ImageFile {
        format: header.format.to_string(),
        modality: None,
        shape: header.geometry.size.iter().map(|&n| n as i64).collect(),
        spacing: header.geometry.spacing.to_vec(),
        origin: header.geometry.origin.to_vec(),
        direction: header.geometry.direction.concat(),
        dtype: header.dtype.to_string(),
        sha256: options.sha256.then(|| sha256_file(path)).transpose().map_err(Problem::user)?,
        image: Image(Recipe::image(name.as_str()).to_string()),
        path: name,
    })
}

/// The image files that a pattern means, sorted.
fn files(pattern: &str, environment: &Environment) -> Result<Vec<PathBuf>, Problem> {
    let path = Path::new(pattern);
    let mut found = Vec::new();
    if path.is_dir() {
        environment.check_path(path)?;
        walk(path, &mut |file| {
            if is_image_path(&file.to_string_lossy()) {
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
