//! Volumes that were decoded a moment ago.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use crate::error::{ImageError, Result};
use crate::format::dicom::{self, Guard, open_to_all};
use crate::format::read_volume_within;
use crate::{Label, Volume};

/// A store of decoded volumes, shared by threads, bounded in bytes: the least recently used go first.
///
/// A file is known by its path, length and time of change, so that an overwritten file is read again. (Of a header
/// with its voxels in a second file, only the header is looked at; of a DICOM file, all of its folder, but not the images of
/// an RTSTRUCT or SEG in another folder.) Threads that ask for the same file at once wait
/// for one decoding. A file that cannot be read is not remembered.
pub struct Cache {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    path: PathBuf,
    part: Part,
    changed: Option<SystemTime>,
    length: u64,
}

/// What is decoded of a file.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Part {
    Whole,
    /// One of several numbers per voxel.
    Channel(u32),
    /// Of a mask in DICOM one label, or all: the file is decoded onto a grid label by label.
    Regions(Option<Label>),
}

/// Locked while its file is decoded.
type Slot = Arc<Mutex<Option<Arc<Volume>>>>;

struct Entry {
    slot: Slot,
    used: u64,
    bytes: usize,
}

#[derive(Default)]
struct State {
    entries: HashMap<Key, Entry>,
    clock: u64,
    bytes: usize,
}

impl Default for Cache {
    /// 256 MB.
    fn default() -> Self {
        Cache::new(256 << 20)
    }
}

impl Cache {
    /// A cache of at most `limit` bytes of voxels. A volume larger than that is handed out and not kept.
    pub fn new(limit: usize) -> Self {
        Cache { limit, state: Mutex::default() }
    }

    /// The volume in a file or a DICOM series.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Arc<Volume>> {
        self.read_within(path.as_ref(), None, &open_to_all)
    }

    /// The same, or one channel of a mask; `guard` is asked before a file is opened that the path does not name.
    pub(crate) fn read_within(&self, path: &Path, channel: Option<u32>, guard: Guard) -> Result<Arc<Volume>> {
        self.read_with(path, channel.map_or(Part::Whole, Part::Channel), |path| read_volume_within(path, channel, guard))
    }

    /// The mask that a DICOM path and a label mean.
    pub(crate) fn read_mask(&self, path: &Path, label: Option<&Label>, guard: Guard) -> Result<Arc<Volume>> {
        self.read_with(path, Part::Regions(label.cloned()), |path| dicom::read_mask(path, label, guard))
    }

    fn read_with(&self, path: &Path, part: Part, decode: impl FnOnce(&Path) -> Result<Volume>) -> Result<Arc<Volume>> {
        let (changed, length) = state_of(path)?;
        let key = Key { path: path.into(), part, changed, length };
        let slot = {
            let mut state = lock(&self.state);
            state.clock += 1;
            let used = state.clock;
            let entry = state.entries.entry(key.clone()).or_insert_with(|| Entry { slot: Slot::default(), used, bytes: 0 });
            entry.used = used;
            entry.slot.clone()
        };
        let mut held = lock(&slot);
        if let Some(volume) = &*held {
            return Ok(volume.clone());
        }
        match decode(path) {
            Ok(volume) => {
                let volume = Arc::new(volume);
                *held = Some(volume.clone());
                drop(held);
                self.keep(&key, &slot, volume.voxels.bytes());
                Ok(volume)
            }
            Err(e) => {
                drop(held);
                self.forget(&key, &slot);
                Err(e)
            }
        }
    }

    /// Bytes of voxels that are kept.
    pub fn bytes(&self) -> usize {
        lock(&self.state).bytes
    }

    /// Counts a decoded volume and lets the oldest go until all fit.
    fn keep(&self, key: &Key, slot: &Slot, bytes: usize) {
        let state = &mut *lock(&self.state);
        let Some(entry) = state.entries.get_mut(key).filter(|e| Arc::ptr_eq(&e.slot, slot)) else { return };
        entry.bytes = bytes;
        state.bytes += bytes;
        while state.bytes > self.limit {
            // Entries of 0 bytes are being decoded.
            let oldest = state.entries.iter().filter(|(_, e)| e.bytes > 0).min_by_key(|(_, e)| e.used).map(|(k, _)| k.clone());
            let Some(gone) = oldest.and_then(|k| state.entries.remove(&k)) else { break };
            state.bytes -= gone.bytes;
        }
    }

    fn forget(&self, key: &Key, slot: &Slot) {
        let state = &mut *lock(&self.state);
        if state.entries.get(key).is_some_and(|e| Arc::ptr_eq(&e.slot, slot) && e.bytes == 0) {
            state.entries.remove(key);
        }
    }
}

