//! Attention inside groups of tokens, from the packed queries, keys and values to the heads' outputs.
//!
//! Tokens beyond the image take no part: behind the mask a padded key's weight is exactly 0, and a padded query is cut away.
//! The backward pass computes the weights again: they are larger than everything else that a pass would have to keep.

// Loops over rows by number are unrolled, and the sums stay in registers.
#![allow(clippy::needless_range_loop)]

use super::simd::{exp, sum, vectorized};
use super::{read, total, view};
use crate::ops::Grouping;
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// Tokens of a group and columns of a score matrix at most.
const TOKENS: usize = 64;
/// Channels of a head at most.
const WIDTH: usize = 32;

/// Takes qkv [B, H, W, 3C] and the position bias [heads, side², side²]; returns [B, H, W, C].
pub struct Attention(pub Grouping);

/// Whether the kernel's fixed buffers hold such groups and heads. Score rows are computed six at a time.
pub fn fits(grouping: Grouping, head: usize) -> bool {
    (grouping.side * grouping.side).next_multiple_of(6) <= TOKENS && head <= WIDTH
}

/// Sizes of one call.
#[derive(Clone, Copy)]
pub struct Plan {
    pub grouping: Grouping,
    pub batch: usize,
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub heads: usize,
}

impl Plan {
    fn new(qkv: &Shape, bias: &Shape, grouping: Grouping) -> Result<Self> {
        let (batch, height, width, c3) = qkv.dims4()?;
        let (heads, ..) = bias.dims3()?;
        let plan = Self { grouping, batch, height, width, channels: c3 / 3, heads };
        if !fits(grouping, plan.head()) {
            candle_core::bail!("no kernel for groups of {} and heads of {}", grouping.side, plan.head());
        }
        Ok(plan)
    }

    /// qkv [B, H, W, 3C] and bias [heads, side², side²] to `out` [B, H, W, C].
    pub fn forward(self, qkv: &[f32], bias: &[f32], out: &mut [f32]) {
        let c = self.channels;
        let table = &self.table(bias);
        self.cut(out, c).into_par_iter().enumerate().for_each(|(i, out)| {
            let qkv = &qkv[self.start(i) * 3 * c..][..3 * out.len()];
            forward(self, qkv, table, out);
        });
    }

    /// From the gradient `g` of the output to that of qkv, into `gq`, and of the bias.
    pub fn backward(self, qkv: &[f32], bias: &[f32], g: &[f32], gq: &mut [f32]) -> Vec<f32> {
        let c = self.channels;
        let table = &self.table(bias);
        let parts = self
            .cut(gq, 3 * c)
            .into_par_iter()
            .enumerate()
            .map(|(i, gq)| {
                let qkv = &qkv[self.start(i) * 3 * c..][..gq.len()];
                let g = &g[self.start(i) * c..][..gq.len() / 3];
                let mut gb = vec![0.0; bias.len()];
                backward(self, qkv, table, g, gq, &mut gb);
                gb
            })
            .collect();
        total(parts, bias.len())
    }

    /// Tokens of the smallest part of the images that attends to itself alone, and its height: a band where all are equally high,
    /// an image elsewhere.
    pub fn unit(&self) -> (usize, usize) {
        let height = if self.height.is_multiple_of(self.grouping.reach()) { self.grouping.reach() } else { self.height };
        (height * self.width, height)
    }

    /// The position bias [heads, side², side²] with whole rows: what a score beyond the last key is added to leaves no weight.
    fn table(&self, bias: &[f32]) -> Vec<Square> {
        let row = |bias: &[f32]| {
            let mut row = [f32::MIN; TOKENS];
            row[..bias.len()].copy_from_slice(bias);
            row
        };
        bias.chunks_exact(self.grouping.side * self.grouping.side).map(row).collect()
    }

    fn head(&self) -> usize {
        self.channels / self.heads
    }

    /// Rows of tokens that only attend to each other, from the top of the image: (image, height of the band).
    fn bands(&self) -> usize {
        self.height.div_ceil(self.grouping.reach())
    }

