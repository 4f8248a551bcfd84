//! The operations on the CPU in float32, each one differentiable step.
//!
//! Work is cut into pieces of a fixed size, and partial sums are added in
//! the order of the pieces, so that the bits do not depend on the number of threads.

mod attention;
mod block;
mod cells;
mod convolution;
mod gelu;
mod gemm;
mod linear;
mod norm;
mod pool;
mod simd;
mod spectrum;
mod step;

pub use attention::{Attention, Plan, fits};
pub use block::{Arranged, Call, PARTS, Values};
pub use convolution::{Laid, convolve};
pub use gelu::Gelu;
pub use linear::Linear;
pub use norm::LayerNorm;
pub use pool::Pool;
pub use step::{Left, run as block};

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor};

/// Rows of one piece of work.
const ROWS: usize = 256;

/// The values behind a contiguous layout.
fn view<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((from, to))) => Ok(&values[from..to]),
        _ => candle_core::bail!("the CPU kernels take contiguous float32"),
    }
}

/// Calls `f` with the values of contiguous tensors.
pub fn read<const N: usize, T>(tensors: [&Tensor; N], f: impl FnOnce([&[f32]; N]) -> Result<T>) -> Result<T> {
    let held = tensors.map(|t| t.storage_and_layout());
    let mut slices: [&[f32]; N] = [&[]; N];
    for (slice, (storage, layout)) in slices.iter_mut().zip(&held) {
        let Storage::Cpu(cpu) = &**storage else { candle_core::bail!("the CPU kernels take tensors on the CPU") };
        *slice = view(cpu, layout)?;
    }
    f(slices)
}

/// Sum of parts in their order.
fn total(parts: Vec<Vec<f32>>, n: usize) -> Vec<f32> {
    let mut sum = vec![0.0; n];
    for part in parts {
        sum.iter_mut().zip(part).for_each(|(s, p)| *s += p);
    }
    sum
}