/// When a file changed last, and its length; of a DICOM series the latest change and the sum over its folder.
fn state_of(path: &Path) -> Result<(Option<SystemTime>, u64)> {
    let place = dicom::place(path);
    let about = std::fs::metadata(&place).map_err(|e| ImageError::io(&place, "opening the file", e))?;
    let folder = match about.is_dir() {
        true => Some(place.as_path()),
        false if dicom::is_dicom(path) => place.parent().map(|p| if p.as_os_str().is_empty() { Path::new(".") } else { p }),
        false => None,
    };
    let Some(folder) = folder else { return Ok((about.modified().ok(), about.len())) };
    let entries = std::fs::read_dir(folder).map_err(|e| ImageError::io(folder, "listing the folder", e))?;
    let (mut changed, mut length) = (about.modified().ok(), 0);
    for about in entries.filter_map(|entry| entry.ok()?.metadata().ok()) {
        changed = changed.max(about.modified().ok());
        length += about.len() + 1;
    }
    Ok((changed, length))
}

/// A panic while the lock was held leaves nothing half done: the state is used on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Geometry, Voxels};
    use ndarray::Array3;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn volume(voxels: usize) -> Volume {
        Volume { geometry: Geometry::identity([voxels, 1, 1]), voxels: Voxels::U8(Array3::zeros((1, 1, voxels))) }
    }

    fn file(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("esccsql-cache-{}-{name}", std::process::id()));
        std::fs::write(&path, name).unwrap();
        path
    }

    #[test]
    fn many_threads_decode_a_file_once() {
        let (cache, path, decoded) = (Cache::default(), file("once"), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let read = cache.read_with(&path, Part::Whole, |_| {
                        decoded.fetch_add(1, Ordering::SeqCst);
                        std::thread::sleep(std::time::Duration::from_millis(20));
                        Ok(volume(10))
                    });
                    assert_eq!(read.unwrap().voxels.bytes(), 10);
                });
            }
        });
        assert_eq!(decoded.load(Ordering::SeqCst), 1);
        assert_eq!(cache.bytes(), 10);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn the_least_recently_used_go_and_the_bound_holds() {
        let cache = Cache::new(25);
        let paths = ["a", "b", "c"].map(file);
        let decoded = AtomicUsize::new(0);
        let read = |i: usize, voxels: usize| {
            cache.read_with(&paths[i], Part::Whole, |_| {
                decoded.fetch_add(1, Ordering::SeqCst);
                Ok(volume(voxels))
            })
        };
        read(0, 10).unwrap();
        read(1, 10).unwrap();
        read(0, 10).unwrap();
        assert_eq!(decoded.load(Ordering::SeqCst), 2);
        read(2, 10).unwrap();
        assert_eq!(cache.bytes(), 20);
        read(0, 10).unwrap();
        assert_eq!(decoded.load(Ordering::SeqCst), 3, "a was used after b and stays");
        read(1, 10).unwrap();
        assert_eq!(decoded.load(Ordering::SeqCst), 4);
        let large = Cache::new(5);
        assert_eq!(large.read_with(&paths[0], Part::Whole, |_| Ok(volume(10))).unwrap().voxels.bytes(), 10);
        assert_eq!(large.bytes(), 0);
        paths.iter().for_each(|p| std::fs::remove_file(p).unwrap());
    }

    #[test]
    fn a_changed_file_is_read_again_and_a_bad_one_is_not_kept() {
        let (cache, path) = (Cache::default(), file("changed"));
        assert_eq!(cache.read_with(&path, Part::Whole, |_| Ok(volume(3))).unwrap().voxels.bytes(), 3);
        std::fs::write(&path, "another length").unwrap();
        assert_eq!(cache.read_with(&path, Part::Whole, |_| Ok(volume(4))).unwrap().voxels.bytes(), 4);
        std::fs::write(&path, "bad").unwrap();
        assert!(cache.read(&path).is_err());
        assert_eq!(cache.read_with(&path, Part::Whole, |_| Ok(volume(5))).unwrap().voxels.bytes(), 5);
        std::fs::remove_file(&path).unwrap();
        assert!(cache.read(&path).unwrap_err().to_string().contains("no such file"));
    }
}
