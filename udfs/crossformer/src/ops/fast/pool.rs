//! Buffers that are used again: a large one that is fresh from the system costs a page fault for every 4 KiB.

use candle_core::CpuStorage;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};

/// Free buffers of one network, given back to the system with it.
#[derive(Clone, Default)]
pub struct Pool(Arc<Mutex<Vec<Vec<f32>>>>);

impl Pool {
    /// The pool of a network.
    ///
    /// The network's tensors come from the system's allocator. glibc gives a large block back at once unless it has seen a larger
    /// one freed, of up to 32 MiB: one such block, whose memory nobody touches, spares all others their page faults.
    pub fn new() -> Self {
        drop(std::hint::black_box(Vec::<u8>::with_capacity((32 << 20) - (64 << 10))));
        Self::default()
    }

    /// A buffer of `n` values that hold anything.
    pub fn take(&self, n: usize) -> Buffer {
        let mut free = self.lock();
        let room = n + LINE;
        let fits = |v: &Vec<f32>| v.capacity() >= room && v.capacity() <= 2 * room;
        // Of equals the one that was used last: it may still be in a cache.
        let best = (0..free.len()).rev().filter(|&i| fits(&free[i])).min_by_key(|&i| free[i].capacity());
        let mut values = best.map(|i| free.remove(i)).unwrap_or_default();
        drop(free);
        // Never shortened: what is cut off would be written once more when it is wanted again.
        if values.len() < room {
            values.resize(room, 0.0);
        }
        let start = values.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
        Buffer { start, n, values: CpuStorage::F32(values), pool: self.clone() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Vec<f32>>> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// Values of a cache line.
const LINE: usize = 16;

/// Values that go back to their pool. They begin with a cache line, so that no vector lies in two.
pub struct Buffer {
    start: usize,
    n: usize,
    values: CpuStorage,
    pool: Pool,
}

impl Buffer {
    /// Another buffer of the same pool.
    pub fn beside(&self, n: usize) -> Buffer {
        self.pool.take(n)
    }

    /// As the tensor library's own products take them, and where in it they begin; longer than the buffer.
    pub fn storage(&self) -> (&CpuStorage, usize) {
        (&self.values, self.start)
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &self.values {
            CpuStorage::F32(values) => &values[self.start..][..self.n],
            _ => &[],
        }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        match &mut self.values {
            CpuStorage::F32(values) => &mut values[self.start..][..self.n],
            _ => &mut [],
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let CpuStorage::F32(values) = std::mem::replace(&mut self.values, CpuStorage::F32(Vec::new())) {
            self.pool.lock().push(values);
        }
    }
}
