//! The state of a training after an epoch, in a safetensors file.

use super::{Epoch, Moments};
use crate::error::{Error, Result};
use candle_core::{Device, Tensor, Var};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// How far a training has come.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Progress {
    pub step: usize,
    /// Epoch of the best weights, 0 before the first.
    pub best: usize,
    pub epochs: Vec<Epoch>,
    /// Digest of data, configuration and options.
    pub mark: u64,
}

const KEY: &str = "esccsql_training";

fn trouble(path: &Path, problem: impl std::fmt::Display) -> Error {
    Error::Checkpoint { path: path.display().to_string(), problem: problem.to_string() }
}

/// The file at `path`, or in it where it is a folder: trainings of several groups can share that.
pub fn file(path: &Path, mark: u64) -> PathBuf {
    if path.is_dir() { path.join(format!("crossformer_fit-{mark:016x}.safetensors")) } else { path.into() }
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
    let part = path.with_extension("part");
    std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, path)).map_err(|e| trouble(path, e))
}

/// Takes up the state of `path` where there is one.
pub fn restore(
    path: &Path,
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
    let whole = |e: &dyn std::fmt::Display| trouble(path, format!("not a checkpoint of this training ({e}); remove it to start anew"));
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).map_err(|e| whole(&e))?;
    let text = header.metadata().as_ref().and_then(|m| m.get(KEY)).ok_or_else(|| whole(&"no training state"))?;
    let found: Progress = serde_json::from_str(text).map_err(|e| whole(&e))?;
    if found.mark != state.mark {
        return Err(whole(&"other data, options or network"));
    }
    let device = variables.values().next().map_or(Device::Cpu, |v| v.device().clone());
    let mut tensors = candle_core::safetensors::load_buffer(&bytes, &device).map_err(|e| whole(&e))?;
    let mut take =
        |kind: &str, name: &str| tensors.remove(&format!("{kind}/{name}")).ok_or_else(|| whole(&format!("{kind} of {name} is missing")));
    for (name, variable) in variables {
        variable.set(&take("weight", name)?)?;
        moments.insert(name.clone(), Moments { first: take("first", name)?, second: take("second", name)? });
        best.insert(name.clone(), take("best", name)?);
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
