//! Layer normalisation over the last axis (Ba, Kiros and Hinton, 2016).

use super::simd::{sum, vectorized};
use super::{ROWS, read, total, view};
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

const EPSILON: f32 = 1e-5;

pub struct LayerNorm;

impl CustomOp3 for LayerNorm {
    fn name(&self) -> &'static str {
        "layer_norm"
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
        let mut y = vec![0.0; lx.shape().elem_count()];
        normalise(view(x, lx)?, [view(w, lw)?, view(b, lb)?], &mut y);
        Ok((CpuStorage::F32(y), lx.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        b: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let (gx, gw, gb) = read([x, w, &grad], |[x, w, g]| {
            let mut gx = vec![0.0; x.len()];
            let (gw, gb) = add_gradient(x, w, g, &mut gx);
            Ok((gx, gw, gb))
        })?;
        Ok((
            Some(Tensor::from_vec(gx, x.shape(), x.device())?),
            Some(Tensor::from_vec(gw, w.shape(), w.device())?),
            Some(Tensor::from_vec(gb, b.shape(), b.device())?),
        ))
    }
}

/// Rows of `x` normalised, times weight plus bias, into `y`.
pub fn normalise(x: &[f32], [w, b]: [&[f32]; 2], y: &mut [f32]) {
    let piece = ROWS * w.len();
    y.par_chunks_mut(piece).zip(x.par_chunks(piece)).for_each(|(y, x)| forward(x, w, b, y));
}

/// From the gradient `g` of the output: adds that of the input to `gx`, returns those of weight and bias.
pub fn add_gradient(x: &[f32], w: &[f32], g: &[f32], gx: &mut [f32]) -> (Vec<f32>, Vec<f32>) {
    let width = w.len();
    let piece = ROWS * width;
    let parts: Vec<(Vec<f32>, Vec<f32>)> = gx
        .par_chunks_mut(piece)
        .zip(x.par_chunks(piece).zip(g.par_chunks(piece)))
        .map(|(gx, (x, g))| {
            let (mut gw, mut gb) = (vec![0.0; width], vec![0.0; width]);
            backward(x, w, g, gx, &mut gw, &mut gb);
            (gw, gb)
        })
        .collect();
    let (gw, gb): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    (total(gw, width), total(gb, width))
}

/// Mean and reciprocal standard deviation.
#[inline(always)]
fn moments<S: pulp::Simd>(simd: S, x: &[f32]) -> (f32, f32) {
    let n = x.len() as f32;
    let mean = sum(simd, [x], |[x]| x) / n;
    let variance = sum(simd, [x], |[x]| (x - mean) * (x - mean)) / n;
    (mean, 1.0 / (variance + EPSILON).sqrt())
}

vectorized! {
    fn forward<'a>[simd](x: &'a [f32], w: &'a [f32], b: &'a [f32], y: &'a mut [f32]) {
        let n = w.len();
        // Of known lengths, as in the loops of `backward`: no check of an index keeps them from being vectorised.
        let b = &b[..n];
        for (x, y) in x.chunks_exact(n).zip(y.chunks_exact_mut(n)) {
            let (x, y) = (&x[..n], &mut y[..n]);
            let (mean, scale) = moments(simd, x);
            for i in 0..n {
                y[i] = (x[i] - mean) * scale * w[i] + b[i];
            }
        }
    }
}

vectorized! {
    fn backward<'a>[simd](
        x: &'a [f32],
        w: &'a [f32],
        g: &'a [f32],
        gx: &'a mut [f32],
        gw: &'a mut [f32],
        gb: &'a mut [f32],
    ) {
        let n = w.len();
        let (w, gw, gb) = (&w[..n], &mut gw[..n], &mut gb[..n]);
        for ((x, g), gx) in x.chunks_exact(n).zip(g.chunks_exact(n)).zip(gx.chunks_exact_mut(n)) {
            let (x, g, gx) = (&x[..n], &g[..n], &mut gx[..n]);
            let (mean, scale) = moments(simd, x);
            let direct = sum(simd, [g, w], |[g, w]| g * w) / n as f32;
            let along = sum(simd, [g, w, x], |[g, w, x]| g * w * (x - mean) * scale) / n as f32;
            for i in 0..n {
                let unit = (x[i] - mean) * scale;
                gw[i] += g[i] * unit;
                gb[i] += g[i];
                gx[i] += scale * (g[i] * w[i] - direct - unit * along);
            }
        }
    }
}
