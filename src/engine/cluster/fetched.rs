//! Files of an object store that an executor keeps on its disk while they are in use.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use esccsql_functions::shape::Fetch;
use object_store::ObjectStoreExt;
use sha2::{Digest, Sha256};
use url::Url;

use super::stores::{Stores, wait};

/// A file stays at least this long after its last use: a function may be reading it.
const GRACE: Duration = Duration::from_secs(600);
/// Files are fetched side by side, the same file once.
const LANES: usize = 16;

/// Files fetched, the oldest forgotten first.
pub struct Fetched {
    folder: PathBuf,
    /// Bytes to keep at most.
    limit: u64,
    grace: Duration,
    stores: Stores,
    entries: Mutex<Vec<Entry>>,
    lanes: [Mutex<()>; LANES],
}

struct Entry {
    key: String,
    file: PathBuf,
    bytes: u64,
    used: Instant,
}

impl Fetched {
    /// Files in `folder`, which is emptied first.
    pub fn new(folder: PathBuf, limit: u64) -> Result<Fetched> {
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let lanes = std::array::from_fn(|_| Mutex::new(()));
        Ok(Fetched { folder, limit, grace: GRACE, stores: Stores::default(), entries: Mutex::default(), lanes })
    }

    fn get(&self, address: &str) -> Result<PathBuf> {
        let url = Url::parse(address).context("this is no URL")?;
        let (store, path) = self.stores.find(&url)?;
        let name = path.filename().context("the URL names no file")?.to_string();
        let (asked, at) = (store.clone(), path.clone());
        let meta = wait(async move { asked.head(&at).await.context("the store has no such file, or does not let it be read") })?;
        let version = format!("{address} {:?} {} {}", meta.e_tag, meta.size, meta.last_modified);
        let digest = Sha256::digest(version.as_bytes());
        let key: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let _lane = self.lanes[usize::from(digest[0]) % LANES].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = self.known(&key) {
            return Ok(file);
        }
        let folder = self.folder.join(&key);
        fs::create_dir_all(&folder)?;
        let (file, part) = (folder.join(name), folder.join(".part"));
        let target = part.clone();
        wait(async move {
            let bytes = store.get(&path).await?.bytes().await?;
            fs::write(&target, &bytes).with_context(|| format!("no room at {}", target.display()))
        })?;
        fs::rename(&part, &file)?;
        self.remember(Entry { key, file: file.clone(), bytes: meta.size, used: Instant::now() });
        Ok(file)
    }

    fn known(&self, key: &str) -> Option<PathBuf> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.iter_mut().find(|entry| entry.key == key)?;
        entry.used = Instant::now();
        Some(entry.file.clone())
    }

    fn remember(&self, entry: Entry) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push(entry);
        entries.sort_by_key(|entry| entry.used);
        let mut bytes: u64 = entries.iter().map(|entry| entry.bytes).sum();
        entries.retain(|entry| {
            let stays = bytes <= self.limit || entry.used.elapsed() < self.grace;
            if !stays {
                bytes -= entry.bytes;
                // A file that cannot be removed costs room, nothing else.
                let _ = entry.file.parent().map(fs::remove_dir_all);
            }
            stays
        });
    }
}

impl Fetch for Fetched {
    fn fetch(&self, url: &str) -> Result<PathBuf, String> {
        self.get(url).map_err(|error| format!("{error:#}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_fetched_once_anew_when_it_changed_and_forgotten_when_it_is_old() {
        let store = tempfile::tempdir().unwrap();
        let kept = tempfile::tempdir().unwrap();
        let url = |name: &str| Url::from_file_path(store.path().join(name)).unwrap().to_string();
        let mut fetched = Fetched::new(kept.path().join("fetched"), 10).unwrap();
        fs::write(store.path().join("a b.nii"), "first").unwrap();
        let first = fetched.fetch(&url("a b.nii")).unwrap();
        assert_eq!(first.file_name().unwrap(), "a b.nii");
        assert_eq!(fetched.fetch(&url("a b.nii")).unwrap(), first);
        fs::write(store.path().join("a b.nii"), "second").unwrap();
        let second = fetched.fetch(&url("a b.nii")).unwrap();
        assert_eq!((fs::read_to_string(&first).unwrap().as_str(), fs::read_to_string(&second).unwrap().as_str()), ("first", "second"));
        fetched.grace = Duration::ZERO;
        fs::write(store.path().join("c.nii"), "third").unwrap();
        let third = fetched.fetch(&url("c.nii")).unwrap();
        assert!(!first.exists() && !second.exists() && third.exists());
        assert!(fetched.fetch(&url("d.nii")).unwrap_err().contains("no such file"));
    }
}
