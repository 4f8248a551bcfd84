//! Convolutions whose kernels are whole numbers of strides wide, as matrix products over cells.
//!
//! The cell rows of a window become groups of columns of the product, Z[cell, (dy, out)], and the output is the sum of Z at
//! (y + dy, dy). Large windows take their product by frequency.

use super::cells::{Cells, Grid};
use super::gemm::{Panels, Rows, Then, multiply};
use super::linear::column_sums;
use super::pool::{Buffer, Pool};
use super::simd::vectorized;
use super::spectrum::{self, Spectrum};
use super::{read, view};
use crate::ops::Pair;
use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Storage, Tensor};
use rayon::prelude::*;
use std::sync::{Arc, OnceLock};

/// The weights of convolutions that share a product.
#[derive(Clone)]
pub struct Laid {
    /// By [`arrange`], side by side.
    matrix: Tensor,
    bias: Tensor,
    weights: Arc<Weights>,
}

impl Laid {
    fn new(layers: &[Pair], stride: usize, shared: &Shared, pool: &Pool) -> Result<Self> {
        let matrices = layers.iter().map(|l| arrange(&l.weight, stride, shared.n())).collect::<Result<Vec<_>>>()?;
        let biases: Vec<&Tensor> = layers.iter().map(|l| &l.bias).collect();
        let matrix = Tensor::cat(&matrices, 1)?.contiguous()?;
        let weights = Arc::new(read([&matrix], |[w]| Ok(shared.lay(w, pool)))?);
        Ok(Self { matrix, bias: Tensor::cat(&biases, 0)?, weights })
    }

    fn fits(&self, grid: &Grid) -> bool {
        match &*self.weights {
            Weights::Direct(_) => true,
            Weights::Spectral(spectrum) => spectrum.fits(grid),
        }
    }
}

/// Weights laid out for the product.
enum Weights {
    Direct(Panels),
    Spectral(Spectrum),
}

/// A convolution's place in the product and in the output.
#[derive(Clone, Copy)]
struct Kernel {
    /// Cells along a window.
    n: usize,
    out: usize,
    /// Its first column of the product.
    column: usize,
    /// Its first output channel.
    channel: usize,
}

/// Convolutions that share a product over the same cells.
struct Shared {
    grid: Grid,
    kernels: Vec<Kernel>,
}

impl Shared {
    /// Cells along the largest window.
    fn n(&self) -> usize {
        self.kernels.iter().map(|k| k.n).max().unwrap_or(1)
    }

    fn columns(&self) -> usize {
        self.kernels.iter().map(|k| k.n * k.out).sum()
    }

    fn channels(&self) -> usize {
        self.kernels.iter().map(|k| k.out).sum()
    }

    fn is_spectral(&self) -> bool {
        spectrum::pays(self.n(), self.grid.cell(), self.columns())
    }

    /// Rows, columns and inner length of the product. The last windows of the last row would reach beyond the cells; no output needs
    /// them.
    fn product(&self) -> (usize, usize, usize) {
        (self.grid.cells() + 1 - self.n(), self.columns(), self.n() * self.grid.cell())
    }

    fn lay(&self, matrix: &[f32], pool: &Pool) -> Weights {
        let (_, columns, k) = self.product();
        match self.is_spectral() {
            true => Weights::Spectral(Spectrum::new(matrix, columns, &self.grid, pool)),
            false => Weights::Direct(Panels::straight(matrix, k, columns, pool)),
        }
    }

    fn multiply(&self, cells: &[f32], weights: &Weights, pool: &Pool) -> Buffer {
        match weights {
            Weights::Spectral(spectrum) => spectrum.product(&self.grid, cells, pool),
            Weights::Direct(panels) => {
                let (m, n, _) = self.product();
                let mut z = pool.take(m * n);
                multiply(Rows { values: cells, step: self.grid.cell() }, panels, Then::Nothing, &mut z);
                z
            }
        }
    }

    /// The first row of cells that the largest window of a row of outputs sees.
    fn first(&self, row: usize) -> usize {
        let (h, _) = self.grid.outputs();
        row / h * self.grid.rows() + row % h
    }

