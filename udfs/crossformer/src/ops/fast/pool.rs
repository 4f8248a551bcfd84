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
        let fits = |v: &Vec<f32>| v.capacity() >= n && v.capacity() <= 2 * n;
        // Of equals the one that was used last: it may still be in a cache.
        let best = (0..free.len()).rev().filter(|&i| fits(&free[i])).min_by_key(|&i| free[i].capacity());
        let mut values = best.map(|i| free.remove(i)).unwrap_or_default();
        drop(free);
        // Never shortened: what is cut off would be written once more when it is wanted again.
        if values.len() < n {
            values.resize(n, 0.0);
        }
        Buffer { n, values: CpuStorage::F32(values), pool: self.clone() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Vec<f32>>> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// Values that go back to their pool.
pub struct Buffer {
    n: usize,
    values: CpuStorage,
    pool: Pool,
}

impl Buffer {
    /// Another buffer of the same pool.
    pub fn beside(&self, n: usize) -> Buffer {
        self.pool.take(n)
    }

    /// As the tensor library's own products take them; longer than the buffer where that has been larger.
    pub fn storage(&self) -> &CpuStorage {
        &self.values
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &self.values {
            CpuStorage::F32(values) => &values[..self.n],
            _ => &[],
        }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        match &mut self.values {
            CpuStorage::F32(values) => &mut values[..self.n],
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
