//! Weights of a CrossFormer: read from the files that circulate, checked by name and shape, adapted to other inputs.
//!
//! Files: `.pth` of the upstream project (a state dict at the top or under `model`, beside optimizer, epoch and
//! configuration), in torch's zip container and in the one before it, and `.safetensors`. Nothing in a file is executed, and
//! every size is held against the file's length before memory is taken.

mod adapt;
mod error;
mod fitting;
mod init;
mod pickle;
mod torch;

use std::collections::{BTreeMap, HashMap};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

pub use adapt::{Adapt, Changes};
pub use error::{Result, WeightsError};
pub use init::initial;

use error::damaged;
use torch::Torch;

/// A parameter: its shape and its numbers, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// Parameters by their upstream names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weights(pub BTreeMap<String, Parameter>);

/// Buffers that upstream's older branch saves with the weights; they follow from the window's size.
const OLD_BUFFERS: [&str; 2] = [".attn.biases", ".attn.relative_position_index"];

/// What a training run in parallel puts before every name.
const PARALLEL: &str = "module.";

impl Weights {
    /// Reads a file's bytes, whatever its format.
    pub fn read(bytes: &[u8]) -> Result<Weights> {
        match bytes {
            [b'P', b'K', 3, 4, ..] => Weights::of_torch(&Torch::open_zip(bytes)?, bytes.len()),
            [0x80, 2..=5, 0x8a, 10, ..] => Weights::of_torch(&Torch::open_legacy(bytes)?, bytes.len()),
            [_, _, _, _, _, _, _, _, b'{', ..] => Weights::read_safetensors(bytes),
            _ => Err(WeightsError::UnknownFormat),
        }
    }

    fn of_torch(file: &Torch, length: usize) -> Result<Weights> {
        let mut budget = length;
        let mut weights = BTreeMap::new();
        for (name, tensor) in &file.tensors {
            if is_old_buffer(name) {
                continue;
            }
            let count = tensor.shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size));
            // A view can show one number many times over; weights have at most as many numbers as the file has bytes.
            budget = count.and_then(|count| budget.checked_sub(count)).ok_or_else(|| damaged(format!("{name} is larger than the file")))?;
            let values = file.values(name, tensor)?;
            weights.insert(name.clone(), Parameter { shape: tensor.shape.clone(), values });
        }
        Weights(weights).finished()
    }

    /// Reads `.safetensors`.
    pub fn read_safetensors(bytes: &[u8]) -> Result<Weights> {
        let file = SafeTensors::deserialize(bytes).map_err(|error| damaged(format!("its safetensors header does not fit ({error})")))?;
        let mut weights = BTreeMap::new();
        for (name, view) in file.tensors() {
            if is_old_buffer(&name) {
                continue;
            }
            let data = view.data();
            let values = match view.dtype() {
                Dtype::F32 => data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
                Dtype::F64 => {
                    data.chunks_exact(8).map(|b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]) as f32).collect()
                }
                Dtype::F16 => data.chunks_exact(2).map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
                Dtype::BF16 => data.chunks_exact(2).map(|b| half::bf16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
                other => return Err(WeightsError::Unsupported(format!("{name} holds numbers of type {other:?}, expected floating point"))),
            };
            weights.insert(name, Parameter { shape: view.shape().to_vec(), values });
        }
        Weights(weights).finished()
    }

    /// The same as `.safetensors`, names in order: the same weights are the same bytes.
    pub fn to_safetensors(&self) -> Result<Vec<u8>> {
        let bytes: Vec<(&String, &Parameter, Vec<u8>)> = (self.0.iter())
            .map(|(name, parameter)| (name, parameter, parameter.values.iter().flat_map(|value| value.to_le_bytes()).collect()))
            .collect();
        let views = bytes.iter().map(|(name, parameter, bytes)| {
            Ok((
                name.as_str(),
                TensorView::new(Dtype::F32, parameter.shape.clone(), bytes).map_err(|error| damaged(format!("{name}: {error}")))?,
            ))
        });
        safetensors::serialize(views.collect::<Result<Vec<_>>>()?, None::<HashMap<String, String>>).map_err(damaged)
    }

    /// The shape of each parameter.
    pub fn shapes(&self) -> BTreeMap<&str, &[usize]> {
        self.0.iter().map(|(name, parameter)| (name.as_str(), parameter.shape.as_slice())).collect()
    }

    /// Names without the prefix of parallel training; all values finite.
    fn finished(self) -> Result<Weights> {
        let parallel = !self.0.is_empty() && self.0.keys().all(|name| name.starts_with(PARALLEL));
        let short = |name: String| if parallel { name[PARALLEL.len()..].to_string() } else { name };
        let weights = Weights(self.0.into_iter().map(|(name, parameter)| (short(name), parameter)).collect());
        match weights.0.iter().find(|(_, parameter)| parameter.values.iter().any(|value| !value.is_finite())) {
            Some((name, _)) => Err(WeightsError::NotFinite { name: name.clone() }),
            None => Ok(weights),
        }
    }
}

fn is_old_buffer(name: &str) -> bool {
    OLD_BUFFERS.iter().any(|buffer| name.ends_with(buffer))
}