    /// Cells from where the largest window begins to where a kernel's does.
    fn inner(&self, kernel: &Kernel) -> usize {
        (self.grid.n - kernel.n) / 2
    }

    /// Sums the columns of the product into outputs.
    fn collect(&self, z: &[f32], bias: &[f32]) -> Vec<f32> {
        let ((h, w), columns, channels) = (self.grid.outputs(), self.columns(), self.channels());
        let mut y = vec![0.0; self.grid.batch * h * w * channels];
        y.par_chunks_mut(w * channels).enumerate().for_each(|(i, y)| {
            y.chunks_exact_mut(channels).for_each(|y| y.copy_from_slice(bias));
            for k in &self.kernels {
                let inner = self.inner(k);
                for dy in 0..k.n {
                    let z = &z[((self.first(i) + inner + dy) * self.grid.columns() + inner) * columns..];
                    add_columns(&z[k.column + dy * k.out..], columns, k.out, &mut y[k.channel..], channels);
                }
            }
        });
        y
    }

    /// The reverse of `collect`, behind `lead` zeros.
    fn spread(&self, g: &[f32]) -> Vec<f32> {
        let ((h, w), columns, channels) = (self.grid.outputs(), self.columns(), self.channels());
        let row = self.grid.columns() * columns;
        let mut z = vec![0.0; self.lead() + self.grid.cells() * columns];
        z[self.lead()..].par_chunks_mut(row).enumerate().for_each(|(i, z)| {
            let (b, row) = (i / self.grid.rows(), i % self.grid.rows());
            for k in &self.kernels {
                let inner = self.inner(k);
                for dy in 0..k.n {
                    let Some(y) = row.checked_sub(inner + dy).filter(|&y| y < h) else { continue };
                    let g = &g[(b * h + y) * w * channels..][..w * channels];
                    for (x, g) in g.chunks_exact(channels).enumerate() {
                        z[(inner + x) * columns + k.column + dy * k.out..][..k.out].copy_from_slice(&g[k.channel..k.channel + k.out]);
                    }
                }
            }
        });
        z
    }

    /// Rows of zeros before the first of `spread`.
    fn lead(&self) -> usize {
        (self.n() - 1) * self.columns()
    }

    /// The gradient of the cells from `spread` and the weights: a cell belongs to the n windows that end with it, whose gradients lie
    /// one after the other. Beside the first and the last window of a row lie zeros.
    fn fold(&self, gz: &[f32], w: &[f32], pool: &Pool) -> Vec<f32> {
        let (cell, columns, n) = (self.grid.cell(), self.columns(), self.n());
        let mut turned = pool.take(w.len());
        for (i, row) in turned.chunks_exact_mut(columns).enumerate() {
            let (c, dx) = (i / n, n - 1 - i % n);
            row.copy_from_slice(&w[(dx * cell + c) * columns..][..columns]);
        }
        let panels = Panels::transposed(&turned, cell, n * columns, pool);
        let mut cells = vec![0.0; self.grid.cells() * cell];
        multiply(Rows { values: gz, step: columns }, &panels, Then::Nothing, &mut cells);
        cells
    }

    /// The gradient of the weights from `spread`.
    fn weight_gradient(&self, cells: &Tensor, gz: Vec<f32>, pool: &Pool) -> Result<Vec<f32>> {
        if self.is_spectral() {
            return read([cells], |[cells]| spectrum::weight_gradient(&self.grid, cells, &gz[self.lead()..], self.n(), pool));
        }
        let (m, n, k) = self.product();
        let (cells, layout) = cells.storage_and_layout();
        let Storage::Cpu(cells) = &*cells else { candle_core::bail!("the CPU kernels take tensors on the CPU") };
        let by_row = Layout::new((m, n).into(), vec![n, 1], self.lead());
        let turned = Layout::new((k, m).into(), vec![1, self.grid.cell()], layout.start_offset());
        match cells.matmul(&CpuStorage::F32(gz), (1, k, n, m), &turned, &by_row)? {
            CpuStorage::F32(gradient) => Ok(gradient),
            _ => candle_core::bail!("the CPU kernels take float32"),
        }
    }
}

