//! The operations that CrossFormer is made of, each as candle composes it and as one differentiable step on the CPU; there, a
//! whole block is one step too.
//!
//! [`Kernels::Plain`] runs on every device and type and is the oracle of the other. [`Kernels::Fast`] takes the CPU's own
//! kernels for 32-bit floats and falls back to the plain ones elsewhere.

mod fast;
mod plain;

pub(crate) use fast::{Left, Pool};

use candle_core::{DType, Device, Result, Tensor};
use std::sync::OnceLock;

/// How tokens on an H x W grid form attention groups.
///
/// A group holds `side * side` tokens, `interval` apart in both directions: neighbours for short-distance attention
/// (`interval` 1), tokens spread over the image for long-distance attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grouping {
    pub side: usize,
    pub interval: usize,
}

impl Grouping {
    /// Tokens along one side of the square from which `interval * interval` groups are drawn.
    pub fn reach(&self) -> usize {
        self.side * self.interval
    }
}

/// A weight and a bias: a linear layer or a normalisation.
#[derive(Clone)]
pub(crate) struct Pair {
    pub weight: Tensor,
    pub bias: Tensor,
}

/// The layers of a block, and what the fast kernels keep of them when they cannot change.
pub(crate) struct Layers {
    pub norm1: Pair,
    pub qkv: Pair,
    pub proj: Pair,
    pub norm2: Pair,
    pub fc1: Pair,
    pub fc2: Pair,
    pub arranged: OnceLock<fast::Arranged>,
}

impl Layers {
    fn parts(&self, table: &Tensor) -> [Tensor; fast::PARTS] {
        let Self { norm1, qkv, proj, norm2, fc1, fc2, .. } = self;
        let [[a, b], [c, d], [e, f], [g, h], [i, j], [k, l]] =
            [norm1, qkv, proj, norm2, fc1, fc2].map(|p| [p.weight.clone(), p.bias.clone()]);
        [table.clone(), a, b, c, d, e, f, g, h, i, j, k, l]
    }
}

/// Convolutions of one input, their kernels ascending in size, and what the fast kernels keep of them when they cannot change.
pub(crate) struct Convolutions {
    pub layers: Vec<Pair>,
    pub stride: usize,
    pub arranged: OnceLock<Vec<fast::Laid>>,
}

/// Which implementation computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kernels {
    /// Compositions of the tensor library's operations.
    Plain,
    /// Fused kernels on the CPU in float32, the plain ones elsewhere.
    #[default]
    Fast,
}

impl Kernels {
    /// y = x Wᵀ + b over the last axis; W is [out, in].
    pub fn linear(self, x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
        if self.fast(x) {
            return x.apply_op3(weight, bias, fast::Linear);
        }
        plain::linear(x, weight, bias)
    }

    /// Layer normalisation over the last axis, epsilon 1e-5, biased variance.
    pub fn layer_norm(self, x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
        if self.fast(x) {
            return x.apply_op3(weight, bias, fast::LayerNorm);
        }
        plain::layer_norm(x, weight, bias)
    }

    /// The exact GELU, x Φ(x).
    pub fn gelu(self, x: &Tensor) -> Result<Tensor> {
        if self.fast(x) { x.apply_op1(fast::Gelu) } else { x.gelu_erf() }
    }

    /// Attention inside groups. `qkv` is [B, H, W, 3C], `bias` [heads, side², side²] with the query first; returns [B, H, W, C].
    pub fn attention(self, qkv: &Tensor, bias: &Tensor, grouping: Grouping) -> Result<Tensor> {
        let head = qkv.dim(3)? / 3 / bias.dim(0)?;
        if self.fast(qkv) && fast::fits(grouping, head) {
            return qkv.apply_op2(bias, fast::Attention(grouping));
        }
        plain::attention(qkv, bias, grouping)
    }

    /// Convolutions of [B, H, W, C] with each [out, C, k, k] and `stride`, padded by (k - stride) / 2, side by side:
    /// [B, H / stride, W / stride, sum of out].
    pub(crate) fn convolve(self, x: &Tensor, c: &Convolutions, pool: &Pool) -> Result<Tensor> {
        let outputs = match self.fast(x) {
            true => fast::convolve(x, &c.layers, c.stride, &c.arranged, pool)?,
            false => c.layers.iter().map(|l| plain::convolution(x, &l.weight, &l.bias, c.stride)).collect::<Result<_>>()?,
        };
        Tensor::cat(&outputs, 3)?.contiguous()
    }

    /// Whether [`block`](Self::block) computes blocks of such tokens.
    pub(crate) fn fuses(self, x: &Tensor, heads: usize, grouping: Grouping) -> Result<bool> {
        Ok(self.fast(x) && fast::fits(grouping, x.dim(3)? / heads))
    }

    /// x + attention(norm1(x)), then the same plus mlp(norm2(it)), of [B, H, W, C]. The two branches are scaled by `scales`, a
    /// factor for each image or nothing. The backward pass leaves the gradients of `layers` in `left`.
    pub(crate) fn block(
        self,
        x: &Tensor,
        layers: &Layers,
        table: &Tensor,
        grouping: Grouping,
        scales: [Vec<f32>; 2],
        (pool, left): (&Pool, &Left),
    ) -> Result<Tensor> {
        let (batch, height, width, channels) = x.dims4()?;
        let plan = fast::Plan { grouping, batch, height, width, channels, heads: table.dim(0)? };
        let parts = layers.parts(table);
        let mut arranged = layers.arranged.get();
        if arranged.is_none() && !parts.iter().any(Tensor::track_op) {
            let fresh = fast::read(parts.each_ref(), |v| Ok(fast::Arranged::new(&fast::Values::from(v), pool)))?;
            arranged = Some(layers.arranged.get_or_init(|| fresh));
        }
        fast::block(fast::Call { plan, scales, pool: pool.clone() }, x, parts, arranged, left)
    }

    fn fast(self, x: &Tensor) -> bool {
        self == Kernels::Fast && matches!(x.device(), Device::Cpu) && x.dtype() == DType::F32
    }
}
