//! Adam (Kingma and Ba, 2015), without weight decay.

use crate::error::{Error, Result};
use candle_core::{CpuStorage, InplaceOp3, Layout, Tensor, Var};
use rayon::prelude::*;

/// Step size and the decay of the moments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    pub lr: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self { lr: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

/// First and second moment of one parameter.
pub struct Moments {
    pub first: Tensor,
    pub second: Tensor,
}

impl Moments {
    pub fn zeros(like: &Tensor) -> Result<Self> {
        Ok(Self { first: like.zeros_like()?, second: like.zeros_like()? })
    }

    /// Moves `parameter` against `gradient`; `step` counts from 1.
    pub fn step(&mut self, adam: &Adam, step: usize, parameter: &Var, gradient: &Tensor) -> Result<()> {
        let gradient = gradient.contiguous()?.detach();
        if gradient.device().is_cpu() && gradient.dtype() == candle_core::DType::F32 {
            return self.step_cpu(adam, step, parameter, &gradient);
        }
        let t = step as i32;
        self.first = ((&self.first * adam.beta1)? + (&gradient * (1.0 - adam.beta1))?)?;
        self.second = ((&self.second * adam.beta2)? + (gradient.sqr()? * (1.0 - adam.beta2))?)?;
        let first = (&self.first / (1.0 - adam.beta1.powi(t)))?;
        let second = (&self.second / (1.0 - adam.beta2.powi(t)))?;
        let change = ((first * adam.lr)? / (second.sqrt()? + adam.epsilon)?)?;
        parameter.set(&(parameter.as_tensor() - change)?).map_err(Error::from)
    }

    /// The same in one pass over memory for each moment and the parameter.
    fn step_cpu(&mut self, adam: &Adam, step: usize, parameter: &Var, gradient: &Tensor) -> Result<()> {
        let t = step as i32;
        let decay = |beta: f64| {
            let (keep, take) = (beta as f32, (1.0 - beta) as f32);
            (keep, take)
        };
        let (b1, a1) = decay(adam.beta1);
        let (b2, a2) = decay(adam.beta2);
        let scale = (adam.lr / (1.0 - adam.beta1.powi(t))) as f32;
        let root = (1.0 / (1.0 - adam.beta2.powi(t)).sqrt()) as f32;
        let epsilon = adam.epsilon as f32;
        let (first, second) = (&self.first, &self.second);
        first.inplace_op3(gradient, gradient, &Zip(|m, g, _| *m = b1 * *m + a1 * g))?;
        second.inplace_op3(gradient, gradient, &Zip(|v, g, _| *v = b2 * *v + a2 * g * g))?;
        parameter.as_tensor().inplace_op3(first, second, &Zip(|p, m, v| *p -= scale * m / (v.sqrt() * root + epsilon)))?;
        Ok(())
    }
}

/// Lets a closure change the values of a contiguous tensor by those of two others.
struct Zip<F: Fn(&mut f32, f32, f32) + Sync>(F);

/// Values that a thread takes at a time.
const PIECE: usize = 1 << 14;

impl<F: Fn(&mut f32, f32, f32) + Sync> InplaceOp3 for Zip<F> {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(
        &self,
        a: &mut CpuStorage,
        la: &Layout,
        b: &CpuStorage,
        lb: &Layout,
        c: &CpuStorage,
        lc: &Layout,
    ) -> candle_core::Result<()> {
        let at = |layout: &Layout| match layout.contiguous_offsets() {
            Some((from, to)) => Ok(from..to),
            None => candle_core::bail!("adam needs contiguous tensors"),
        };
        let (a, b, c) = match (a, b, c) {
            (CpuStorage::F32(a), CpuStorage::F32(b), CpuStorage::F32(c)) => (&mut a[at(la)?], &b[at(lb)?], &c[at(lc)?]),
            _ => candle_core::bail!("adam on the CPU needs float32"),
        };
        let pieces = a.par_chunks_mut(PIECE).zip(b.par_chunks(PIECE).zip(c.par_chunks(PIECE)));
        pieces.for_each(|(a, (b, c))| a.iter_mut().zip(b.iter().zip(c)).for_each(|(a, (b, c))| (self.0)(a, *b, *c)));
        Ok(())
    }
}
