//! The one place where panics stop: every callback runs inside [`guard`], so that none crosses into C++.

use std::any::Any;
use std::cell::Cell;
use std::ffi::CString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a callback's body; an error or a panic comes back as a message for DuckDB.
pub fn guard<T>(body: impl FnOnce() -> Result<T, String>) -> Result<T, CString> {
    quiet_panics();
    let outer = GUARDED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(body));
    GUARDED.set(outer);
    match outcome {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(message)) => Err(text(&message)),
        Err(panic) => {
            Err(text(&format!("esccsql bug: panic: {}. Please report it with the statement that caused it", reason(panic.as_ref()))))
        }
    }
}

/// C text; a NUL byte inside becomes a visible sign.
pub fn text(message: &str) -> CString {
    CString::new(message.replace('\0', "\u{2400}")).unwrap_or_default()
}

fn reason(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// A guarded panic is told as a query error; the default hook would print it to standard error besides.
fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let worker = std::thread::current().name().is_some_and(|name| name.starts_with("esccsql-"));
            if !GUARDED.get() && !worker {
                previous(info);
            }
        }));
    });
}
