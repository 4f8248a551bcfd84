//! Adam (Kingma and Ba, 2015), without weight decay.

use crate::error::{Error, Result};
use candle_core::{CpuStorage, InplaceOp2, Layout, Tensor, Var};
use std::sync::Mutex;

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
        let change = Mutex::new(Vec::with_capacity(gradient.elem_count()));
        self.first.inplace_op2(
            gradient,
            &Zip(|m: &mut [f32], g: &[f32]| {
                m.iter_mut().zip(g).for_each(|(m, g)| *m = b1 * *m + a1 * g);
                lock(&change).extend_from_slice(m);
            }),
        )?;
        self.second.inplace_op2(
            gradient,
            &Zip(|v: &mut [f32], g: &[f32]| {
                for ((v, g), c) in v.iter_mut().zip(g).zip(lock(&change).iter_mut()) {
                    *v = b2 * *v + a2 * g * g;
                    *c = scale * *c / (v.sqrt() * root + epsilon);
                }
            }),
        )?;
        parameter.as_tensor().inplace_op2(
            gradient,
            &Zip(|p: &mut [f32], _: &[f32]| {
                p.iter_mut().zip(lock(&change).iter()).for_each(|(p, c)| *p -= c);
            }),
        )?;
        Ok(())
    }
}

fn lock(values: &Mutex<Vec<f32>>) -> std::sync::MutexGuard<'_, Vec<f32>> {
    values.lock().unwrap_or_else(|e| e.into_inner())
}

/// Lets a closure change one contiguous tensor while it reads another.
struct Zip<F: Fn(&mut [f32], &[f32])>(F);

impl<F: Fn(&mut [f32], &[f32])> InplaceOp2 for Zip<F> {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(&self, a: &mut CpuStorage, la: &Layout, b: &CpuStorage, lb: &Layout) -> candle_core::Result<()> {
        let (Some((a0, a1)), Some((b0, b1))) = (la.contiguous_offsets(), lb.contiguous_offsets()) else {
            candle_core::bail!("adam needs contiguous tensors")
        };
        match (a, b) {
            (CpuStorage::F32(a), CpuStorage::F32(b)) => (self.0)(&mut a[a0..a1], &b[b0..b1]),
            _ => candle_core::bail!("adam on the CPU needs float32"),
        }
        Ok(())
    }
}
