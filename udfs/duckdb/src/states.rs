//! Which group each row of an update belongs to.
//!
//! DuckDB documents one state per row. In 1.5.6 `ORDER BY` inside an aggregate and `OVER ()` pass a
//! *constant* vector instead: only the first state is there, what follows is other memory, and the C API does not say so
//! (`CAPIAggregateUpdate` flattens its arguments but not its states). So the states after the first are read like data from
//! outside: through a pipe, where the kernel refuses an address that is not ours, and believed only if every one of them
//! leads to a group that is alive and not finished.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex};

use libduckdb_sys::duckdb_aggregate_state;

/// Addresses of the groups between init and destroy that are not finished.
static OPEN: LazyLock<Mutex<HashSet<usize>>> = LazyLock::new(Mutex::default);

/// A group begins.
pub fn begin(group: usize) {
    OPEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(group);
}

/// A group has given its result or is destroyed.
pub fn finish(group: usize) {
    OPEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).remove(&group);
}

/// The address of each row's group; one entry alone if all rows belong to it.
///
/// # Safety
/// The first of `states` is live and holds a group's address; `count` is at least 1.
pub unsafe fn groups(states: *mut duckdb_aggregate_state, count: usize) -> Vec<usize> {
    // SAFETY: by the caller's promise.
    let first = unsafe { *(*states).cast::<usize>() };
    if count == 1 {
        return vec![first];
    }
    let Some(addresses) = foreign::words(states as usize, count) else { return vec![first] };
    if addresses.iter().all(|&address| address == addresses[0]) {
        return vec![first];
    }
    let mut distinct = addresses.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let Some(found) = foreign::scattered_words(&distinct) else { return vec![first] };
    let open = OPEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if !found.iter().all(|group| open.contains(group)) {
        return vec![first];
    }
    let group = |address: &usize| distinct.binary_search(address).map_or(first, |place| found[place]);
    addresses.iter().map(group).collect()
}

/// Memory that may not be there.
#[cfg(unix)]
mod foreign {
    use std::cell::RefCell;
    use std::io::{PipeReader, PipeWriter, Read};
    use std::os::fd::AsRawFd;

    thread_local! {
        static PIPE: RefCell<Option<(PipeReader, PipeWriter)>> = const { RefCell::new(None) };
    }

    /// Fits into a pipe's buffer on every system, so that no write waits for its reader.
    const WORDS: usize = 512;

    /// `count` words from `address` on, or `None` if one is not readable.
    pub fn words(address: usize, count: usize) -> Option<Vec<usize>> {
        let mut words = Vec::with_capacity(count);
        while words.len() < count {
            let part = (count - words.len()).min(WORDS);
            let start = address + words.len() * size_of::<usize>();
            words.extend(transfer(&[libc::iovec { iov_base: start as *mut _, iov_len: part * size_of::<usize>() }], part)?);
        }
        Some(words)
    }

    /// The word at each address, or `None` if one is not readable.
    pub fn scattered_words(addresses: &[usize]) -> Option<Vec<usize>> {
        let mut words = Vec::with_capacity(addresses.len());
        for part in addresses.chunks(WORDS) {
            let places: Vec<libc::iovec> =
                part.iter().map(|&address| libc::iovec { iov_base: address as *mut _, iov_len: size_of::<usize>() }).collect();
            words.extend(transfer(&places, part.len())?);
        }
        Some(words)
    }

    fn transfer(places: &[libc::iovec], words: usize) -> Option<Vec<usize>> {
        PIPE.with_borrow_mut(|pipe| {
            let (mut reader, writer) = pipe.take().or_else(|| std::io::pipe().ok())?;
            // SAFETY: the kernel checks every address and stops at the first that is not readable.
            let written = unsafe { libc::writev(writer.as_raw_fd(), places.as_ptr(), places.len() as libc::c_int) };
            if written != (words * size_of::<usize>()) as isize {
                // What was written before the stop lies in the pipe: drop it with the pipe.
                return None;
            }
            let mut bytes = vec![0; words * size_of::<usize>()];
            reader.read_exact(&mut bytes).ok()?;
            *pipe = Some((reader, writer));
            let (chunks, _) = bytes.as_chunks();
            Some(chunks.iter().map(|&word| usize::from_ne_bytes(word)).collect())
        })
    }
}

/// Without a way to ask the kernel, DuckDB's documentation is believed.
#[cfg(not(unix))]
mod foreign {
    pub fn words(address: usize, count: usize) -> Option<Vec<usize>> {
        // SAFETY: documented as one state per row.
        Some(unsafe { std::slice::from_raw_parts(address as *const usize, count) }.to_vec())
    }

    pub fn scattered_words(addresses: &[usize]) -> Option<Vec<usize>> {
        // SAFETY: documented as live states.
        Some(addresses.iter().map(|&address| unsafe { *(address as *const usize) }).collect())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_constant_vector_is_told_from_a_flat_one() {
        let (a, b) = (1_000_001usize, 1_000_002usize);
        begin(a);
        begin(b);
        let mut states = [a, b];
        let addresses: Vec<usize> = states.iter_mut().map(|state| state as *mut usize as usize).collect();
        let mut flat = [addresses[0], addresses[1], addresses[0]];
        let pieces = |rows: &mut [usize]| unsafe { groups(rows.as_mut_ptr().cast(), rows.len()) };
        assert_eq!(pieces(&mut flat), [a, b, a]);
        assert_eq!(pieces(&mut [addresses[1], 0, 0]), [b], "what follows is no address");
        assert_eq!(pieces(&mut [addresses[1], 8, usize::MAX - 8]), [b], "what follows is not readable");
        finish(b);
        assert_eq!(pieces(&mut flat), [a], "what follows is a finished group");
        finish(a);
    }
}
