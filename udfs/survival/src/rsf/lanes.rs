//! The log-rank sums of several cuts side by side, in one pass over the rows of a node.

use super::node_table::NodeTable;
use crate::simd::vectorized;

pub(super) const LANES: usize = 12;

/// Log-rank sums of up to `LANES` cuts at once.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    pub left: [f64; LANES],
    pub numerator: [f64; LANES],
    pub variance: [f64; LANES],
    /// `sum_u c_u n(u) n_L(u)`: the scale of the variance.
    pub all: [f64; LANES],
}

impl Lanes {
    pub fn run(&mut self, cuts: &[u32], ranks: &[u32], table: &NodeTable) {
        *self = vectorized(
            #[inline(always)]
            || Self::of(cuts, ranks, table),
        );
    }

    #[inline(always)]
    fn of(cuts: &[u32], ranks: &[u32], table: &NodeTable) -> Self {
        // Unused lanes put every row right. Ranks are compared as floats, exactly, so that all lanes have one width.
        let mut bound = [-1.0; LANES];
        for (bound, &cut) in bound.iter_mut().zip(cuts) {
            *bound = f64::from(cut);
        }
        let (mut left, mut numerator) = ([0.0; LANES], [0.0; LANES]);
        let (mut variance, mut all) = ([0.0; LANES], [0.0; LANES]);
        let mut next = ranks.len();
        for u in (0..table.coefficient.len()).rev() {
            for k in (table.first[u] as usize..next).rev() {
                add_row(&bound, ranks[k], table.residual[k], &mut left, &mut numerator);
            }
            next = table.first[u] as usize;
            let (c, n) = (table.coefficient[u], table.at_risk[u]);
            for lane in 0..LANES {
                let linear = c * left[lane];
                all[lane] += linear * n;
                variance[lane] += linear * (n - left[lane]);
            }
        }
        for k in (0..next).rev() {
            add_row(&bound, ranks[k], table.residual[k], &mut left, &mut numerator);
        }
        Self { left, numerator, variance, all }
    }
}

#[inline(always)]
fn add_row(bound: &[f64; LANES], rank: u32, residual: f64, left: &mut [f64; LANES], numerator: &mut [f64; LANES]) {
    let rank = f64::from(rank);
    for lane in 0..LANES {
        left[lane] += if rank <= bound[lane] { 1.0 } else { 0.0 };
        numerator[lane] += if rank <= bound[lane] { residual } else { 0.0 };
    }
}