vectorized! {
    /// Adds the first values of rows that are `step` and `step_to` apart.
    fn add_columns<'a>[_simd](z: &'a [f32], step: usize, n: usize, y: &'a mut [f32], step_to: usize) {
        for (y, z) in y.chunks_mut(step_to).zip(z.chunks(step)) {
            y[..n].iter_mut().zip(&z[..n]).for_each(|(y, z)| *y += z);
        }
    }
}

/// Convolutions of [B, H, W, C] with kernels [out, C, k, k], ascending in k, each [B, H / stride, W / stride, out] or several of them
/// side by side, in the order of the kernels. Weights that cannot change are `kept` as they are laid out.
pub fn convolve(x: &Tensor, layers: &[Pair], stride: usize, kept: &OnceLock<Vec<Laid>>, pool: &Pool) -> Result<Vec<Tensor>> {
    let (mut cells, mut laid, mut outputs, mut rest) = (Vec::<(usize, Tensor)>::new(), Vec::new(), Vec::new(), layers);
    for (i, shared) in products(x, layers, stride)?.into_iter().enumerate() {
        let (own, others) = rest.split_at(shared.kernels.len());
        rest = others;
        let weights = match kept.get().map(|kept| &kept[i]) {
            Some(known) if known.fits(&shared.grid) => known.clone(),
            _ => Laid::new(own, stride, &shared, pool)?,
        };
        laid.push(weights.clone());
        let seen = match cells.iter().find(|(n, _)| *n == shared.grid.n) {
            Some((_, known)) => known.clone(),
            None => {
                let fresh = x.apply_op1(Cells(shared.grid))?;
                cells.push((shared.grid.n, fresh.clone()));
                fresh
            }
        };
        let Laid { matrix, bias, weights } = weights;
        outputs.push(seen.apply_op3(&matrix, &bias, Convolution { shared, weights, pool: pool.clone() })?);
    }
    if layers.iter().all(|l| !l.weight.is_variable() && !l.bias.is_variable()) {
        kept.get_or_init(|| laid);
    }
    Ok(outputs)
}

/// The products that convolutions need, in their order: large windows over the same cells share one.
fn products(x: &Tensor, layers: &[Pair], stride: usize) -> Result<Vec<Shared>> {
    let (batch, height, width, channels) = x.dims4()?;
    let sizes = layers.iter().map(|l| Ok((l.weight.dim(2)? / stride, l.weight.dim(0)?))).collect::<Result<Vec<_>>>()?;
    let mut products: Vec<Shared> = Vec::new();
    for &(n, out) in &sizes {
        // Windows that begin at the same pixel of a cell see the same cells: those of even, and those of odd n.
        let largest = sizes.iter().map(|&(other, _)| other).filter(|other| other % 2 == n % 2).max();
        let grid = Grid { batch, height, width, channels, stride, n: largest.unwrap_or(n) };
        let alone = Shared { grid, kernels: vec![Kernel { n, out, column: 0, channel: 0 }] };
        match products.last_mut() {
            Some(last) if last.is_spectral() && alone.is_spectral() && last.grid.n == grid.n => {
                last.kernels.push(Kernel { n, out, column: last.columns(), channel: last.channels() });
            }
            _ => products.push(alone),
        }
    }
    Ok(products)
}

/// [out, C, k, k] -> [(dx, y in cell, x in cell, C), (dy, out)], with zeros for windows of `n` cells.
fn arrange(weight: &Tensor, stride: usize, n: usize) -> Result<Tensor> {
    let (out, c, k, _) = weight.dims4()?;
    let own = k / stride;
    let cell = stride * stride * c;
    weight
        .reshape(vec![out, c, own, stride, own, stride])?
        .permute(vec![4, 3, 5, 1, 2, 0])?
        .contiguous()?
        .reshape((own * cell, own * out))?
        .pad_with_zeros(0, 0, (n - own) * cell)
}

/// Takes cells, the weights by [`arrange`] side by side, and the biases; returns [B, H / stride, W / stride, channels].
struct Convolution {
    shared: Shared,
    weights: Arc<Weights>,
    pool: Pool,
}

