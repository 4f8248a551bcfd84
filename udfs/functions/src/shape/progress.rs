//! How far the rows of heavy functions are, for whoever draws a progress bar.

use std::sync::atomic::{AtomicU64, Ordering};

static ROWS: AtomicU64 = AtomicU64::new(0);
static DONE: AtomicU64 = AtomicU64::new(0);

/// `rows` more are to be done. After everything before is done the count starts anew.
pub(crate) fn begin(rows: usize) {
    if DONE.load(Ordering::Relaxed) >= ROWS.load(Ordering::Relaxed) {
        DONE.store(0, Ordering::Relaxed);
        ROWS.store(0, Ordering::Relaxed);
    }
    ROWS.fetch_add(rows as u64, Ordering::Relaxed);
}

/// One row is done.
pub(crate) fn step() {
    DONE.fetch_add(1, Ordering::Relaxed);
}

/// Rows done and all rows that functions know of; DuckDB hands them over in chunks. `None` while nothing runs.
pub fn progress() -> Option<(u64, u64)> {
    let (done, rows) = (DONE.load(Ordering::Relaxed), ROWS.load(Ordering::Relaxed));
    (done < rows).then_some((done, rows))
}
