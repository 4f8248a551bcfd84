//! The best cut of one feature in one node.
//!
//! The log-rank statistic of a cut, with L the left rows and n_L(u) those of them at risk at u, is
//! `U = sum_{i in L} (event_i - H(t_i))` and `V = sum_u c_u n_L(u) (n(u) - n_L(u))`, where H is the node's Nelson-Aalen
//! hazard and `c_u = d (n - d) / ((n - 1) n^2)`. Moving one row i to the left adds its residual to U and
//! `sum_{u <= t_i} c_u (n(u) - 2 n_L(u) - 1)` to V, with n_L before the move. All cuts of a feature together therefore cost one
//! pass: its inner sum runs over few event times directly and over many by a Fenwick tree, O(rows log rows) in total.

use rand_chacha::ChaCha8Rng;

use super::training::{Feature, Training};
use super::{RsfOptions, Splitting};
use crate::rng::below;
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

/// What all features of a node share. Rows are numbered by ascending time within the node, event times from 0.
#[derive(Debug, Default)]
pub(super) struct NodeTable {
    /// Number of event times at or before each row's time.
    step: Vec<u32>,
    /// Whether the row has an event.
    event: Vec<bool>,
    /// Distinct time of each row (of the whole training data).
    time: Vec<u32>,
    /// What a row adds to the numerator when it moves left.
    residual: Vec<f64>,
    /// c_u of each event time, its rows at risk, and its first row.
    coefficient: Vec<f64>,
    at_risk: Vec<f64>,
    first: Vec<u32>,
    /// Sums of c_u n(u) and of c_u over the first k event times.
    sum_cn: Vec<f64>,
    sum_c: Vec<f64>,
    /// Sample variance of the log-rank scores.
    score_variance: f64,
}

impl NodeTable {
    pub fn fill(&mut self, training: &Training, positions: &[u32], splitting: Splitting) {
        let size = positions.len();
        self.step.clear();
        self.event.clear();
        self.time.clear();
        self.residual.clear();
        self.coefficient.clear();
        self.at_risk.clear();
        self.first.clear();
        self.sum_cn.clear();
        self.sum_c.clear();
        self.sum_cn.push(0.0);
        self.sum_c.push(0.0);
        let (mut hazard, mut sum_cn, mut sum_c) = (0.0, 0.0, 0.0);
        let mut start = 0;
        while start < size {
            let time = training.time_index[positions[start] as usize];
            let (mut end, mut deaths) = (start, 0u32);
            while end < size && training.time_index[positions[end] as usize] == time {
                let event = training.event[positions[end] as usize];
                deaths += u32::from(event);
                self.event.push(event);
                self.time.push(time);
                end += 1;
            }
            if deaths > 0 {
                let (n, d) = ((size - start) as f64, f64::from(deaths));
                let c = if n > 1.0 { d * (n - d) / ((n - 1.0) * n * n) } else { 0.0 };
                hazard += match splitting {
                    // Gamma counts the rows up to this time: n - Gamma + 1 is what is left, and one more.
                    Splitting::LogrankScore => d / ((size - end) as f64 + 1.0),
                    _ => d / n,
                };
                sum_cn += c * n;
                sum_c += c;
                self.coefficient.push(c);
                self.at_risk.push(n);
                self.first.push(start as u32);
                self.sum_cn.push(sum_cn);
                self.sum_c.push(sum_c);
            }
            for k in start..end {
                self.step.push(self.coefficient.len() as u32);
                self.residual.push(if self.event[k] { 1.0 - hazard } else { -hazard });
            }
            start = end;
        }
        if splitting == Splitting::LogrankScore {
            let mean = self.residual.iter().sum::<f64>() / size as f64;
            self.residual.iter_mut().for_each(|a| *a -= mean);
            self.score_variance = self.residual.iter().map(|a| a * a).sum::<f64>() / (size as f64 - 1.0);
        }
    }

    pub fn has_events(&self) -> bool {
        !self.coefficient.is_empty()
    }
}

/// Working memory of the search.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    /// (rank, row) in one word, ascending.
    pub(super) keys: Vec<u64>,
    counts: Vec<u32>,
    /// n_L(u) of each event time.
    left: Vec<f64>,
    fenwick: Vec<(f64, f64)>,
    /// Ranks after which a cut is tried, ascending.
    pub(super) cuts: Vec<u32>,
    ranks: Vec<u32>,
    seen: Vec<u64>,
    lanes: Lanes,
    is_left: Vec<bool>,
}

impl Splitter {
    /// The best cut of `feature` among the rows at `positions`; `None` if the feature is constant there. Where no cut leaves
    /// enough rows on both sides the statistic is negative; where none separates the events it is 0, at the first cut.
    pub fn best(
        &mut self,
        feature: &Feature,
        positions: &[u32],
        table: &NodeTable,
        options: &RsfOptions,
        rng: &mut ChaCha8Rng,
    ) -> Option<Cut> {
        if !self.read(feature, positions) {
            return None;
        }
        let distinct = feature.values.len();
        if options.n_split > 0 {
            self.draw_cuts(distinct, options.n_split, rng);
            if options.splitting == Splitting::Logrank {
                return Some(self.best_of_cuts(table, options.min_leaf));
            }
            self.sort(distinct);
        } else {
            self.sort(distinct);
            self.cuts.clear();
        }
        Some(match options.splitting {
            Splitting::Logrank if table.coefficient.len() <= FEW_EVENT_TIMES => self.best_directly(table, options.min_leaf),
            Splitting::Logrank => self.best_by_fenwick(table, options.min_leaf),
            Splitting::LogrankScore => self.best_score(table, options.min_leaf),
            Splitting::Conserve => self.best_conserve(table, options.min_leaf),
        })
    }

