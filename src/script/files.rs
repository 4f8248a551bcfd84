//! Files that a step reads: what a string names on disk, and a fingerprint of it.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::Result;
use duckdb::Connection;

use super::hash;

/// Smaller files are hashed whole; of larger ones size and time of change are taken.
const SMALL: u64 = 1 << 20;
/// A folder with more files than this is no study folder; it is not looked through further.
const MOST_FILES: usize = 1_000_000;

/// Fingerprints of files, each taken once a run as long as the file stays as it is.
#[derive(Default)]
pub struct Files {
    contents: HashMap<(PathBuf, u64, u128), String>,
}

impl Files {
    /// A fingerprint of what `text` names: a file, all files of a folder, or those of a glob. `None`: it names nothing.
    pub fn fingerprint(&mut self, connection: &Connection, text: &str) -> Result<Option<String>> {
        if !may_be_path(text) {
            return Ok(None);
        }
        let path = Path::new(text);
        let files = if path.is_file() {
            vec![path.to_path_buf()]
        } else if path.is_dir() {
            let mut files = Vec::new();
            walk(path, &mut files);
            files
        } else if text.contains(['*', '?', '[']) {
            glob(connection, text)
        } else {
            return Ok(None);
        };
        if files.is_empty() {
            return Ok(None);
        }
        let mut entries = BTreeMap::new();
        for file in files {
            entries.insert(file.display().to_string(), self.entry(&file)?);
        }
        Ok(Some(hash::of(entries.iter().flat_map(|(name, entry)| [name.as_str(), entry.as_str()]))))
    }

    fn entry(&mut self, file: &Path) -> Result<String> {
        // A file that goes away while it is looked at counts as absent.
        let Ok(metadata) = fs::metadata(file) else { return Ok("absent".into()) };
        let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |age| age.as_nanos());
        let size = metadata.len();
        if size >= SMALL {
            return Ok(format!("{size} {changed}"));
        }
        let key = (file.to_path_buf(), size, changed);
        if let Some(known) = self.contents.get(&key) {
            return Ok(known.clone());
        }
        let content = fs::read(file).map_or_else(|error| format!("unreadable: {error}"), |bytes| hash::of_bytes(&bytes));
        self.contents.insert(key, content.clone());
        Ok(content)
    }
}

/// Could this string be a path at all? Words such as `.` and `/` are separators far more often.
fn may_be_path(text: &str) -> bool {
    let is_short = text.len() < 3 || text.len() > 4096;
    let has_path_sign = text.contains(['/', '.', '*', '\\']) || Path::new(text).exists();
    !is_short && !text.contains(['\n', '\0']) && has_path_sign && text.chars().any(char::is_alphanumeric)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if files.len() >= MOST_FILES {
            return;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&entry.path(), files),
            Ok(_) => files.push(entry.path()),
            Err(_) => {}
        }
    }
}

/// The files that DuckDB itself finds for a glob.
fn glob(connection: &Connection, pattern: &str) -> Vec<PathBuf> {
    let found = || -> duckdb::Result<Vec<PathBuf>> {
        let mut statement = connection.prepare("SELECT file FROM glob(?)")?;
        let rows = statement.query_map([pattern], |row| row.get::<_, String>(0))?;
        rows.map(|row| row.map(PathBuf::from)).collect()
    };
    // A string that is no glob after all names no file.
    found().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_follow_content() {
        let connection = Connection::open_in_memory().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap().to_string();
        let mut files = Files::default();
        let mut of = |text: &str| files.fingerprint(&connection, text).unwrap();
        assert_eq!(of(&root), None);
        fs::write(folder.path().join("a.csv"), "1").unwrap();
        let (file, glob, all) = (of(&format!("{root}/a.csv")), of(&format!("{root}/*.csv")), of(&root));
        assert!(file.is_some() && glob.is_some() && all.is_some());
        assert_eq!(of(&format!("{root}/b.csv")), None);
        fs::write(folder.path().join("a.csv"), "22").unwrap();
        assert_ne!(of(&format!("{root}/a.csv")), file);
        assert_ne!(of(&format!("{root}/*.csv")), glob);
        assert_ne!(of(&root), all);
    }

    #[test]
    fn separators_are_no_paths() {
        for text in [".", "/", "..", "", "*", "a\n/b"] {
            assert!(!may_be_path(text), "{text:?}");
        }
    }
}
