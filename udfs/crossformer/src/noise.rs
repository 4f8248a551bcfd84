//! Dropout and stochastic depth from a seeded stream.

use candle_core::{Result, Tensor};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The random part of one training pass. The same seed gives the same masks on every device and for any number of threads.
pub struct Noise {
    random: ChaCha8Rng,
}

impl Noise {
    /// A stream of its own for each (seed, stream).
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream);
        Self { random }
    }

    /// Sets each value to 0 with probability `rate` and scales the others by 1 / (1 - rate).
    pub fn dropout(&mut self, x: &Tensor, rate: f64) -> Result<Tensor> {
        if rate == 0.0 {
            return Ok(x.clone());
        }
        x.mul(&self.mask(x.shape().clone(), rate, x)?)
    }

    /// The same for whole samples (first axis): stochastic depth.
    pub fn drop_path(&mut self, x: &Tensor, rate: f64) -> Result<Tensor> {
        if rate == 0.0 {
            return Ok(x.clone());
        }
        let mut shape = vec![1; x.rank()];
        shape[0] = x.dim(0)?;
        x.broadcast_mul(&self.mask(shape.into(), rate, x)?)
    }

    /// The factors of [`drop_path`](Self::drop_path) for `samples`, none where all are 1.
    pub(crate) fn paths(&mut self, samples: usize, rate: f64) -> Vec<f32> {
        if rate == 0.0 { Vec::new() } else { self.factors(samples, rate) }
    }

    fn mask(&mut self, shape: candle_core::Shape, rate: f64, like: &Tensor) -> Result<Tensor> {
        let values = self.factors(shape.elem_count(), rate);
        Tensor::from_vec(values, shape, like.device())?.to_dtype(like.dtype())
    }

    fn factors(&mut self, n: usize, rate: f64) -> Vec<f32> {
        let keep = (1.0 / (1.0 - rate)) as f32;
        // 16 random bits decide: a rate is kept to 1 / 65536.
        let threshold = (rate * 65536.0).round() as u16;
        let mut bytes = vec![0u8; 2 * n];
        self.random.fill_bytes(&mut bytes);
        bytes.chunks_exact(2).map(|b| if u16::from_le_bytes([b[0], b[1]]) < threshold { 0.0 } else { keep }).collect()
    }
}
