//! A whole block on tokens: z = x + attention(norm(x)), y = z + mlp(norm(z)).
//!
//! What the backward pass needs and cannot compute cheaply again stays in buffers: the packed queries, keys and values, the
//! heads' outputs, z, and the values before and after GELU. Normalised tokens are computed twice.

use super::attention::Plan;
use super::gelu;
use super::gemm::{Panels, Rows, Scales, Then, multiply};
use super::linear::column_sums;
use super::norm::{add_gradient, normalise};
use super::pool::{Buffer, Pool};
use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, Layout, Result};
use rayon::prelude::*;

/// Tokens of a piece of the forward pass, where groups allow.
const TOGETHER: usize = 392;

/// The position bias [heads, side², side²], then weight and bias of norm1, qkv, proj, norm2, fc1 and fc2.
pub const PARTS: usize = 13;

/// The same by name.
pub struct Values<'a> {
    pub table: &'a [f32],
    pub norm1: [&'a [f32]; 2],
    pub qkv: [&'a [f32]; 2],
    pub proj: [&'a [f32]; 2],
    pub norm2: [&'a [f32]; 2],
    pub fc1: [&'a [f32]; 2],
    pub fc2: [&'a [f32]; 2],
}

impl<'a> From<[&'a [f32]; PARTS]> for Values<'a> {
    fn from(v: [&'a [f32]; PARTS]) -> Self {
        let pair = |i: usize| [v[i], v[i + 1]];
        Self { table: v[0], norm1: pair(1), qkv: pair(3), proj: pair(5), norm2: pair(7), fc1: pair(9), fc2: pair(11) }
    }
}

/// The weights of the four linear layers, laid out for the forward pass.
pub struct Arranged {
    qkv: Panels,
    proj: Panels,
    fc1: Panels,
    fc2: Panels,
}

impl Arranged {
    pub fn new(v: &Values, pool: &Pool) -> Self {
        let panels = |[w, b]: [&[f32]; 2]| Panels::transposed(w, b.len(), w.len() / b.len(), pool);
        Self { qkv: panels(v.qkv), proj: panels(v.proj), fc1: panels(v.fc1), fc2: panels(v.fc2) }
    }
}

/// What the backward pass needs of the forward pass.
pub struct Kept {
    qkv: Buffer,
    heads: Buffer,
    z: Buffer,
    hidden: Buffer,
    active: Buffer,
}

/// One call: sizes, and the factors of the two branches for each image (none where all are 1).
pub struct Call {
    pub plan: Plan,
    pub scales: [Vec<f32>; 2],
    pub pool: Pool,
}

fn rows(values: &[f32], step: usize) -> Rows<'_> {
    Rows { values, step }
}

impl Call {
    fn tokens(&self) -> usize {
        self.plan.batch * self.plan.height * self.plan.width
    }

    /// The block's output, and what to keep where `keep` asks for it.
    ///
    /// Piece by piece, so that what passes from one layer to the next stays in the cache of a core.
    pub fn forward(&self, x: &[f32], v: &Values, arranged: &Arranged, keep: bool) -> (Vec<f32>, Option<Kept>) {
        let (t, c, pool) = (self.tokens(), self.plan.channels, &self.pool);
        let wide = arranged.fc1.columns();
        let (unit, height) = self.plan.unit();
        let piece = unit * (TOGETHER / unit).max(1);
        let run = |i: usize, x: &[f32], y: &mut [f32], kept: [&mut [f32]; 5]| {
            let first = i * piece;
            let plan = Plan { batch: x.len() / c / unit, height, ..self.plan };
            self.piece(&plan, first, x, v, arranged, y, kept, keep);
        };
        let mut y = vec![0.0; t * c];
        let pieces = y.par_chunks_mut(piece * c).zip(x.par_chunks(piece * c)).enumerate();
        if !keep {
            pieces.for_each(|(i, (y, x))| {
                let n = x.len();
                let [mut qkv, mut heads, mut z, mut hidden] = [3 * n, n, n, n / c * wide].map(|n| pool.take(n));
                run(i, x, y, [&mut qkv, &mut heads, &mut z, &mut [], &mut hidden]);
            });
            return (y, None);
        }
        let [mut qkv, mut heads, mut z, mut hidden, mut active] = [3 * c, c, c, wide, wide].map(|width| pool.take(t * width));
        let kept = qkv
            .par_chunks_mut(piece * 3 * c)
            .zip(heads.par_chunks_mut(piece * c))
            .zip(z.par_chunks_mut(piece * c))
            .zip(hidden.par_chunks_mut(piece * wide).zip(active.par_chunks_mut(piece * wide)));
        pieces.zip(kept).for_each(|((i, (y, x)), (((qkv, heads), z), (hidden, active)))| run(i, x, y, [qkv, heads, z, hidden, active]));
        (y, Some(Kept { qkv, heads, z, hidden, active }))
    }

    /// The tokens from `first`, whole images or bands of them by `plan`. `kept` are the buffers of [`Kept`]; that of the values before
    /// GELU is not used unless `keep`.
    #[allow(clippy::too_many_arguments)]
    fn piece(
        &self,
        plan: &Plan,
        first: usize,
        x: &[f32],
        v: &Values,
        arranged: &Arranged,
        y: &mut [f32],
        [qkv, heads, z, hidden, active]: [&mut [f32]; 5],
        keep: bool,
    ) {
        let (c, wide) = (plan.channels, arranged.fc1.columns());
        let [attention, mlp] = [0, 1].map(|i| Scales { values: &self.scales[i], each: self.plan.height * self.plan.width, before: first });
        let mut normal = self.pool.take(x.len());
        normalise(x, v.norm1, &mut normal);
        multiply(rows(&normal, c), &arranged.qkv, Then::Bias(v.qkv[1]), qkv);
        plan.forward(qkv, v.table, heads);
        multiply(rows(heads, c), &arranged.proj, Then::Onto { bias: v.proj[1], onto: x, scales: attention }, z);

        normalise(z, v.norm2, &mut normal);
        let then = Then::Onto { bias: v.fc2[1], onto: z, scales: mlp };
        if !keep {
            multiply(rows(&normal, c), &arranged.fc1, Then::Gelu(v.fc1[1]), active);
        } else {
            multiply(rows(&normal, c), &arranged.fc1, Then::Bias(v.fc1[1]), hidden);
            gelu::apply(hidden, active);
        }
        multiply(rows(active, wide), &arranged.fc2, then, y);
    }

    /// From the gradient of the output to that of `x` and, in their order, of the parts.
    pub fn backward(&self, x: &[f32], v: &Values, kept: &Kept, grad: &[f32]) -> Result<(Vec<f32>, Vec<Vec<f32>>)> {
        let (t, c, pool) = (self.tokens(), self.plan.channels, &self.pool);
        let wide = v.fc1[1].len();
        let back = |g: &[f32], [w, b]: [&[f32]; 2], then: Then, to: &mut [f32]| {
            let (n, k) = (b.len(), w.len() / b.len());
            multiply(rows(g, n), &Panels::straight(w, n, k, pool), then, to);
        };
        let mut normal = pool.take(t * c);
        let mut branch = pool.take(t * c);
        let mut gx = grad.to_vec();

        self.scale(&gx, &self.scales[1], &mut branch);
        let (w_fc2, b_fc2) = outer(&branch, &kept.active, c)?;
        let mut hidden = pool.take(t * wide);
        back(&branch, v.fc2, Then::Slope(&kept.hidden), &mut hidden);
        normalise(&kept.z, v.norm2, &mut normal);
        let (w_fc1, b_fc1) = outer(&hidden, &normal, wide)?;
        back(&hidden, v.fc1, Then::Nothing, &mut branch);
        drop(hidden);
        let (w_norm2, b_norm2) = add_gradient(&kept.z, v.norm2[0], &branch, &mut gx);

        self.scale(&gx, &self.scales[0], &mut branch);
        let (w_proj, b_proj) = outer(&branch, &kept.heads, c)?;
        back(&branch, v.proj, Then::Nothing, &mut normal);
        let mut g_qkv = pool.take(t * 3 * c);
        let table = self.plan.backward(&kept.qkv, v.table, &normal, &mut g_qkv);
        normalise(x, v.norm1, &mut normal);
        let (w_qkv, b_qkv) = outer(&g_qkv, &normal, 3 * c)?;
        back(&g_qkv, v.qkv, Then::Nothing, &mut branch);
        let (w_norm1, b_norm1) = add_gradient(x, v.norm1[0], &branch, &mut gx);
        let parts = [table, w_norm1, b_norm1, w_qkv, b_qkv, w_proj, b_proj, w_norm2, b_norm2, w_fc1, b_fc1, w_fc2, b_fc2];
        Ok((gx, parts.into()))
    }

    /// `from` times the factor of its image.
    fn scale(&self, from: &[f32], scales: &[f32], to: &mut [f32]) {
        if scales.is_empty() {
            return to.copy_from_slice(from);
        }
        let image = from.len() / scales.len();
        for ((to, from), s) in to.chunks_exact_mut(image).zip(from.chunks_exact(image)).zip(scales) {
            to.iter_mut().zip(from).for_each(|(t, f)| *t = s * f);
        }
    }
}

/// Gradients of a linear layer's weight, gᵀ x, and bias; g has rows of `out`.
fn outer(g: &Buffer, x: &Buffer, out: usize) -> Result<(Vec<f32>, Vec<f32>)> {
    let rows = g.len() / out;
    let inputs = x.len() / rows;
    let ((g_values, g_start), (x_values, x_start)) = (g.storage(), x.storage());
    let turned = Layout::new((out, rows).into(), vec![1, out], g_start);
    let by_row = Layout::new((rows, inputs).into(), vec![inputs, 1], x_start);
    match g_values.matmul(x_values, (1, out, inputs, rows), &turned, &by_row)? {
        CpuStorage::F32(weight) => Ok((weight, column_sums(g, out))),
        _ => candle_core::bail!("the CPU kernels take float32"),
    }
}
