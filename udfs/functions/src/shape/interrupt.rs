//! Whether the user wants what runs to end. Engines stop between the chunks of a query; a function whose chunk takes long asks here
//! between its rows.

use std::sync::atomic::{AtomicBool, Ordering};

use super::error::Problem;

static WANTED: AtomicBool = AtomicBool::new(false);

/// Functions that run end soon with an error, or go on from now on.
pub fn interrupt(wanted: bool) {
    WANTED.store(wanted, Ordering::Relaxed);
}

/// Does the user want an end?
pub(crate) fn is_interrupted() -> bool {
    WANTED.load(Ordering::Relaxed)
}

/// An error if the user wants an end.
pub(crate) fn go_on() -> Result<(), Problem> {
    if is_interrupted() { Err(Problem::user("interrupted")) } else { Ok(()) }
}
