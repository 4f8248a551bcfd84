//! Holds fits to the rows they may see.
//!
//! A script's statement is rehearsed without the held-out rows: [`remember`] keeps every model that is fitted meanwhile. Then it
//! is run on all rows: [`hold`] lets a fit through whose rows and options are those of a model kept, and refuses any other.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard};

use datafusion_common::ScalarValue;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::error::Problem;
use super::rows::Rows;

type Fingerprint = [u8; 32];

#[derive(Default)]
struct State {
    mode: Mode,
    models: HashMap<Fingerprint, ScalarValue>,
    refused: Option<String>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Mode {
    #[default]
    Off,
    Remember,
    Hold,
}

static STATE: LazyLock<Mutex<State>> = LazyLock::new(Mutex::default);

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Ends what it stands for when it is dropped.
#[must_use]
pub struct Watch(());

impl Drop for Watch {
    fn drop(&mut self) {
        state().mode = Mode::Off;
    }
}

/// Until the result is dropped, models are kept as they are fitted.
pub fn remember() -> Watch {
    state().mode = Mode::Remember;
    Watch(())
}

/// Until the result is dropped, only models that were kept are given out.
pub fn hold() -> Watch {
    state().mode = Mode::Hold;
    Watch(())
}

/// The function that was refused since the last time, if there was one.
pub fn refused() -> Option<String> {
    state().refused.take()
}

/// Forgets the models kept.
pub fn forget() {
    state().models.clear();
}

/// Fits, unless the guard knows the model or refuses it.
pub(super) fn fit(
    function: &str,
    options: Option<&Value>,
    rows: &Rows,
    kernel: impl FnOnce() -> Result<ScalarValue, Problem>,
) -> Result<ScalarValue, Problem> {
    let mode = state().mode;
    if mode == Mode::Off {
        return kernel();
    }
    let fingerprint = fingerprint(function, options, rows);
    if let Some(model) = state().models.get(&fingerprint) {
        return Ok(model.clone());
    }
    if mode == Mode::Hold {
        state().refused.get_or_insert_with(|| function.to_string());
        return Err(Problem::user("reads rows that are held out"));
    }
    let model = kernel()?;
    state().models.insert(fingerprint, model.clone());
    Ok(model)
}

fn fingerprint(function: &str, options: Option<&Value>, rows: &Rows) -> Fingerprint {
    let mut hasher = Sha256::new();
    for text in [function, &options.map(Value::to_string).unwrap_or_default()] {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text);
    }
    rows.digest(&mut |bytes| hasher.update(bytes));
    hasher.finalize().into()
}