    /// Cuts the rows of `values`, `width` values per token, into the bands of all images.
    fn cut<'a>(&self, mut values: &'a mut [f32], width: usize) -> Vec<&'a mut [f32]> {
        let mut bands = Vec::new();
        for i in 0..self.batch * self.bands() {
            let first = i % self.bands() * self.grouping.reach();
            let rows = self.grouping.reach().min(self.height - first);
            let (band, rest) = values.split_at_mut(rows * self.width * width);
            bands.push(band);
            values = rest;
        }
        bands
    }

    /// Where a band begins, in tokens.
    fn start(&self, band: usize) -> usize {
        (band / self.bands() * self.height + band % self.bands() * self.grouping.reach()) * self.width
    }

    /// The groups of a band of `rows` token rows: for each token its place in the band and in the group.
    fn groups(&self, rows: usize) -> Vec<Vec<(usize, usize)>> {
        let Grouping { side, interval } = self.grouping;
        let mut groups = Vec::new();
        for column in 0..self.width.div_ceil(self.grouping.reach()) {
            for offset in 0..interval * interval {
                let mut tokens = Vec::with_capacity(side * side);
                for i in 0..side * side {
                    let y = i / side * interval + offset / interval;
                    let x = column * self.grouping.reach() + i % side * interval + offset % interval;
                    if y < rows && x < self.width {
                        tokens.push((y * self.width + x, i));
                    }
                }
                if !tokens.is_empty() {
                    groups.push(tokens);
                }
            }
        }
        groups
    }
}

impl CustomOp2 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, qkv: &CpuStorage, lq: &Layout, bias: &CpuStorage, lb: &Layout) -> Result<(CpuStorage, Shape)> {
        let plan = Plan::new(lq.shape(), lb.shape(), self.0)?;
        let mut out = vec![0.0; plan.batch * plan.height * plan.width * plan.channels];
        plan.forward(view(qkv, lq)?, view(bias, lb)?, &mut out);
        Ok((CpuStorage::F32(out), (plan.batch, plan.height, plan.width, plan.channels).into()))
    }

    fn bwd(&self, qkv: &Tensor, bias: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let plan = Plan::new(qkv.shape(), bias.shape(), self.0)?;
        let grad = grad.contiguous()?;
        let (gq, gb) = read([qkv, bias, &grad], |[qkv, bias, g]| {
            let mut gq = vec![0.0; qkv.len()];
            let gb = plan.backward(qkv, bias, g, &mut gq);
            Ok((gq, gb))
        })?;
        let gq = Tensor::from_vec(gq, qkv.shape(), qkv.device())?;
        Ok((Some(gq), Some(Tensor::from_vec(gb, bias.shape(), bias.device())?)))
    }
}

/// A row of a token's channels.
type Narrow = [f32; WIDTH];
/// A row of a value per token.
type Square = [f32; TOKENS];

/// One head's matrices, rows padded to a fixed width.
struct Scratch {
    q: Vec<Narrow>,
    k: Vec<Narrow>,
    v: Vec<Narrow>,
    /// Keys or values with the channel first.
    turned: Vec<Square>,
    weights: Vec<Square>,
    /// What each row of weights is to be multiplied by.
    shares: [f32; TOKENS],
    /// Gradients of the outputs and of the scores.
    g: Vec<Narrow>,
    scores: Vec<Square>,
    out: Vec<Narrow>,
}

impl Scratch {
    fn new() -> Self {
        let narrow = || vec![[0.0; WIDTH]; TOKENS];
        let square = || vec![[0.0; TOKENS]; TOKENS];
        Self {
            q: narrow(),
            k: narrow(),
            v: narrow(),
            turned: vec![[0.0; TOKENS]; WIDTH],
            weights: square(),
            shares: [0.0; TOKENS],
            g: narrow(),
            scores: square(),
            out: narrow(),
        }
    }
}

#[inline(always)]
fn times(mut row: Narrow, scale: f32) -> Narrow {
    for v in &mut row {
        *v *= scale;
    }
    row
}

#[inline(always)]
fn gather(from: &[f32], tokens: &[(usize, usize)], stride: usize, at: usize, d: usize, scale: f32, to: &mut [Narrow]) {
    for (row, &(token, _)) in to.iter_mut().zip(tokens) {
        let from = &from[token * stride + at..][..d];
        match from.as_array::<WIDTH>() {
            // Of a known length.
            Some(from) => *row = times(*from, scale),
            None => row[..d].iter_mut().zip(from).for_each(|(t, f)| *t = f * scale),
        }
    }
}

#[inline(always)]
fn scatter(from: &[Narrow], tokens: &[(usize, usize)], stride: usize, at: usize, d: usize, scales: &[f32; TOKENS], to: &mut [f32]) {
    for ((row, &scale), &(token, _)) in from.iter().zip(scales).zip(tokens) {
        let to = &mut to[token * stride + at..][..d];
        match to.as_mut_array::<WIDTH>() {
            Some(to) => *to = times(*row, scale),
            None => to.iter_mut().zip(row).for_each(|(t, f)| *t = f * scale),
        }
    }
}

