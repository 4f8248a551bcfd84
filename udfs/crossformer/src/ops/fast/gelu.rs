//! GELU, x Φ(x) (Hendrycks and Gimpel, 2016), in its exact form.

use super::simd::{gelu, gelu_slope, vectorized};
use super::{read, view};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

const PIECE: usize = 1 << 15;

pub struct Gelu;

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(&self, s: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = view(s, l)?;
        let mut y = vec![0.0; x.len()];
        apply(x, &mut y);
        Ok((CpuStorage::F32(y), l.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.contiguous()?;
        let out = read([x, &grad], |[x, g]| {
            let mut out = vec![0.0; x.len()];
            out.par_chunks_mut(PIECE).zip(x.par_chunks(PIECE).zip(g.par_chunks(PIECE))).for_each(|(out, (x, g))| backward(x, g, out));
            Ok(out)
        })?;
        Ok(Some(Tensor::from_vec(out, x.shape(), x.device())?))
    }
}

/// GELU of `x` into `y`.
pub fn apply(x: &[f32], y: &mut [f32]) {
    y.par_chunks_mut(PIECE).zip(x.par_chunks(PIECE)).for_each(|(y, x)| forward(x, y));
}

vectorized! {
    fn forward<'a>[_simd](x: &'a [f32], y: &'a mut [f32]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = gelu::<S>(x);
        }
    }
}

vectorized! {
    fn backward<'a>[_simd](x: &'a [f32], g: &'a [f32], out: &'a mut [f32]) {
        for ((out, &x), &g) in out.iter_mut().zip(x).zip(g) {
            *out = g * gelu_slope::<S>(x);
        }
    }
}
