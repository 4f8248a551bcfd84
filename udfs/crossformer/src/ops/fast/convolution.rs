//! Convolution whose kernel is a whole number of strides wide, as one matrix product over cells.
//!
//! A cell is stride x stride pixels, so a window is n x n cells, n = kernel / stride. Cells of a row lie one after the other in
//! memory: n neighbours are one row of a matrix whose rows overlap, and no window is ever copied. The n cell rows of a window
//! become n groups of columns of the product, Z[cell, (dy, out)], and the output is the sum of Z at (y + dy, dy).

use super::gemm::{Panels, Rows, Then, multiply};
use super::linear::column_sums;
use super::pool::{Buffer, Pool};
use super::{read, view};
use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use std::sync::Arc;

/// Takes [B, H, W, C], the weights by [`arrange`] and the bias; returns [B, H / stride, W / stride, out].
pub struct Convolution {
    pub stride: usize,
    pub kernel: usize,
    /// The weights laid out, where they have been kept.
    pub panels: Option<Arc<Panels>>,
    pub pool: Pool,
}

/// Lays out the weights by [`arrange`].
pub fn panels(arranged: &Tensor, pool: &Pool) -> Result<Panels> {
    let (k, n) = arranged.dims2()?;
    read([arranged], |[w]| Ok(Panels::straight(w, k, n, pool)))
}

/// [out, C, k, k] -> [(dx, y in cell, x in cell, C), (dy, out)].
pub fn arrange(weight: &Tensor, stride: usize) -> Result<Tensor> {
    let (out, c, k, _) = weight.dims4()?;
    let n = k / stride;
    weight
        .reshape(vec![out, c, n, stride, n, stride])?
        .permute(vec![4, 3, 5, 1, 2, 0])?
        .contiguous()?
        .reshape((n * stride * stride * c, n * out))
}

/// Sizes of one call.
struct Plan {
    batch: usize,
    height: usize,
    width: usize,
    channels: usize,
    stride: usize,
    /// Cells along a window.
    n: usize,
    padding: usize,
    out: usize,
}

impl Plan {
    fn rows(&self) -> usize {
        self.height / self.stride + self.n - 1
    }

    fn columns(&self) -> usize {
        self.width / self.stride + self.n - 1
    }

    fn cell(&self) -> usize {
        self.stride * self.stride * self.channels
    }

    /// Rows, columns and inner length of the product.
    fn product(&self) -> (usize, usize, usize) {
        (self.batch * self.rows() * self.columns() + 1 - self.n, self.n * self.out, self.n * self.cell())
    }

    /// Calls `f` for each run of pixels inside the image that is contiguous both there and in its cell:
    /// (place among the cells of one cell row, place in the image, length).
    fn runs(&self, row: usize, mut f: impl FnMut(usize, usize, usize)) {
        let (s, c) = (self.stride, self.channels);
        for iy in 0..s {
            let Some(y) = (row * s + iy).checked_sub(self.padding).filter(|&y| y < self.height) else { continue };
            for column in 0..self.columns() {
                let left = self.padding.saturating_sub(column * s).min(s);
                let right = (self.width + self.padding).saturating_sub(column * s).min(s);
                if left < right {
                    let x = column * s + left - self.padding;
                    f(column * self.cell() + (iy * s + left) * c, (y * self.width + x) * c, (right - left) * c);
                }
            }
        }
    }

    fn cells(&self, x: &[f32]) -> Vec<f32> {
        let (row, image) = (self.columns() * self.cell(), self.height * self.width * self.channels);
        let mut cells = vec![0.0; self.batch * self.rows() * row];
        cells.par_chunks_mut(row).enumerate().for_each(|(i, cells)| {
            let x = &x[i / self.rows() * image..][..image];
            self.runs(i % self.rows(), |cell, pixel, n| cells[cell..cell + n].copy_from_slice(&x[pixel..pixel + n]));
        });
        cells
    }

    /// The reverse of `cells`: each pixel is in one cell at most.
    fn pixels(&self, cells: &[f32]) -> Vec<f32> {
        let (row, image) = (self.columns() * self.cell(), self.height * self.width * self.channels);
        let mut x = vec![0.0; self.batch * image];
        x.par_chunks_mut(image).enumerate().for_each(|(b, x)| {
            for r in 0..self.rows() {
                let cells = &cells[(b * self.rows() + r) * row..][..row];
                self.runs(r, |cell, pixel, n| x[pixel..pixel + n].copy_from_slice(&cells[cell..cell + n]));
            }
        });
        x
    }

    /// Sums the columns of the product into outputs.
    fn collect(&self, z: &[f32], bias: &[f32]) -> Vec<f32> {
        let (h, w) = (self.height / self.stride, self.width / self.stride);
        let (o, n) = (self.out, self.n * self.out);
        let mut y = vec![0.0; self.batch * h * w * o];
        y.par_chunks_mut(w * o).enumerate().for_each(|(i, y)| {
            let first = i / h * self.rows() + i % h;
            y.chunks_exact_mut(o).for_each(|y| y.copy_from_slice(bias));
            for dy in 0..self.n {
                let z = &z[(first + dy) * self.columns() * n..];
                for (x, y) in y.chunks_exact_mut(o).enumerate() {
                    y.iter_mut().zip(&z[x * n + dy * o..][..o]).for_each(|(y, z)| *y += z);
                }
            }
        });
        y
    }