impl CustomOp3 for Convolution {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout, _: &CpuStorage, _: &Layout, b: &CpuStorage, lb: &Layout) -> Result<(CpuStorage, Shape)> {
        let z = self.shared.multiply(view(x, lx)?, &self.weights, &self.pool);
        let y = self.shared.collect(&z, view(b, lb)?);
        let (h, w) = self.shared.grid.outputs();
        Ok((CpuStorage::F32(y), (self.shared.grid.batch, h, w, self.shared.channels()).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (shared, grad) = (&self.shared, grad.contiguous()?);
        let (gb, gz) = read([&grad], |[g]| Ok((column_sums(g, shared.channels()), shared.spread(g))))?;
        let gx = if x.track_op() {
            let cells = read([w], |[w]| Ok(shared.fold(&gz, w, &self.pool)))?;
            Some(Tensor::from_vec(cells, x.shape(), x.device())?)
        } else {
            None
        };
        let gw = shared.weight_gradient(x, gz, &self.pool)?;
        Ok((gx, Some(Tensor::from_vec(gw, w.shape(), w.device())?), Some(Tensor::from_vec(gb, b.shape(), b.device())?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::plain;
    use candle_core::{Device, Var};

    const STRIDE: usize = 4;

    fn numbers(shape: &[usize], seed: u32) -> Tensor {
        let mut state = seed;
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        let values: Vec<f32> = (0..shape.iter().product()).map(next).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    /// Largest difference, over the largest value.
    fn difference(a: &Tensor, b: &Tensor) -> f32 {
        let largest = |t: Tensor| t.abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar::<f32>().unwrap();
        largest((a - b).unwrap()) / largest(b.clone())
    }

    /// Small kernels alone and large ones by frequency, the cells of the latter a power of two (less one) wide and not.
    #[test]
    fn convolutions_and_their_gradients_are_the_librarys() {
        let variable = |shape: &[usize], seed| Var::from_tensor(&numbers(shape, seed)).unwrap();
        let layers: Vec<Pair> = [(4, 8), (8, 4), (16, 4), (32, 2)]
            .into_iter()
            .map(|(k, out)| Pair {
                weight: variable(&[out, 3, k, k], k as u32).as_tensor().clone(),
                bias: variable(&[out], 1 + k as u32).as_tensor().clone(),
            })
            .collect();
        for (height, width) in [(64, 96), (96, 128)] {
            let x = variable(&[2, height, width, 3], 7);
            let fast = convolve(x.as_tensor(), &layers, STRIDE, &OnceLock::new(), &Pool::default()).unwrap();
            assert_eq!(fast.len(), 3, "the two large kernels share a product");
            let fast = Tensor::cat(&fast, 3).unwrap();
            let plain: Vec<Tensor> =
                layers.iter().map(|l| plain::convolution(x.as_tensor(), &l.weight, &l.bias, STRIDE).unwrap()).collect();
            let plain = Tensor::cat(&plain, 3).unwrap();
            assert!(difference(&fast, &plain) < 1e-6, "{width}: {}", difference(&fast, &plain));
            let gradients = [&fast, &plain].map(|y| (y * numbers(y.dims(), 9)).unwrap().sum_all().unwrap().backward().unwrap());
            for of in layers.iter().flat_map(|l| [&l.weight, &l.bias]).chain([x.as_tensor()]) {
                let [fast, plain] = [0, 1].map(|i| gradients[i].get(of).unwrap());
                assert!(difference(fast, plain) < 1e-5, "{width}, {:?}: {}", of.dims(), difference(fast, plain));
            }
        }
    }

    /// Weights laid out for one width serve another.
    #[test]
    fn what_is_kept_of_weights_fits_every_width() {
        let layers = [Pair { weight: numbers(&[4, 3, 16, 16], 1), bias: numbers(&[4], 2) }];
        let kept = OnceLock::new();
        for width in [96, 160, 96] {
            let x = numbers(&[1, 64, width, 3], 3);
            let y = convolve(&x, &layers, STRIDE, &kept, &Pool::default()).unwrap();
            let plain = plain::convolution(&x, &layers[0].weight, &layers[0].bias, STRIDE).unwrap();
            assert!(difference(&y[0], &plain) < 1e-6, "{width}: {}", difference(&y[0], &plain));
        }
        assert!(kept.get().is_some());
    }
}
