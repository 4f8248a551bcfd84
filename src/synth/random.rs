//! Streams of random numbers, one for each purpose, so that no draw depends on the order of the work.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::math;

/// What a stream is for; together with the subject's number it picks the stream.
#[derive(Debug, Clone, Copy)]
pub enum Purpose {
    Latent = 1,
    Clinical = 2,
    Survival = 3,
    Screening = 4,
    Anatomy = 5,
    ShapePre = 6,
    ShapePost = 7,
    TexturePre = 8,
    TexturePost = 9,
    NoisePre = 10,
    NoisePost = 11,
    Reader1Pre = 12,
    Reader2Pre = 13,
    Reader1Post = 14,
    Reader2Post = 15,
}

/// A ChaCha8 stream of the cohort's seed.
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of a `purpose` for subject number `subject` in the cohort of `seed`.
    pub fn new(seed: u64, purpose: Purpose, subject: usize) -> Self {
        let mut key = *b"esccsql synthetic cohort, key 01";
        for (byte, seed) in key.iter_mut().zip(seed.to_le_bytes()) {
            *byte ^= seed;
        }
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(subject as u64 * 16 + purpose as u64);
        Stream(rng)
    }

    /// Uniform in the open interval (0, 1).
    pub fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 12) as f64 + 0.5) / (1u64 << 52) as f64
    }

    /// Uniform between `low` and `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Standard normal.
    pub fn normal(&mut self) -> f64 {
        math::normal_quantile(self.uniform())
    }

    /// Standard normal cut at `limit` standard deviations (values beyond it stop there).
    pub fn normal_within(&mut self, limit: f64) -> f64 {
        self.normal().clamp(-limit, limit)
    }

    /// One of `0..n`.
    pub fn index(&mut self, n: usize) -> usize {
        ((self.uniform() * n as f64) as usize).min(n - 1)
    }

    /// `0..n` in random order (Fisher-Yates).
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for last in (1..n).rev() {
            order.swap(last, self.index(last + 1));
        }
        order
    }

    /// One uniform number per subject, spread evenly: each `n`-th part of (0, 1) holds exactly one of the `n`.
    pub fn stratified(&mut self, n: usize) -> Vec<f64> {
        self.permutation(n).into_iter().map(|stratum| (stratum as f64 + self.uniform()) / n as f64).collect()
    }

    /// Fills `field` with near-normal white noise of unit variance: sums of four 16-bit uniforms, fast, and as good as
    /// normal once smoothed.
    pub fn white_noise(&mut self, field: &mut [f32]) {
        // A sum of four uniforms on 0..=65535 has mean 2 * 65535 and variance (65536^2 - 1) / 3.
        const MEAN: f32 = 131_070.0;
        const SCALE: f32 = 2.642_899_8e-5;
        for value in field {
            let bits = self.0.next_u64();
            let sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
            *value = (sum as f32 - MEAN) * SCALE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_and_repeat() {
        let first = |seed, purpose, subject| Stream::new(seed, purpose, subject).uniform();
        assert_eq!(first(7, Purpose::Latent, 3), first(7, Purpose::Latent, 3));
        assert_ne!(first(7, Purpose::Latent, 3), first(7, Purpose::Latent, 4));
        assert_ne!(first(7, Purpose::Latent, 3), first(7, Purpose::Clinical, 3));
        assert_ne!(first(7, Purpose::Latent, 3), first(8, Purpose::Latent, 3));
    }

    #[test]
    fn white_noise_has_unit_variance() {
        let mut field = vec![0.0f32; 40_000];
        Stream::new(1, Purpose::NoisePre, 0).white_noise(&mut field);
        let n = field.len() as f64;
        let mean = field.iter().map(|&v| v as f64).sum::<f64>() / n;
        let variance = field.iter().map(|&v| (v as f64 - mean) * (v as f64 - mean)).sum::<f64>() / n;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
    }

    #[test]
    fn stratified_draws_fill_every_stratum() {
        let mut draws = Stream::new(1, Purpose::Survival, 0).stratified(50);
        draws.sort_by(f64::total_cmp);
        assert!(draws.iter().enumerate().all(|(i, u)| (u * 50.0) as usize == i));
    }
}