    /// The reverse of `collect`, behind `lead` zeros.
    fn spread(&self, g: &[f32]) -> Vec<f32> {
        let (h, w) = (self.height / self.stride, self.width / self.stride);
        let (o, n) = (self.out, self.n * self.out);
        let mut z = vec![0.0; self.lead() + self.batch * self.rows() * self.columns() * n];
        z[self.lead()..].par_chunks_mut(self.columns() * n).enumerate().for_each(|(i, z)| {
            let (b, row) = (i / self.rows(), i % self.rows());
            for dy in 0..self.n {
                let Some(y) = row.checked_sub(dy).filter(|&y| y < h) else { continue };
                let g = &g[(b * h + y) * w * o..][..w * o];
                for (x, g) in g.chunks_exact(o).enumerate() {
                    z[x * n + dy * o..][..o].copy_from_slice(g);
                }
            }
        });
        z
    }

    /// Rows of zeros before the first of `spread`.
    fn lead(&self) -> usize {
        (self.n - 1) * self.n * self.out
    }

    /// The gradient of the cells from `spread` and the weights by [`arrange`]: a cell belongs to the n windows that end with it,
    /// whose gradients lie one after the other. Beside the first and the last window of a row lie zeros.
    fn fold(&self, gz: &[f32], w: &[f32], pool: &Pool) -> Buffer {
        let (cell, n) = (self.cell(), self.n * self.out);
        let mut turned = pool.take(w.len());
        for (i, row) in turned.chunks_exact_mut(n).enumerate() {
            let (c, dx) = (i / self.n, self.n - 1 - i % self.n);
            row.copy_from_slice(&w[(dx * cell + c) * n..][..n]);
        }
        let panels = Panels::transposed(&turned, cell, self.n * n, pool);
        let mut cells = pool.take(self.batch * self.rows() * self.columns() * cell);
        multiply(Rows { values: gz, step: n }, &panels, Then::Nothing, &mut cells);
        cells
    }
}

impl Convolution {
    fn plan(&self, x: &Shape, bias: &Shape) -> Result<Plan> {
        let (batch, height, width, channels) = x.dims4()?;
        let (stride, n) = (self.stride, self.kernel / self.stride);
        Ok(Plan { batch, height, width, channels, stride, n, padding: (self.kernel - stride) / 2, out: bias.elem_count() })
    }
}

fn values(storage: CpuStorage) -> Result<Vec<f32>> {
    match storage {
        CpuStorage::F32(values) => Ok(values),
        _ => candle_core::bail!("the CPU kernels take float32"),
    }
}

impl CustomOp3 for Convolution {
    fn name(&self) -> &'static str {
        "convolution"
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
        let plan = self.plan(lx.shape(), lb.shape())?;
        let (m, n, k) = plan.product();
        let cells = plan.cells(view(x, lx)?);
        let mut z = self.pool.take(m * n);
        let fresh = match self.panels {
            Some(_) => None,
            None => Some(Panels::straight(view(w, lw)?, k, n, &self.pool)),
        };
        if let Some(panels) = self.panels.as_deref().or(fresh.as_ref()) {
            multiply(Rows { values: &cells, step: plan.cell() }, panels, Then::Nothing, &mut z);
        }
        // The last windows of the last row would reach beyond the cells; no output needs them.
        let y = plan.collect(&z, view(b, lb)?);
        let (h, w) = (plan.height / self.stride, plan.width / self.stride);
        Ok((CpuStorage::F32(y), (plan.batch, h, w, plan.out).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let plan = self.plan(x.shape(), b.shape())?;
        let (m, n, k) = plan.product();
        let grad = grad.contiguous()?;
        let (gb, gz) = read([&grad], |[g]| Ok((column_sums(g, plan.out), plan.spread(g))))?;
        let gx = if x.track_op() {
            let folded = read([w], |[w]| Ok(plan.fold(&gz, w, &self.pool)))?;
            Some(Tensor::from_vec(plan.pixels(&folded), x.shape(), x.device())?)
        } else {
            None
        };
        let cells = CpuStorage::F32(read([x], |[x]| Ok(plan.cells(x)))?);
        let gz = CpuStorage::F32(gz);
        let by_row = Layout::new((m, n).into(), vec![n, 1], plan.lead());
        let turned = Layout::new((k, m).into(), vec![1, plan.cell()], 0);
        let gw = values(cells.matmul(&gz, (1, k, n, m), &turned, &by_row)?)?;
        Ok((gx, Some(Tensor::from_vec(gw, w.shape(), w.device())?), Some(Tensor::from_vec(gb, b.shape(), b.device())?)))
    }
}
