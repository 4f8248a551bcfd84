//! A CrossFormer as a MODEL: configuration, input rule and weights (safetensors), and the network built from them once.

use std::fmt;
use std::sync::{Mutex, OnceLock};

use candle_core::{Device, Tensor};
use esccsql_crossformer::input::Rule;
use esccsql_crossformer::train::Epoch;
use esccsql_crossformer::weights::Weights;
use esccsql_crossformer::{Choice, Config, CrossFormer, Error, Output, device};
use ndarray::Array3;
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::shape::{Fit, Problem, options, set_progress_note};

/// What a MODEL of kind `crossformer` holds.
#[derive(Serialize, Deserialize)]
pub struct Network {
    pub config: Config,
    /// How an image and a mask become this network's input.
    pub rule: Rule,
    weights: Bytes,
    /// How the training went; empty without one.
    pub epochs: Vec<Epoch>,
    /// Built at the first use; a model read for another purpose costs no more than its bytes.
    #[serde(skip)]
    built: Built,
}

/// The network on each device.
#[derive(Default)]
struct Built {
    cpu: OnceLock<CrossFormer>,
    gpu: OnceLock<CrossFormer>,
    /// Held while building, so that rows that begin together build once.
    building: Mutex<()>,
}

impl Fit for Network {
    const KIND: &'static str = "crossformer";
}

impl Network {
    pub fn new(config: Config, rule: Rule, weights: &Weights) -> Result<Self, Problem> {
        let weights = Bytes(weights.to_safetensors().map_err(Problem::bug)?);
        Ok(Network { config, rule, weights, epochs: Vec::new(), built: Built::default() })
    }

    /// The stored weights.
    pub fn weights(&self) -> Result<Weights, Problem> {
        Weights::read_safetensors(&self.weights.0).map_err(Problem::user)
    }

    /// The network on a device.
    pub fn built(&self, place: Choice) -> Result<&CrossFormer, Problem> {
        let (device, name) = device(place).map_err(problem)?;
        let built = if device.is_cpu() { &self.built.cpu } else { &self.built.gpu };
        let _building = self.built.building.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(built) = built.get() {
            return Ok(built);
        }
        set_progress_note(format!("on {name}"));
        let tensors = self.weights()?.tensors(&device).map_err(Problem::bug)?;
        let network = CrossFormer::new(&self.config, &tensors).map_err(Problem::user)?;
        Ok(built.get_or_init(|| network))
    }

    /// Embedding and outputs of images [batch, channels, height, width], given row-major.
    pub fn forward(&self, images: Vec<f32>, shape: [usize; 4], place: Choice) -> Result<Output, Problem> {
        let images = Tensor::from_vec(images, &shape, &Device::Cpu).map_err(Problem::bug)?;
        self.built(place)?.forward(&images).map_err(problem)
    }

    /// The same of inputs as `picture::input` makes them, one after the other.
    pub fn look(&self, inputs: Vec<Array3<f32>>, place: Choice) -> Result<Output, Problem> {
        let (channels, size) = (self.rule.channels(), self.rule.size);
        let shape = [inputs.len(), channels, size, size];
        self.forward(inputs.iter().flatten().copied().collect(), shape, place)
    }

    /// Inputs of one forward pass: eight of 7 x 224 x 224, fewer of larger ones.
    pub fn together(&self) -> usize {
        const PIXELS: usize = 8 * 7 * 224 * 224;
        (PIXELS / (self.rule.channels() * self.rule.size * self.rule.size)).clamp(1, 8)
    }
}

options! {
    /// Options of the functions that compute a network and nothing else.
    pub struct Where {
        /// 'cpu', 'cuda', or 'auto': the GPU where this build has CUDA and a driver answers (crossformer_device says which).
        device: Choice = Choice::Auto,
    }
}

/// A kernel's error as the user's problem, or ours where the tensor library fails.
pub fn problem(error: Error) -> Problem {
    match error {
        Error::Tensor(error) => Problem::bug(error),
        other => Problem::user(other),
    }
}

/// The rows of a tensor [rows, n].
pub fn rows(tensor: &Tensor) -> Result<Vec<Vec<f32>>, Problem> {
    tensor.to_vec2().map_err(Problem::bug)
}

/// A tensor's numbers, row-major.
pub fn values(tensor: &Tensor) -> Result<Vec<f32>, Problem> {
    tensor.flatten_all().and_then(|flat| flat.to_vec1()).map_err(Problem::bug)
}

/// Bytes that are stored in one piece.
struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Bytes;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Read)
    }
}
