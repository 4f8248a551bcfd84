//! The five operations that CrossFormer is made of, each as candle composes it and as one differentiable step on the CPU.
//!
//! [`Kernels::Plain`] runs on every device and type and is the oracle of the other. [`Kernels::Fast`] takes the CPU's own
//! kernels for 32-bit floats and falls back to the plain ones elsewhere.

mod fast;
mod plain;

pub(crate) use fast::arrange;

use candle_core::{DType, Device, Result, Tensor};

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

    /// Convolution of [B, H, W, C] with [out, C, k, k] and `stride`, padded by (k - stride) / 2; returns [B, H / stride, W / stride, out].
    /// `arranged` is what [`arrange`] made of the weight, where that has been kept.
    pub fn convolution(self, x: &Tensor, weight: &Tensor, bias: &Tensor, stride: usize, arranged: Option<&Tensor>) -> Result<Tensor> {
        if !self.fast(x) {
            return plain::convolution(x, weight, bias, stride);
        }
        let kernel = weight.dim(2)?;
        let matrix = match arranged {
            Some(matrix) => matrix.clone(),
            None => arrange(weight, stride)?,
        };
        x.apply_op3(&matrix, bias, fast::Convolution { stride, kernel })
    }

    fn fast(self, x: &Tensor) -> bool {
        self == Kernels::Fast && matches!(x.device(), Device::Cpu) && x.dtype() == DType::F32
    }
}
