//! y = x Wᵀ + b.

use super::gemm::{Panels, Rows, Then, multiply};
use super::pool::Pool;
use super::simd::vectorized;
use super::{ROWS, read, total, view};
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

pub struct Linear;

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        lx: &Layout,
        w: &CpuStorage,
        lw: &Layout,
        b: &CpuStorage,
        lb: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (outputs, inputs) = lw.shape().dims2()?;
        let x = view(x, lx)?;
        let mut shape = lx.shape().dims().to_vec();
        shape[lx.shape().rank() - 1] = outputs;
        let mut y = vec![0.0; x.len() / inputs * outputs];
        let panels = Panels::transposed(view(w, lw)?, outputs, inputs, &Pool::default());
        multiply(Rows { values: x, step: inputs }, &panels, Then::Bias(view(b, lb)?), &mut y);
        Ok((CpuStorage::F32(y), shape.into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (outputs, inputs) = w.dims2()?;
        let g = grad.contiguous()?.reshape(((), outputs))?.detach();
        let gx = if x.track_op() { Some(g.matmul(&w.detach())?.reshape(x.shape())?) } else { None };
        let gw = g.t()?.matmul(&x.detach().reshape(((), inputs))?)?;
        let gb = Tensor::from_vec(read([&g], |[g]| Ok(column_sums(g, outputs)))?, b.shape(), b.device())?;
        Ok((gx, Some(gw), Some(gb)))
    }
}

/// The sum of each column of rows of `width`.
pub fn column_sums(rows: &[f32], width: usize) -> Vec<f32> {
    let parts = rows
        .par_chunks(ROWS * width)
        .map(|piece| {
            let mut sum = vec![0.0; width];
            add_rows(piece, &mut sum);
            sum
        })
        .collect();
    total(parts, width)
}

vectorized! {
    fn add_rows<'a>[_simd](rows: &'a [f32], sum: &'a mut [f32]) {
        for row in rows.chunks_exact(sum.len()) {
            sum.iter_mut().zip(row).for_each(|(s, v)| *s += v);
        }
    }
}
