//! How far the rows of heavy functions are, for whoever draws a progress bar.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

static WORK: Work = Work::new();

struct Work {
    rows: AtomicU64,
    done: AtomicU64,
    note: Mutex<String>,
}

impl Work {
    const fn new() -> Self {
        Work { rows: AtomicU64::new(0), done: AtomicU64::new(0), note: Mutex::new(String::new()) }
    }

    fn begin(&self, rows: usize) {
        if self.done.load(Ordering::Relaxed) >= self.rows.load(Ordering::Relaxed) {
            self.done.store(0, Ordering::Relaxed);
            self.rows.store(0, Ordering::Relaxed);
            self.note(String::new());
        }
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    fn step(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    fn note(&self, text: String) {
        *self.note.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = text;
    }

    fn noted(&self) -> String {
        self.note.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }
}

/// `rows` more are to be done. After everything before is done the count starts anew.
pub(crate) fn begin(rows: usize) {
    WORK.begin(rows);
}

/// One row is done.
pub(crate) fn step() {
    WORK.step();
}

/// What to show beside the bar from now on: the device, or how an epoch went.
pub(crate) fn note(text: String) {
    WORK.note(text);
}

/// The note of the work that runs; empty where it has none.
pub fn progress_note() -> String {
    WORK.noted()
}

/// Rows done and all rows that functions know of; DuckDB hands them over in chunks. `None` while nothing runs.
pub fn progress() -> Option<(u64, u64)> {
    let (done, rows) = (WORK.done.load(Ordering::Relaxed), WORK.rows.load(Ordering::Relaxed));
    (done < rows).then_some((done, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_lasts_as_long_as_the_work() {
        let work = Work::new();
        work.begin(1);
        work.note("epoch 1".into());
        work.begin(1);
        assert_eq!(work.noted(), "epoch 1", "more of the same work");
        work.step();
        work.step();
        work.begin(1);
        assert_eq!(work.noted(), "");
    }
}