/// [tokens, WIDTH] -> [WIDTH, TOKENS], four by four values at a time.
#[inline(always)]
fn turn(from: &[Narrow], to: &mut [Square]) {
    for (i, rows) in from.as_chunks::<4>().0.iter().enumerate() {
        for (j, lines) in to.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            for l in 0..4 {
                let line = &mut lines[l][4 * i..4 * i + 4];
                for r in 0..4 {
                    line[r] = rows[r][4 * j + l];
                }
            }
        }
    }
}

/// Rows of a product at a time: with two vectors each, their sums fit the registers.
const TILE: usize = 6;

/// out[i, ..] = sum over k of a[i, k] b[k, ..] for the first `n` rows and, of whole vectors, `width` columns.
///
/// Whole tiles are read and written, beyond `n` too.
#[inline(always)]
fn product<S: pulp::Simd, const A: usize, const W: usize>(
    simd: S,
    a: &[[f32; A]],
    b: &[[f32; W]],
    (n, width): (usize, usize),
    out: &mut [[f32; W]],
) {
    for (rows, out) in a.as_chunks::<TILE>().0.iter().zip(out.as_chunks_mut::<TILE>().0).take(n.div_ceil(TILE)) {
        tile(simd, |k, r| rows[r][k], &b[..b.len().min(A)], width, out);
    }
}

/// The same of a[k, i].
#[inline(always)]
fn turned<S: pulp::Simd, const A: usize, const W: usize>(
    simd: S,
    a: &[[f32; A]],
    b: &[[f32; W]],
    (n, width): (usize, usize),
    out: &mut [[f32; W]],
) {
    for (i, out) in out.as_chunks_mut::<TILE>().0.iter_mut().enumerate().take(n.div_ceil(TILE)) {
        tile(simd, |k, r| a[k].as_chunks::<TILE>().0[i][r], &b[..b.len().min(a.len())], width, out);
    }
}

/// Six rows of a product; `a` is a value of k and a row.
#[inline(always)]
fn tile<S: pulp::Simd, const W: usize>(simd: S, a: impl Fn(usize, usize) -> f32, b: &[[f32; W]], width: usize, out: &mut [[f32; W]; TILE]) {
    let lanes = S::F32_LANES;
    let mut j = 0;
    while j + lanes < width && j + 2 * lanes <= W {
        columns::<S, W, 2>(simd, &a, b, j, out);
        j += 2 * lanes;
    }
    if j < width {
        columns::<S, W, 1>(simd, &a, b, j, out);
    }
}

/// V vectors of the rows, from column `j`.
#[inline(always)]
fn columns<S: pulp::Simd, const W: usize, const V: usize>(
    simd: S,
    a: &impl Fn(usize, usize) -> f32,
    b: &[[f32; W]],
    j: usize,
    out: &mut [[f32; W]; TILE],
) {
    let part = j..j + V * S::F32_LANES;
    let mut sums = [[simd.splat_f32s(0.0); V]; TILE];
    for (k, b) in b.iter().enumerate() {
        let b = S::as_simd_f32s(&b[part.clone()]).0;
        let b: [S::f32s; V] = std::array::from_fn(|v| b[v]);
        for r in 0..TILE {
            let s = simd.splat_f32s(a(k, r));
            for v in 0..V {
                sums[r][v] = simd.mul_add_f32s(s, b[v], sums[r][v]);
            }
        }
    }
    for r in 0..TILE {
        S::as_mut_simd_f32s(&mut out[r][part.clone()]).0[..V].copy_from_slice(&sums[r]);
    }
}

/// The attention weights of `s.q` and `s.k`, into `s.weights`, before they are multiplied by `s.shares`. `table` is a head's bias.
#[inline(always)]
fn weigh<S: pulp::Simd>(simd: S, s: &mut Scratch, tokens: &[(usize, usize)], d: usize, table: &[Square]) {
    let n = tokens.len();
    turn(&s.k[..n.next_multiple_of(4)], &mut s.turned);
    product(simd, &s.q, &s.turned[..d], (n, n), &mut s.weights);
    for ((row, share), &(_, i)) in s.weights.iter_mut().zip(&mut s.shares).zip(tokens) {
        if n == table.len() {
            *share = soften(simd, row, &table[i]);
        } else {
            let mut bias = [f32::MIN; TOKENS];
            bias.iter_mut().zip(tokens).for_each(|(b, &(_, j))| *b = table[i][j]);
            *share = soften(simd, row, &bias);
        }
    }
}

