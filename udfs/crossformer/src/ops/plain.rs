//! The operations in terms of the tensor library's own: differentiable on every device, and the oracle of the fast kernels.
//!
//! candle-nn 0.11's `layer_norm` and `softmax_last_dim` have no gradient, so both are written out here.

use super::Grouping;
use candle_core::{D, Result, Tensor};

pub fn linear(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let (outputs, inputs) = weight.dims2()?;
    let mut shape = x.dims().to_vec();
    *shape.last_mut().expect("x has an axis") = outputs;
    x.reshape(((), inputs))?.matmul(&weight.t()?)?.broadcast_add(bias)?.reshape(shape)
}

pub fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    centred.broadcast_div(&(variance + 1e-5)?.sqrt()?)?.broadcast_mul(weight)?.broadcast_add(bias)
}

fn softmax(x: &Tensor) -> Result<Tensor> {
    let e = x.broadcast_sub(&x.max_keepdim(D::Minus1)?.detach())?.exp()?;
    e.broadcast_div(&e.sum_keepdim(D::Minus1)?)
}

/// [B, H, W, C] -> [B * groups, side², C]; H and W are multiples of `reach`.
fn group(x: &Tensor, g: Grouping) -> Result<Tensor> {
    let (b, h, w, c) = x.dims4()?;
    let (rows, columns) = (h / g.reach(), w / g.reach());
    x.reshape(vec![b, rows, g.side, g.interval, columns, g.side, g.interval, c])?.permute(vec![0, 1, 4, 3, 6, 2, 5, 7])?.reshape((
        (),
        g.side * g.side,
        c,
    ))
}

fn ungroup(x: &Tensor, g: Grouping, (b, h, w): (usize, usize, usize)) -> Result<Tensor> {
    let c = x.dim(2)?;
    let (rows, columns) = (h / g.reach(), w / g.reach());
    x.reshape(vec![b, rows, columns, g.interval, g.interval, g.side, g.side, c])?
        .permute(vec![0, 1, 5, 3, 2, 6, 4, 7])?
        .reshape((b, h, w, c))
}

/// Tokens are padded below and to the right to whole groups. The network of the paper pads before the qkv projection; a padded
/// key's weight is exactly 0 behind the mask and a padded query is cut away, so padding after it gives the same.
pub fn attention(qkv: &Tensor, bias: &Tensor, g: Grouping) -> Result<Tensor> {
    let (b, h, w, c3) = qkv.dims4()?;
    let (heads, n, c) = (bias.dim(0)?, g.side * g.side, c3 / 3);
    let (ph, pw) = (h.next_multiple_of(g.reach()), w.next_multiple_of(g.reach()));
    let padded = qkv.pad_with_zeros(1, 0, ph - h)?.pad_with_zeros(2, 0, pw - w)?;
    let x = group(&padded, g)?.reshape(((), n, 3, heads, c / heads))?.permute((2, 0, 3, 1, 4))?;
    let (q, k, v) = (x.get(0)?.contiguous()?, x.get(1)?.contiguous()?, x.get(2)?.contiguous()?);
    let scale = ((c / heads) as f64).powf(-0.5);
    let mut scores = (q * scale)?.matmul(&k.t()?.contiguous()?)?.broadcast_add(bias)?;
    if (ph, pw) != (h, w) {
        // Not -inf: a group of padding alone would be 0 / 0.
        let inside = Tensor::zeros((1, h, w, 1), qkv.dtype(), qkv.device())?;
        let below = Tensor::full(-1e6f32, (1, ph - h, w, 1), qkv.device())?.to_dtype(qkv.dtype())?;
        let right = Tensor::full(-1e6f32, (1, ph, pw - w, 1), qkv.device())?.to_dtype(qkv.dtype())?;
        let mask = Tensor::cat(&[Tensor::cat(&[inside, below], 1)?, right], 2)?;
        let groups = group(&mask, g)?.reshape((1, (), 1, 1, n))?;
        let per_image = groups.dim(1)?;
        scores = scores.reshape((b, per_image, heads, n, n))?.broadcast_add(&groups)?.reshape(((), heads, n, n))?;
    }
    let out = softmax(&scores)?.matmul(&v)?.transpose(1, 2)?.reshape(((), n, c))?;
    ungroup(&out, g, (b, ph, pw))?.narrow(1, 0, h)?.narrow(2, 0, w)?.contiguous()
}

pub fn convolution(x: &Tensor, weight: &Tensor, bias: &Tensor, stride: usize) -> Result<Tensor> {
    let (outputs, _, k, _) = weight.dims4()?;
    x.permute((0, 3, 1, 2))?
        .contiguous()?
        .conv2d(weight, (k - stride) / 2, stride, 1, 1)?
        .broadcast_add(&bias.reshape((1, outputs, 1, 1))?)?
        .permute((0, 2, 3, 1))?
        .contiguous()
}
