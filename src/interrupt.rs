//! Ctrl-C: stops the running query, and the program if that takes too long.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use duckdb::InterruptHandle;
use esccsql_functions::shape::interrupt;

/// Exit status of a program that Ctrl-C ended.
pub const EXIT_STATUS: i32 = 130;
/// How long a query may take to stop. What is not committed by then is undone when the database is opened next.
const PATIENCE: Duration = Duration::from_millis(800);

static REQUESTED: AtomicBool = AtomicBool::new(false);
static QUERY: Mutex<Option<Arc<InterruptHandle>>> = Mutex::new(None);

/// What Ctrl-C does when the query does not stop in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenStuck {
    /// The program ends.
    Exit,
    /// The program waits: a second Ctrl-C ends it.
    Wait,
}

/// From now on Ctrl-C interrupts the queries of `connection`.
pub fn listen(connection: &duckdb::Connection, when_stuck: WhenStuck) -> Result<()> {
    *QUERY.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection.interrupt_handle());
    ctrlc::set_handler(move || {
        if REQUESTED.swap(true, Ordering::SeqCst) {
            std::process::exit(EXIT_STATUS);
        }
        interrupt(true);
        if let Some(query) = QUERY.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            query.interrupt();
        }
        thread::spawn(move || {
            thread::sleep(PATIENCE);
            match when_stuck {
                WhenStuck::Exit => std::process::exit(EXIT_STATUS),
                WhenStuck::Wait if requested() => eprintln!("stopping; Ctrl-C again ends the program at once"),
                WhenStuck::Wait => {}
            }
        });
    })
    .context("cannot listen for Ctrl-C")
}

/// Was Ctrl-C pressed since the program started or since [`forget`]?
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// The interrupted query is over; the program goes on.
pub fn forget() {
    REQUESTED.store(false, Ordering::SeqCst);
    interrupt(false);
}
