//! A CrossFormer as a MODEL: configuration, input rule and weights (safetensors), and the network built from them once.

use std::fmt;
use std::sync::OnceLock;

use candle_core::{Device, Tensor};
use esccsql_crossformer::input::Rule;
use esccsql_crossformer::train::Epoch;
use esccsql_crossformer::weights::Weights;
use esccsql_crossformer::{Config, CrossFormer, Error, Output};
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::shape::{Fit, Problem};

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
    built: OnceLock<CrossFormer>,
}

impl Fit for Network {
    const KIND: &'static str = "crossformer";
}

impl Network {
    pub fn new(config: Config, rule: Rule, weights: &Weights) -> Result<Self, Problem> {
        let weights = Bytes(weights.to_safetensors().map_err(Problem::bug)?);
        Ok(Network { config, rule, weights, epochs: Vec::new(), built: OnceLock::new() })
    }

    /// The stored weights.
    pub fn weights(&self) -> Result<Weights, Problem> {
        Weights::read_safetensors(&self.weights.0).map_err(Problem::user)
    }

    /// The network on the CPU, whose bits do not depend on the machine's other devices.
    pub fn built(&self) -> Result<&CrossFormer, Problem> {
        if let Some(built) = self.built.get() {
            return Ok(built);
        }
        let tensors = self.weights()?.tensors(&Device::Cpu).map_err(Problem::bug)?;
        let built = CrossFormer::new(&self.config, &tensors).map_err(Problem::user)?;
        Ok(self.built.get_or_init(|| built))
    }

    /// Embedding and outputs of images [batch, channels, height, width], given row-major.
    pub fn forward(&self, images: Vec<f32>, shape: [usize; 4]) -> Result<Output, Problem> {
        let images = Tensor::from_vec(images, &shape, &Device::Cpu).map_err(Problem::bug)?;
        self.built()?.forward(&images).map_err(problem)
    }
}

/// A kernel's error as the user's problem, or ours where the tensor library fails.
pub fn problem(error: Error) -> Problem {
    match error {
        Error::Tensor(error) => Problem::bug(error),
        other => Problem::user(other),
    }
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