    /// Reads the ranks of the rows; false if they are all the same.
    fn read(&mut self, feature: &Feature, positions: &[u32]) -> bool {
        let first = feature.rank[positions[0] as usize];
        if positions.iter().all(|&i| feature.rank[i as usize] == first) {
            return false;
        }
        self.ranks.clear();
        self.ranks.extend(positions.iter().map(|&i| feature.rank[i as usize]));
        true
    }

    /// The rows in the order of a feature in `keys` and the cuts to try in `cuts`; false if the feature is constant.
    pub(super) fn arrange(&mut self, feature: &Feature, positions: &[u32], n_split: usize, rng: &mut ChaCha8Rng) -> bool {
        if !self.read(feature, positions) {
            return false;
        }
        self.cuts.clear();
        if n_split > 0 {
            self.draw_cuts(feature.values.len(), n_split, rng);
        }
        self.sort(feature.values.len());
        true
    }

    /// Sorts the rows by rank into `keys`; rows of equal rank stay in time order.
    fn sort(&mut self, distinct: usize) {
        let size = self.ranks.len();
        self.keys.clear();
        if distinct <= 4 * size + 64 {
            self.counts.clear();
            self.counts.resize(distinct + 1, 0);
            for &rank in &self.ranks {
                self.counts[rank as usize + 1] += 1;
            }
            for k in 1..=distinct {
                self.counts[k] += self.counts[k - 1];
            }
            self.keys.resize(size, 0);
            for (k, &rank) in self.ranks.iter().enumerate() {
                let slot = &mut self.counts[rank as usize];
                self.keys[*slot as usize] = key(rank, k);
                *slot += 1;
            }
        } else {
            self.keys.extend(self.ranks.iter().enumerate().map(|(k, &rank)| key(rank, k)));
            self.keys.sort_unstable();
        }
    }

    /// Draws up to `n_split` of the node's distinct ranks, the largest excepted, without replacement.
    fn draw_cuts(&mut self, distinct: usize, n_split: usize, rng: &mut ChaCha8Rng) {
        self.cuts.clear();
        if distinct <= 64 * self.ranks.len() {
            self.seen.clear();
            self.seen.resize(distinct.div_ceil(64), 0);
            for &rank in &self.ranks {
                self.seen[rank as usize / 64] |= 1 << (rank % 64);
            }
            for (word, &bits) in self.seen.iter().enumerate() {
                let mut bits = bits;
                while bits != 0 {
                    self.cuts.push(word as u32 * 64 + bits.trailing_zeros());
                    bits &= bits - 1;
                }
            }
        } else {
            self.cuts.extend_from_slice(&self.ranks);
            self.cuts.sort_unstable();
            self.cuts.dedup();
        }
        self.cuts.pop();
        if self.cuts.len() > n_split {
            for k in 0..n_split {
                let pick = k + below(rng, (self.cuts.len() - k) as u32) as usize;
                self.cuts.swap(k, pick);
            }
            self.cuts.truncate(n_split);
            self.cuts.sort_unstable();
        }
    }

    /// All cuts by plain sums over the event times.
    fn best_directly(&mut self, table: &NodeTable, min_leaf: usize) -> Cut {
        vectorized(
            #[inline(always)]
            || scan_directly(&self.keys, &mut self.left, table, min_leaf),
        )
    }

    /// All cuts by a Fenwick tree: `sum_{u <= t_i} c_u n_L(u) = sum_{j in L} C(min(t_i, t_j))`, C the running sum of c.
    fn best_by_fenwick(&mut self, table: &NodeTable, min_leaf: usize) -> Cut {
        let Self { keys, fenwick, .. } = self;
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
        let size = self.ranks.len();
        let mut best = NO_CUT;
        for cuts in self.cuts.chunks(LANES) {
            self.lanes.run(cuts, &self.ranks, table);
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
        let size = self.keys.len();
        let mut best = NO_CUT;
        let mut sum = 0.0;
        let mut drawn = Drawn::new(&self.cuts);
        for (k, pair) in self.keys.windows(2).enumerate() {
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
        let size = self.keys.len();
        let mut best = NO_CUT;
        self.is_left.clear();
        self.is_left.resize(size, false);
        let mut drawn = Drawn::new(&self.cuts);
        for (k, pair) in self.keys.windows(2).enumerate() {
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

/// Whether a cut was drawn; ranks are asked for in ascending order. Without drawn cuts, every one is.
pub(super) struct Drawn<'a> {
    cuts: &'a [u32],
    all: bool,
}

impl<'a> Drawn<'a> {
    pub(super) fn new(cuts: &'a [u32]) -> Self {
        Self { cuts, all: cuts.is_empty() }
    }

    pub(super) fn includes(&mut self, rank: u32) -> bool {
        while let [first, rest @ ..] = self.cuts
            && *first < rank
        {
            self.cuts = rest;
        }
        self.all || self.cuts.first() == Some(&rank)
    }
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

fn key(rank: u32, row: usize) -> u64 {
    u64::from(rank) << 32 | row as u64
}

pub(super) fn rank_of(key: u64) -> u32 {
    (key >> 32) as u32
}

pub(super) fn row_of(key: u64) -> usize {
    key as u32 as usize
}

const LANES: usize = 12;

/// Log-rank sums of up to `LANES` cuts at once.
#[derive(Debug, Default)]
struct Lanes {
    left: [f64; LANES],
    numerator: [f64; LANES],
    variance: [f64; LANES],
    /// `sum_u c_u n(u) n_L(u)`: the scale of the variance.
    all: [f64; LANES],
}

impl Lanes {
    fn run(&mut self, cuts: &[u32], ranks: &[u32], table: &NodeTable) {
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
