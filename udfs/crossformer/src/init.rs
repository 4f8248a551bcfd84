//! A network from scratch.
//!
//! As the authors do: linear weights from a normal of standard deviation 0.02 cut at +-2, biases 0, normalisations 1 and 0,
//! convolutions (weights and biases) uniform in +-1 / sqrt(fan in).

use crate::config::Config;
use crate::error::Result;
use candle_core::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::HashMap;

/// Weights of `config` from a seed: the same values on every machine and device.
pub fn init(config: &Config, seed: u64, device: &Device) -> Result<HashMap<String, Tensor>> {
    config.check()?;
    let mut fan_in = 1;
    let mut weights = HashMap::new();
    for (i, (name, shape)) in config.parameters().into_iter().enumerate() {
        let n = shape.iter().product();
        // A stream for each parameter: its values do not depend on the others' shapes, such as the number of channels.
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(i as u64);
        let convolution = name.contains("projs") || name.contains("reductions");
        if name.ends_with(".weight") {
            fan_in = shape[1..].iter().product();
        }
        let bound = 1.0 / (fan_in as f64).sqrt();
        let values: Vec<f32> = match (convolution, name.ends_with(".weight"), shape.len()) {
            (true, ..) => (0..n).map(|_| ((2.0 * uniform(&mut random) - 1.0) * bound) as f32).collect(),
            (false, true, 1) => vec![1.0; n],
            (false, true, _) => (0..n).map(|_| truncated_normal(&mut random) as f32).collect(),
            (false, false, _) => vec![0.0; n],
        };
        weights.insert(name, Tensor::from_vec(values, shape, device)?);
    }
    Ok(weights)
}

/// In (0, 1), 53 bits.
fn uniform(random: &mut ChaCha8Rng) -> f64 {
    ((random.next_u64() >> 11) as f64 + 0.5) * 2f64.powi(-53)
}

/// Standard deviation 0.02, cut at +-2, which is a hundred standard deviations away: the cut is kept for its name.
fn truncated_normal(random: &mut ChaCha8Rng) -> f64 {
    loop {
        // Box and Muller (1958); libm's functions, the same bits on every platform.
        let (u, v) = (uniform(random), uniform(random));
        let x = 0.02 * (-2.0 * libm::log(u)).sqrt() * libm::cos(std::f64::consts::TAU * v);
        if x.abs() <= 2.0 {
            return x;
        }
    }
}
