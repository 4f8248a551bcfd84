//! The state of a training after an epoch, in a safetensors file.

use super::{Epoch, Moments};
use crate::error::{Error, Result};
use candle_core::{DType, Device, Tensor, Var};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf, is_separator};
use std::sync::atomic::{AtomicU64, Ordering};

/// How far a training has come.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Progress {
    pub step: usize,
    /// Epoch of the best weights, 0 before the first.
    pub best: usize,
    pub epochs: Vec<Epoch>,
    /// Digest of data, configuration, options and starting weights.
    pub mark: u64,
}

impl Progress {
    /// Refuses what no training writes.
    fn check(&self) -> std::result::Result<(), String> {
        let (best, done) = (self.best, self.epochs.len());
        if done == 0 || self.epochs.iter().enumerate().any(|(i, epoch)| epoch.epoch != i + 1) {
            return Err("its epochs are not 1, 2, ...".into());
        }
        if best > done {
            return Err(format!("its best epoch is {best} of {done}"));
        }
        // Adam takes a step's number as an exponent.
        if i32::try_from(self.step).is_err() { Err(format!("its step is {}", self.step)) } else { Ok(()) }
    }
}

const KEY: &str = "esccsql_training";

fn trouble(path: &Path, problem: impl std::fmt::Display) -> Error {
    Error::Checkpoint { path: path.display().to_string(), problem: problem.to_string() }
}

/// The file at `path`, or in it where it is a folder: trainings of several groups can share that.
pub fn file(path: &Path, mark: u64) -> PathBuf {
    if path.is_dir() { path.join(format!("crossformer_fit-{mark:016x}.safetensors")) } else { path.into() }
}

/// Refuses a path in a folder that does not exist, and the name of such a folder.
pub fn check_place(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let is_folder = path.to_string_lossy().ends_with(is_separator);
    let folder = if is_folder { Some(path) } else { path.parent().filter(|parent| !parent.as_os_str().is_empty()) };
    match folder {
        Some(folder) if !folder.is_dir() => Err(trouble(path, format!("there is no folder {}: create it", folder.display()))),
        _ => Ok(()),
    }
}

pub fn save(
    path: &Path,
    state: &Progress,
    variables: &BTreeMap<String, Var>,
    moments: &BTreeMap<String, Moments>,
    best: &BTreeMap<String, Tensor>,
) -> Result<()> {
    let mut tensors = Vec::new();
    for (name, v) in variables {
        tensors.push((format!("weight/{name}"), v.as_detached_tensor()));
    }
    for (name, m) in moments {
        tensors.push((format!("first/{name}"), m.first.clone()));
        tensors.push((format!("second/{name}"), m.second.clone()));
    }
    for (name, t) in best {
        tensors.push((format!("best/{name}"), t.clone()));
    }
    let text = serde_json::to_string(state).map_err(|e| trouble(path, e))?;
    let bytes = safetensors::serialize(tensors.iter().map(|(n, t)| (n, t)), Some(HashMap::from([(KEY.into(), text)])))
        .map_err(|e| trouble(path, e))?;
    // An interruption while writing must leave the last whole checkpoint.
    let part = part(path);
    let written = std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, path));
    written.map_err(|e| {
        // The error to tell is the first one.
        let _ = std::fs::remove_file(&part);
        trouble(path, e)
    })
}

/// A name beside `path` that no other training writes to, whatever process it runs in.
fn part(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    path.with_extension(format!("{}-{count}.part", std::process::id()))
}

/// Takes up the state of `path` where there is one; `epochs` are asked for.
pub fn restore(
    path: &Path,
    epochs: usize,
    state: &mut Progress,
    variables: &BTreeMap<String, Var>,
    moments: &mut BTreeMap<String, Moments>,
    best: &mut BTreeMap<String, Tensor>,
) -> Result<()> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(trouble(path, e)),
    };
    let whole = |e: &dyn std::fmt::Display| trouble(path, format!("not a whole checkpoint ({e}): delete it to start anew"));
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).map_err(|e| whole(&e))?;
    let text = header.metadata().as_ref().and_then(|m| m.get(KEY)).ok_or_else(|| whole(&"no training state"))?;
    let found: Progress = serde_json::from_str(text).map_err(|e| whole(&e))?;
    if found.mark != state.mark {
        let problem = "it is of a training with other data, options, network or starting weights: give a folder, which keeps one \
                       for each training, or another file, or delete this one to start anew";
        return Err(trouble(path, problem));
    }
    found.check().map_err(|problem| whole(&problem))?;
    let done = found.epochs.len();
    if done > epochs {
        return Err(trouble(path, format!("it has {done} epochs, {epochs} are asked for: ask for {done} or more, or delete it")));
    }
    let device = variables.values().next().map_or(Device::Cpu, |v| v.device().clone());
    let mut tensors = candle_core::safetensors::load_buffer(&bytes, &device).map_err(|e| whole(&e))?;
    let mut take = |kind: &str, name: &str, like: &Var| {
        let tensor = tensors.remove(&format!("{kind}/{name}")).ok_or_else(|| whole(&format!("{kind} of {name} is missing")))?;
        if tensor.dtype() != DType::F32 || tensor.dims() != like.dims() {
            let (dtype, shape) = (tensor.dtype().as_str(), tensor.dims());
            return Err(whole(&format!("{kind} of {name} is {dtype} {shape:?}, expected f32 {:?}", like.dims())));
        }
        Ok(tensor)
    };
    for (name, variable) in variables {
        variable.set(&take("weight", name, variable)?)?;
        moments.insert(name.clone(), Moments { first: take("first", name, variable)?, second: take("second", name, variable)? });
        best.insert(name.clone(), take("best", name, variable)?);
    }
    *state = found;
    Ok(())
}

pub fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(trouble(path, e)),
        _ => Ok(()),
    }
}
