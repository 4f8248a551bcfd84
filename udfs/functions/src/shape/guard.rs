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

/// Numbers of a fit may differ from those of the rehearsal by this share of the largest in their column: DuckDB sums in an order that
/// depends on where rows lie.
const ROUNDING: f64 = 1e-9;

#[derive(Default)]
struct State {
    mode: Mode,
    /// What fits were given, and the model that came of it; by the hash of what is no number.
    models: HashMap<[u8; 32], Vec<(Numbers, ScalarValue)>>,
    refused: Option<String>,
}

type Numbers = Vec<Vec<f64>>;

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

/// Must fits run in this process, where they are watched?
pub fn is_watching() -> bool {
    state().mode != Mode::Off
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
    let (exact, numbers) = given(function, options, rows);
    if let Some((_, model)) = state().models.get(&exact).into_iter().flatten().find(|(known, _)| is_same(known, &numbers)) {
        return Ok(model.clone());
    }
    if mode == Mode::Hold {
        state().refused.get_or_insert_with(|| function.to_string());
        return Err(Problem::user("reads rows that are held out"));
    }
    let model = kernel()?;
    state().models.entry(exact).or_default().push((numbers, model.clone()));
    Ok(model)
}

/// What a fit is given: a hash of all that is no number, and the numbers.
fn given(function: &str, options: Option<&Value>, rows: &Rows) -> ([u8; 32], Numbers) {
    let mut hasher = Sha256::new();
    for text in [function, &options.map(Value::to_string).unwrap_or_default()] {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text);
    }
    let mut numbers = Vec::new();
    rows.parts(&mut |bytes| hasher.update(bytes), &mut |column| numbers.push(column));
    (hasher.finalize().into(), numbers)
}

fn is_same(known: &Numbers, given: &Numbers) -> bool {
    let is_near = |known: &Vec<f64>, given: &Vec<f64>| {
        let largest = known.iter().filter(|value| value.is_finite()).fold(0.0_f64, |most, value| most.max(value.abs()));
        let mut pairs = known.iter().zip(given);
        known.len() == given.len() && pairs.all(|(a, b)| a.to_bits() == b.to_bits() || (a - b).abs() <= ROUNDING * largest)
    };
    known.len() == given.len() && known.iter().zip(given).all(|(known, given)| is_near(known, given))
}
