//! A block as one differentiable step.
//!
//! The tensor library follows steps of up to three inputs and a block has fourteen: its parameters are joined, two at a time,
//! into a value that says nothing. It carries the gradients that the block's backward pass has left for them.

use super::block::{Arranged, Call, Kept, PARTS, Values};
use super::{read, view};
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};
use std::sync::{Arc, Mutex};

type Gradients = Arc<Mutex<Vec<Vec<f32>>>>;

/// Runs a block on `x` [B, H, W, C]. `arranged` are the weights laid out, where they have been kept.
pub fn run(call: Call, x: &Tensor, parts: [Tensor; PARTS], arranged: Option<&Arranged>) -> Result<Tensor> {
    if x.track_op() || parts.iter().any(Tensor::track_op) {
        let left = Gradients::default();
        let mut joined = parts[0].apply_op3(&parts[1], &parts[2], Join { first: 0, left: left.clone() })?;
        for first in (3..PARTS).step_by(2) {
            joined = joined.apply_op3(&parts[first], &parts[first + 1], Join { first, left: left.clone() })?;
        }
        return x.apply_op2(&joined, Block { call, parts, left, kept: Mutex::new(None) });
    }
    let y = read([x], |[x]| {
        read(parts.each_ref(), |v| {
            let v = Values::from(v);
            let fresh = arranged.is_none().then(|| Arranged::new(&v, &call.pool));
            Ok(arranged.or(fresh.as_ref()).map(|a| call.forward(x, &v, a, false).0))
        })
    })?;
    match y {
        Some(y) => Tensor::from_vec(y, x.shape(), x.device()),
        None => candle_core::bail!("a block without weights"),
    }
}

struct Join {
    /// Of the three inputs, where the first is a part; of the last two otherwise.
    first: usize,
    left: Gradients,
}

impl CustomOp3 for Join {
    fn name(&self) -> &'static str {
        "join"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32(vec![0.0]), 1.into()))
    }

    fn bwd(&self, a: &Tensor, b: &Tensor, c: &Tensor, _: &Tensor, _: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let mut left = self.left.lock().unwrap_or_else(|e| e.into_inner());
        let mut take = |i: usize, like: &Tensor| Tensor::from_vec(std::mem::take(&mut left[i]), like.shape(), like.device()).map(Some);
        if self.first == 0 {
            return Ok((take(0, a)?, take(1, b)?, take(2, c)?));
        }
        Ok((Some(a.zeros_like()?), take(self.first, b)?, take(self.first + 1, c)?))
    }
}

struct Block {
    call: Call,
    parts: [Tensor; PARTS],
    left: Gradients,
    kept: Mutex<Option<Kept>>,
}

impl CustomOp2 for Block {
    fn name(&self) -> &'static str {
        "block"
    }

    fn cpu_fwd(&self, x: &CpuStorage, l: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = view(x, l)?;
        let (y, kept) = read(self.parts.each_ref(), |v| {
            let v = Values::from(v);
            Ok(self.call.forward(x, &v, &Arranged::new(&v, &self.call.pool), true))
        })?;
        *self.kept.lock().unwrap_or_else(|e| e.into_inner()) = kept;
        Ok((CpuStorage::F32(y), l.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, joined: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let kept = self.kept.lock().unwrap_or_else(|e| e.into_inner());
        let Some(kept) = &*kept else { candle_core::bail!("a block's backward pass before its forward pass") };
        let (gx, gradients) = read([x, &grad], |[x, grad]| read(self.parts.each_ref(), |v| self.call.backward(x, &v.into(), kept, grad)))?;
        *self.left.lock().unwrap_or_else(|e| e.into_inner()) = gradients;
        Ok((Some(Tensor::from_vec(gx, x.shape(), x.device())?), Some(joined.zeros_like()?)))
    }
}
