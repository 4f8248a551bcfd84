//! The best cut of one feature in one node.
//!
//! The log-rank statistic of a cut, with L the left rows and n_L(u) those of them at risk at u, is
//! `U = sum_{i in L} (event_i - H(t_i))` and `V = sum_u c_u n_L(u) (n(u) - n_L(u))`, where H is the node's Nelson-Aalen
//! hazard and `c_u = d (n - d) / ((n - 1) n^2)`. Moving one row i to the left adds its residual to U and
//! `sum_{u <= t_i} c_u (n(u) - 2 n_L(u) - 1)` to V, with n_L before the move. All cuts of a feature together therefore cost one
//! pass: its inner sum runs over few event times directly and over many by a Fenwick tree, O(rows log rows) in total.

use rand_chacha::ChaCha8Rng;

use super::arrange::{Arranged, rank_of, row_of};
use super::drawn::Drawn;
use super::lanes::{LANES, Lanes};
use super::node_table::NodeTable;
use super::training::Feature;
use super::{RsfOptions, Splitting};
use crate::simd::vectorized;

/// Event times up to which the inner sum is a plain loop.
const FEW_EVENT_TIMES: usize = 96;

/// The best cut of a feature: ranks up to `cut` go left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cut {
    pub cut: u32,
    /// Comparable between features of one node; squared for the log-rank rules. Negative while there is no cut.
    pub statistic: f64,
}

pub(super) const NO_CUT: Cut = Cut { cut: 0, statistic: -1.0 };

/// Working memory of the search.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    rows: Arranged,
    /// n_L(u) of each event time.
    left: Vec<f64>,
    fenwick: Vec<(f64, f64)>,
    lanes: Lanes,
    is_left: Vec<bool>,
}

impl Splitter {
    /// The best cut of `feature` among these rows; `None` if the feature is constant there. Where no cut leaves
    /// enough rows on both sides the statistic is negative; where none separates the events it is 0, at the first cut.
    pub fn best(&mut self, feature: Feature, rows: &[u32], table: &NodeTable, options: &RsfOptions, rng: &mut ChaCha8Rng) -> Option<Cut> {
        if options.n_split > 0 && options.splitting == Splitting::Logrank {
            return self.rows.draw(feature, rows, options.n_split, rng).then(|| self.best_of_cuts(table, options.min_leaf));
        }
        if !self.rows.arrange(feature, rows, options.n_split, rng) {
            return None;
        }
        Some(match options.splitting {
            Splitting::Logrank if table.coefficient.len() <= FEW_EVENT_TIMES => self.best_directly(table, options.min_leaf),
            Splitting::Logrank => self.best_by_fenwick(table, options.min_leaf),
            Splitting::LogrankScore => self.best_score(table, options.min_leaf),
            Splitting::Conserve => self.best_conserve(table, options.min_leaf),
        })
    }

    /// All cuts by plain sums over the event times.
    fn best_directly(&mut self, table: &NodeTable, min_leaf: usize) -> Cut {
        vectorized(
            #[inline(always)]
            || scan_directly(&self.rows.keys, &mut self.left, table, min_leaf),
        )
    }

    /// All cuts by a Fenwick tree: `sum_{u <= t_i} c_u n_L(u) = sum_{j in L} C(min(t_i, t_j))`, C the running sum of c.
    fn best_by_fenwick(&mut self, table: &NodeTable, min_leaf: usize) -> Cut {
        let Self { rows: Arranged { keys, .. }, fenwick, .. } = self;
        let steps = table.coefficient.len();
        fenwick.clear();
        fenwick.resize(steps + 1, (0.0, 0.0));
        let mut scan = Scan::default();
        let mut moved = 0.0;
        let last = keys.len() - 1;
        for (k, pair) in keys.windows(2).enumerate() {
            let row = row_of(pair[0]);
            let step = table.step[row] as usize;
            if step > 0 {
                let c = table.sum_c[step];
                let (mut rows, mut sum, mut at) = (0.0, 0.0, step);
                while at > 0 {
                    rows += fenwick[at].0;
                    sum += fenwick[at].1;
                    at &= at - 1;
                }
                let inner = sum + c * (moved - rows);
                let mut at = step;
                while at <= steps {
                    fenwick[at].0 += 1.0;
                    fenwick[at].1 += c;
                    at += at & at.wrapping_neg();
                }
                moved += 1.0;
                scan.move_left(table, row, step, inner);
            } else {
                scan.move_left(table, row, 0, 0.0);
            }
            if rank_of(pair[0]) != rank_of(pair[1]) && k + 1 >= min_leaf && last - k >= min_leaf {
                scan.try_cut(rank_of(pair[0]));
            }
        }
        scan.best
    }

    /// The drawn cuts side by side: one pass over the rows from the latest time to the earliest.
    fn best_of_cuts(&mut self, table: &NodeTable, min_leaf: usize) -> Cut {
        let size = self.rows.ranks.len();
        let mut best = NO_CUT;
        for cuts in self.rows.cuts().chunks(LANES) {
            self.lanes.run(cuts, &self.rows.ranks, table);
            for (lane, &cut) in cuts.iter().enumerate() {
                let left = self.lanes.left[lane] as usize;
                if left >= min_leaf && size - left >= min_leaf {
                    let all = self.lanes.all[lane];
                    keep(&mut best, cut, self.lanes.numerator[lane], self.lanes.variance[lane], all);
                }
            }
        }
        best
    }