/// Scores, with their bias, become what is in proportion to their weights; returns the factor.
#[inline(always)]
fn soften<S: pulp::Simd>(simd: S, row: &mut Square, bias: &Square) -> f32 {
    const SIDE: usize = 16;
    let mut top = simd.splat_f32s(f32::MIN);
    for (score, bias) in S::as_mut_simd_f32s(row).0.iter_mut().zip(S::as_simd_f32s(bias).0) {
        *score = simd.add_f32s(*score, *bias);
        top = simd.max_f32s(top, *score);
    }
    let top = simd.reduce_max_f32s(top);
    let mut total = [0.0f32; SIDE];
    for row in row.as_chunks_mut::<SIDE>().0 {
        for l in 0..SIDE {
            row[l] = exp::<S>(row[l] - top);
            total[l] += row[l];
        }
    }
    1.0 / sum(simd, [&total[..]], |[w]| w)
}

vectorized! {
    fn forward<'a>[simd](plan: Plan, qkv: &'a [f32], table: &'a [Square], out: &'a mut [f32]) {
        let (c, d) = (plan.channels, plan.head());
        let all = plan.grouping.side * plan.grouping.side;
        let scale = 1.0 / (d as f32).sqrt();
        let mut s = Scratch::new();
        for tokens in &plan.groups(out.len() / (plan.width * c)) {
            // A closure here would be compiled without the instruction set.
            for h in 0..plan.heads {
                gather(qkv, tokens, 3 * c, h * d, d, scale, &mut s.q);
                gather(qkv, tokens, 3 * c, c + h * d, d, 1.0, &mut s.k);
                gather(qkv, tokens, 3 * c, 2 * c + h * d, d, 1.0, &mut s.v);
                weigh(simd, &mut s, tokens, d, &table[h * all..][..all]);
                product(simd, &s.weights, &s.v[..tokens.len()], (tokens.len(), d), &mut s.out);
                scatter(&s.out, tokens, c, h * d, d, &s.shares, out);
            }
        }
    }
}

vectorized! {
    fn backward<'a>[simd](
        plan: Plan,
        qkv: &'a [f32],
        table: &'a [Square],
        grad: &'a [f32],
        gq: &'a mut [f32],
        gb: &'a mut [f32],
    ) {
        let (c, d) = (plan.channels, plan.head());
        let all = plan.grouping.side * plan.grouping.side;
        let scale = 1.0 / (d as f32).sqrt();
        let mut s = Scratch::new();
        for tokens in &plan.groups(grad.len() / (plan.width * c)) {
            let n = tokens.len();
            for h in 0..plan.heads {
                gather(qkv, tokens, 3 * c, h * d, d, scale, &mut s.q);
                gather(qkv, tokens, 3 * c, c + h * d, d, 1.0, &mut s.k);
                gather(qkv, tokens, 3 * c, 2 * c + h * d, d, 1.0, &mut s.v);
                gather(grad, tokens, c, h * d, d, 1.0, &mut s.g);
                weigh(simd, &mut s, tokens, d, &table[h * all..][..all]);
                for (row, &share) in s.weights.iter_mut().zip(&s.shares) {
                    row[..n].iter_mut().for_each(|w| *w *= share);
                    row[n..].fill(0.0);
                }
                turned(simd, &s.weights[..n], &s.g, (n, d), &mut s.out);
                scatter(&s.out, tokens, 3 * c, 2 * c + h * d, d, &[1.0; TOKENS], gq);

                turn(&s.v[..n.next_multiple_of(4)], &mut s.turned);
                product(simd, &s.g, &s.turned[..d], (n, n), &mut s.scores);
                for ((g, w), &(_, i)) in s.scores.iter_mut().zip(&s.weights).zip(tokens) {
                    let mean = sum(simd, [&g[..], w], |[g, w]| g * w);
                    g.iter_mut().zip(w).for_each(|(g, w)| *g = w * (*g - mean));
                    let gb = &mut gb[(h * all + i) * all..][..all];
                    if n == all {
                        gb.iter_mut().zip(&*g).for_each(|(b, g)| *b += g);
                    } else {
                        tokens.iter().zip(&*g).for_each(|(&(_, j), g)| gb[j] += g);
                    }
                }
                product(simd, &s.scores, &s.k[..n], (n, d), &mut s.out);
                scatter(&s.out, tokens, 3 * c, h * d, d, &[scale; TOKENS], gq);
                turned(simd, &s.scores[..n], &s.q, (n, d), &mut s.out);
                scatter(&s.out, tokens, 3 * c, c + h * d, d, &[1.0; TOKENS], gq);
            }
        }
    }
}
