//! Files by path or by URL. A URL's file is brought to this machine first, by whatever the program has for it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::environment::Environment;
use super::error::Problem;

/// Brings files of an object store to this machine.
pub trait Fetch: Send + Sync {
    /// A local file with the content that `url` has now. It stays at least while the running function reads it.
    ///
    /// # Errors
    /// What the store answers instead, for the user to read.
    fn fetch(&self, url: &str) -> Result<PathBuf, String>;
}

static FETCH: OnceLock<Box<dyn Fetch>> = OnceLock::new();

/// From now on functions open URLs through `fetch`. The first call counts.
pub fn fetch_with(fetch: Box<dyn Fetch>) {
    let _ = FETCH.set(fetch);
}

/// Does this name a file by URL?
pub fn is_url(address: &str) -> bool {
    address.split_once("://").is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

/// Where a file's bytes are on this machine; a path is itself.
///
/// # Errors
/// A place that the engine's settings close, or a URL that cannot be read.
pub fn local(address: &str) -> Result<PathBuf, Problem> {
    if !is_url(address) {
        Environment::current().check_path(Path::new(address))?;
        return Ok(PathBuf::from(address));
    }
    if address.split('/').any(|part| part == "..") {
        return Err(Problem::user(format!("{address}: a URL without '..' is needed")));
    }
    Environment::current().check_path(Path::new(address))?;
    let fetch = FETCH.get().ok_or_else(|| {
        Problem::user(format!("{address}: URLs are read by the executors of a cluster (--cluster); give the path of a file here"))
    })?;
    fetch.fetch(address).map_err(|message| Problem::user(format!("{address}: {message}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_paths() {
        assert!(is_url("s3://bucket/scan.nii.gz") && is_url("file:///data/scan.nii.gz"));
        assert!(!is_url("scan.nii.gz") && !is_url("C:\\scan.nii.gz") && !is_url("a b://c") && !is_url("/data/x://y"));
        assert_eq!(local("data/scan.nii.gz").unwrap(), PathBuf::from("data/scan.nii.gz"));
        assert!(local("s3://bucket/../other/scan.nii.gz").unwrap_err().to_string().contains("'..'"));
    }
}
