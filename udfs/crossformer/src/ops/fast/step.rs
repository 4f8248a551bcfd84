//! A block as one differentiable step.
//!
//! The tensor library follows steps of up to three inputs and a block has fourteen. It follows the tokens and the position bias; the
//! gradients of the block's own weights, nearly all of a network's, are left in [`Left`], where nobody adds them to zeros first.

use super::block::{Arranged, Call, Kept, PARTS, Values};
use super::{read, view};
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, TensorId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Gradients that a backward pass has left, by their parameter.
#[derive(Clone, Default)]
pub struct Left(Arc<Mutex<HashMap<TensorId, Tensor>>>);

impl Left {
    /// All that has been left since the last time.
    pub fn take(&self) -> HashMap<TensorId, Tensor> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(|e| e.into_inner()))
    }

    fn put(&self, parameter: &Tensor, gradient: Vec<f32>) -> Result<()> {
        let gradient = Tensor::from_vec(gradient, parameter.shape(), parameter.device())?;
        self.0.lock().unwrap_or_else(|e| e.into_inner()).insert(parameter.id(), gradient);
        Ok(())
    }
}

/// Runs a block on `x` [B, H, W, C]. `arranged` are the weights laid out, where they have been kept.
pub fn run(call: Call, x: &Tensor, parts: [Tensor; PARTS], arranged: Option<&Arranged>, left: &Left) -> Result<Tensor> {
    if x.track_op() || parts.iter().any(Tensor::track_op) {
        let table = parts[0].clone();
        return x.apply_op2(&table, Block { call, parts, left: left.clone(), kept: Mutex::new(None) });
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

struct Block {
    call: Call,
    parts: [Tensor; PARTS],
    left: Left,
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

    fn bwd(&self, x: &Tensor, table: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let kept = self.kept.lock().unwrap_or_else(|e| e.into_inner());
        let Some(kept) = &*kept else { candle_core::bail!("a block's backward pass before its forward pass") };
        let (gx, gradients) = read([x, &grad], |[x, grad]| read(self.parts.each_ref(), |v| self.call.backward(x, &v.into(), kept, grad)))?;
        let mut gradients = gradients.into_iter();
        let gtable = gradients.next().map(|g| Tensor::from_vec(g, table.shape(), table.device())).transpose()?;
        for (parameter, gradient) in self.parts[1..].iter().zip(gradients) {
            self.left.put(parameter, gradient)?;
        }
        Ok((Some(Tensor::from_vec(gx, x.shape(), x.device())?), gtable))
    }
}