    /// Log-rank scores: `(sum_L a)^2 / (n_L (1 - n_L / n) s^2)` of centred scores a.
    fn best_score(&mut self, table: &NodeTable, min_leaf: usize) -> Cut {
        let size = self.rows.keys.len();
        let mut best = NO_CUT;
        let mut sum = 0.0;
        let mut drawn = Drawn::new(self.rows.cuts());
        for (k, pair) in self.rows.keys.windows(2).enumerate() {
            sum += table.residual[row_of(pair[0])];
            let rank = rank_of(pair[0]);
            let left = k + 1;
            if rank != rank_of(pair[1]) && drawn.includes(rank) && left >= min_leaf && size - left >= min_leaf {
                let (left, size) = (left as f64, size as f64);
                let variance = left * (1.0 - left / size) * table.score_variance;
                keep(&mut best, rank, sum, variance, variance);
            }
        }
        best
    }

    /// Conservation of events: `1 / (1 + mean over rows of |running sum of martingale residuals|)` within the daughters.
    fn best_conserve(&mut self, table: &NodeTable, min_leaf: usize) -> Cut {
        let size = self.rows.keys.len();
        let mut best = NO_CUT;
        self.is_left.clear();
        self.is_left.resize(size, false);
        let mut drawn = Drawn::new(self.rows.cuts());
        for (k, pair) in self.rows.keys.windows(2).enumerate() {
            self.is_left[row_of(pair[0])] = true;
            let rank = rank_of(pair[0]);
            let left = k + 1;
            if rank != rank_of(pair[1]) && drawn.includes(rank) && left >= min_leaf && size - left >= min_leaf {
                let deviation = deviation(table, &self.is_left, true, left) * left as f64
                    + deviation(table, &self.is_left, false, size - left) * (size - left) as f64;
                let statistic = 1.0 / (1.0 + deviation / size as f64);
                if statistic > best.statistic * (1.0 + 1e-10) {
                    best = Cut { cut: rank, statistic };
                }
            }
        }
        best
    }
}

/// Sum over a daughter's rows, the last excepted, of |events so far - hazard so far|. Ishwaran et al. 2008, section 6.
fn deviation(table: &NodeTable, is_left: &[bool], side: bool, size: usize) -> f64 {
    let (mut at_risk, mut hazard, mut running, mut total) = (size, 0.0, 0.0, 0.0);
    let mut seen = 0;
    let mut start = 0;
    while start < is_left.len() {
        let time = table.time[start];
        let mut end = start;
        let (mut rows, mut deaths) = (0usize, 0usize);
        while end < is_left.len() && table.time[end] == time {
            rows += usize::from(is_left[end] == side);
            deaths += usize::from(is_left[end] == side && table.event[end]);
            end += 1;
        }
        if rows > 0 {
            hazard += deaths as f64 / at_risk as f64;
            at_risk -= rows;
            for k in (start..end).filter(|&k| is_left[k] == side) {
                running += f64::from(u8::from(table.event[k])) - hazard;
                seen += 1;
                if seen < size {
                    total += f64::abs(running);
                }
            }
        }
        start = end;
    }
    total
}

/// U and V while rows move to the left one by one.
struct Scan {
    numerator: f64,
    /// `sum_u c_u n(u) n_L(u)` and `sum_u c_u n_L(u)^2`: V is their difference.
    linear: f64,
    square: f64,
    best: Cut,
}

impl Default for Scan {
    fn default() -> Self {
        Self { numerator: 0.0, linear: 0.0, square: 0.0, best: NO_CUT }
    }
}

impl Scan {
    #[inline(always)]
    fn move_left(&mut self, table: &NodeTable, row: usize, step: usize, inner: f64) {
        self.numerator += table.residual[row];
        self.linear += table.sum_cn[step];
        self.square += 2.0 * inner + table.sum_c[step];
    }

    #[inline(always)]
    fn try_cut(&mut self, cut: u32) {
        keep(&mut self.best, cut, self.numerator, self.linear - self.square, self.linear);
    }
}

/// Keeps the cut with the largest U^2 / V, the first of equals. A variance that is rounding next to `scale` is none, and
/// such a cut has a statistic of 0.
#[inline(always)]
pub(super) fn keep(best: &mut Cut, cut: u32, numerator: f64, variance: f64, scale: f64) {
    if variance > 1e-12 * scale {
        if numerator * numerator > best.statistic * (1.0 + 1e-10) * variance {
            *best = Cut { cut, statistic: numerator * numerator / variance };
        }
    } else if best.statistic < 0.0 {
        *best = Cut { cut, statistic: 0.0 };
    }
}

#[inline(always)]
fn scan_directly(keys: &[u64], left: &mut Vec<f64>, table: &NodeTable, min_leaf: usize) -> Cut {
    left.clear();
    left.resize(table.coefficient.len(), 0.0);
    let mut scan = Scan::default();
    let last = keys.len() - 1;
    for (k, pair) in keys.windows(2).enumerate() {
        let row = row_of(pair[0]);
        let step = table.step[row] as usize;
        let inner = move_left(&table.coefficient[..step], &mut left[..step]);
        scan.move_left(table, row, step, inner);
        if rank_of(pair[0]) != rank_of(pair[1]) && k + 1 >= min_leaf && last - k >= min_leaf {
            scan.try_cut(rank_of(pair[0]));
        }
    }
    scan.best
}

/// `sum_u c_u n_L(u)`, then one more row at risk at each u.
#[inline(always)]
fn move_left(coefficient: &[f64], left: &mut [f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (c, c_rest) = coefficient.as_chunks::<8>();
    let (l, l_rest) = left.as_chunks_mut::<8>();
    for (c, l) in c.iter().zip(l) {
        for lane in 0..8 {
            sums[lane] += c[lane] * l[lane];
            l[lane] += 1.0;
        }
    }
    let mut sum = ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
    for (c, l) in c_rest.iter().zip(l_rest) {
        sum += c * *l;
        *l += 1.0;
    }
    sum
}
