//! y = x Wᵀ + b.

use super::{ROWS, read, total, view};
use candle_core::backend::BackendStorage;
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
        view(x, lx)?;
        let rows = lx.shape().elem_count() / inputs;
        let mut shape = lx.shape().dims().to_vec();
        shape[lx.shape().rank() - 1] = outputs;
        let by_row = Layout::new((rows, inputs).into(), vec![inputs, 1], lx.start_offset());
        let transposed = Layout::new((inputs, outputs).into(), vec![1, inputs], lw.start_offset());
        let bias = view(b, lb)?;
        let CpuStorage::F32(mut y) = x.matmul(w, (1, rows, outputs, inputs), &by_row, &transposed)? else {
            candle_core::bail!("linear takes float32")
        };
        add_bias(&mut y, bias);
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

/// Adds `bias` to every row.
pub fn add_bias(rows: &mut [f32], bias: &[f32]) {
    rows.par_chunks_mut(ROWS * bias.len()).for_each(|piece| {
        for row in piece.chunks_exact_mut(bias.len()) {
            row.iter_mut().zip(bias).for_each(|(y, b)| *y += b);
        }
    });
}

/// The sum of each column of rows of `width`.
pub fn column_sums(rows: &[f32], width: usize) -> Vec<f32> {
    let parts = rows
        .par_chunks(ROWS * width)
        .map(|piece| {
            let mut sum = vec![0.0; width];
            for row in piece.chunks_exact(width) {
                sum.iter_mut().zip(row).for_each(|(s, v)| *s += v);
            }
            sum
        })
        .collect();
    total(parts, width)
}
