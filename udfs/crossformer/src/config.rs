//! The published variants and the names and shapes of their parameters.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Side of an attention group, in tokens.
pub const GROUP: usize = 7;
/// Kernel sizes of the cross-scale patch embedding; the stride is 4 and the padding `(k - 4) / 2`.
pub const PATCHES: [usize; 4] = [4, 8, 16, 32];
/// Kernel sizes of the merging between stages; the stride is 2 and the padding `(k - 2) / 2`.
pub const MERGES: [usize; 2] = [2, 4];
/// Token interval of long-distance attention in each stage.
pub const INTERVALS: [usize; 4] = [8, 4, 2, 1];
/// Hidden width of the MLP over the token width.
pub const MLP: usize = 4;

/// A CrossFormer: widths, depths and the rates that act in training only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Token width of the first stage; it doubles at each of the three mergings.
    pub embed_dim: usize,
    /// Blocks in each stage.
    pub depths: [usize; 4],
    /// Attention heads in each stage.
    pub heads: [usize; 4],
    /// Input channels.
    pub in_channels: usize,
    /// Outputs of the head; 1 for a risk.
    pub classes: usize,
    /// Dropout after the patch embedding, the projection, GELU and the MLP.
    pub dropout: f64,
    /// Stochastic depth of the last block; it grows linearly from 0 at the first.
    pub drop_path: f64,
}

impl Config {
    fn preset(embed_dim: usize, depths: [usize; 4], heads: [usize; 4], drop_path: f64) -> Self {
        Self { embed_dim, depths, heads, in_channels: 3, classes: 1000, dropout: 0.0, drop_path }
    }

    /// CrossFormer-T: 27.8 M parameters, 512 pooled features.
    pub fn tiny() -> Self {
        Self::preset(64, [1, 1, 8, 6], [2, 4, 8, 16], 0.1)
    }

    /// CrossFormer-S: 30.7 M parameters, 768 pooled features.
    pub fn small() -> Self {
        Self::preset(96, [2, 2, 6, 2], [3, 6, 12, 24], 0.2)
    }

    /// CrossFormer-B: 52.0 M parameters, 768 pooled features.
    pub fn base() -> Self {
        Self::preset(96, [2, 2, 18, 2], [3, 6, 12, 24], 0.3)
    }

    /// CrossFormer-L: 92.0 M parameters, 1024 pooled features.
    pub fn large() -> Self {
        Self::preset(128, [2, 2, 18, 2], [4, 8, 16, 32], 0.5)
    }

    /// A network of 0.4 M parameters with the same parts, not a published one: quick trials and tests.
    pub fn micro() -> Self {
        Self::preset(16, [1, 1, 2, 1], [1, 2, 4, 8], 0.0)
    }

    /// The preset of a name: `tiny`, `small`, `base`, `large` or `micro`.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "tiny" => Ok(Self::tiny()),
            "small" => Ok(Self::small()),
            "base" => Ok(Self::base()),
            "large" => Ok(Self::large()),
            "micro" => Ok(Self::micro()),
            _ => Err(Error::Config(format!("no variant '{name}'; there are tiny, small, base, large and micro"))),
        }
    }

    /// The same network for another number of input channels.
    pub fn channels(self, in_channels: usize) -> Self {
        Self { in_channels, ..self }
    }

    /// The same network for another number of outputs.
    pub fn classes(self, classes: usize) -> Self {
        Self { classes, ..self }
    }

    /// Token width of stage 0 to 3.
    pub fn width(&self, stage: usize) -> usize {
        self.embed_dim << stage
    }

    /// Number of pooled features.
    pub fn pooled_width(&self) -> usize {
        self.width(3)
    }

    /// Output channels of the four patch convolutions: a half, a quarter and twice an eighth of the width.
    pub fn patch_channels(&self) -> [usize; 4] {
        let e = self.embed_dim;
        [e / 2, e / 4, e / 8, e / 8]
    }

    /// Refuses widths that cannot be split into heads and patches.
    pub fn check(&self) -> Result<()> {
        let fail = |what: String| Err(Error::Config(what));
        if self.embed_dim == 0 || !self.embed_dim.is_multiple_of(16) || self.embed_dim > 4096 {
            return fail(format!("embed_dim must be a multiple of 16 up to 4096, got {}", self.embed_dim));
        }
        if self.in_channels == 0 || self.classes == 0 {
            return fail("in_channels and classes must be at least 1".into());
        }
        for stage in 0..4 {
            let (width, heads) = (self.width(stage), self.heads[stage]);
            if self.depths[stage] == 0 || heads == 0 || !width.is_multiple_of(heads) {
                return fail(format!("stage {stage} needs a block, and heads that divide its width {width}; got {heads} heads"));
            }
        }
        for (name, rate) in [("dropout", self.dropout), ("drop_path", self.drop_path)] {
            if !(0.0..1.0).contains(&rate) {
                return fail(format!("{name} must be at least 0 and below 1, got {rate}"));
            }
        }
        Ok(())
    }

    /// Every parameter's name and shape, in the order of the official checkpoints.
    pub fn parameters(&self) -> Vec<(String, Vec<usize>)> {
        let mut list = Vec::new();
        let mut both = |name: String, weight: Vec<usize>| {
            let bias = vec![weight[0]];
            list.push((format!("{name}.weight"), weight));
            list.push((format!("{name}.bias"), bias));
        };
        for (i, (k, out)) in PATCHES.into_iter().zip(self.patch_channels()).enumerate() {
            both(format!("patch_embed.projs.{i}"), vec![out, self.in_channels, k, k]);
        }
        both("patch_embed.norm".into(), vec![self.embed_dim]);
        for stage in 0..4 {
            let (c, heads) = (self.width(stage), self.heads[stage]);
            let p = c / 16;
            for block in 0..self.depths[stage] {
                let at = format!("layers.{stage}.blocks.{block}");
                both(format!("{at}.norm1"), vec![c]);
                both(format!("{at}.attn.pos.pos_proj"), vec![p, 2]);
                for (i, out) in [p, p, heads].into_iter().enumerate() {
                    both(format!("{at}.attn.pos.pos{}.0", i + 1), vec![p]);
                    both(format!("{at}.attn.pos.pos{}.2", i + 1), vec![out, p]);
                }
                both(format!("{at}.attn.qkv"), vec![3 * c, c]);
                both(format!("{at}.attn.proj"), vec![c, c]);
                both(format!("{at}.norm2"), vec![c]);
                both(format!("{at}.mlp.fc1"), vec![MLP * c, c]);
                both(format!("{at}.mlp.fc2"), vec![c, MLP * c]);
            }
            if stage < 3 {
                both(format!("layers.{stage}.downsample.norm"), vec![c]);
                for (i, k) in MERGES.into_iter().enumerate() {
                    both(format!("layers.{stage}.downsample.reductions.{i}"), vec![c, c, k, k]);
                }
            }
        }
        both("norm".into(), vec![self.pooled_width()]);
        both("head".into(), vec![self.classes, self.pooled_width()]);
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published parameter counts (3 channels, 1000 classes).
    #[test]
    fn published_sizes() {
        for (config, count) in [
            (Config::tiny(), 27_776_794),
            (Config::small(), 30_657_394),
            (Config::base(), 51_971_554),
            (Config::large(), 91_971_184),
            (Config::tiny().channels(7).classes(1), 27_311_411),
        ] {
            config.check().unwrap();
            let n: usize = config.parameters().iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
            assert_eq!(n, count);
        }
    }
}
