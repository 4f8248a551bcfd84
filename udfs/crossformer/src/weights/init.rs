//! Weights to begin a training from scratch with, as upstream draws them.
//!
//! Linear layers: normal with standard deviation 0.02, cut at +-2; biases 0; layer norms 1 and 0; convolutions: weights and
//! biases uniform in +-1 / sqrt(fan_in), torch's default. The same numbers on every machine.

use std::f64::consts::TAU;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::{Parameter, Weights};
use crate::config::Config;

const LINEAR_SD: f64 = 0.02;
const CUT: f64 = 2.0;

/// Initial weights of a network. Each parameter has its own stream of random numbers, so that the same name and shape get the
/// same numbers whatever else the model holds.
pub fn initial(config: &Config, seed: u64) -> Weights {
    let parameters = config.parameters();
    let fan_in = |name: &str| -> usize {
        let kernel = format!("{}.weight", name.rsplit_once('.').map_or(name, |(module, _)| module));
        parameters.iter().find(|(name, _)| *name == kernel).map_or(1, |(_, shape)| shape[1..].iter().product())
    };
    let draw = |(index, (name, shape)): (usize, &(String, Vec<usize>))| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(index as u64);
        let count = shape.iter().product();
        let is_convolution = name.contains(".projs.") || name.contains(".reductions.");
        let values = match (is_convolution, name.ends_with(".weight"), shape.len()) {
            (true, ..) => {
                let bound = 1.0 / (fan_in(name) as f64).sqrt();
                (0..count).map(|_| ((2.0 * uniform(&mut random) - 1.0) * bound) as f32).collect()
            }
            (_, true, 2) => (0..count).map(|_| linear(&mut random) as f32).collect(),
            (_, true, _) => vec![1.0; count],
            (_, false, _) => vec![0.0; count],
        };
        (name.clone(), Parameter { shape: shape.clone(), values })
    };
    Weights(parameters.iter().enumerate().map(draw).collect())
}

/// Uniform in [0, 1) with 53 bits.
fn uniform(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// A truncated normal number by Box and Muller's transform. libm's functions give the same bits on every platform.
fn linear(random: &mut ChaCha8Rng) -> f64 {
    loop {
        let radius = (-2.0 * libm::log(1.0 - uniform(random))).sqrt();
        let value = LINEAR_SD * radius * libm::cos(TAU * uniform(random));
        if value.abs() <= CUT {
            return value;
        }
    }
}
