//! Interventional TreeSHAP with the background prepared once.
//!
//! A background row matters to a leaf only through the set of the path's features whose splits it satisfies. Each leaf keeps
//! the distinct sets with their number of rows, so that explaining x costs a look at each leaf's few sets instead of a walk of
//! all rows. The formula is that of [`super::interventional`].

use ndarray::{ArrayView1, ArrayView2};

use super::interventional::{Nodes, Shares};
use crate::rsf::{Node, Tree};

/// Leaves x background rows that are prepared at most: beyond it a walk per row explained needs less memory.
const LARGEST: usize = 1 << 24;

/// A feature of a leaf's path: its splits together admit `above < value <= up_to`.
#[derive(Debug, Clone, Copy)]
struct Interval {
    feature: u32,
    above: f64,
    up_to: f64,
}

impl Interval {
    fn admits(&self, value: f64) -> bool {
        self.above < value && value <= self.up_to
    }
}

/// The leaves of one tree, by number.
#[derive(Debug, Clone, Default)]
struct Leaves {
    intervals: Vec<Interval>,
    /// Set of the leaf's intervals that a background row satisfies, and how many rows do.
    sets: Vec<(u64, u32)>,
    /// Where each leaf's intervals and sets end.
    ends: Vec<(u32, u32)>,
}

/// All trees of a forest with their background.
#[derive(Debug, Clone)]
pub(super) struct Patterns {
    trees: Vec<Leaves>,
    rows: usize,
    shares: Shares,
}

impl Patterns {
    /// `None` where the forest or the background is too large, or a path has more than 64 different features.
    pub fn new(trees: &[Tree], background: ArrayView2<f64>) -> Option<Self> {
        let leaves: usize = trees.iter().map(Tree::leaves).sum();
        if leaves.saturating_mul(background.nrows()) > LARGEST {
            return None;
        }
        let by_feature = background.t().as_standard_layout().into_owned();
        let (mut shares, mut sets) = (Shares::default(), Vec::new());
        let mut prepare = |tree: &Tree| {
            sets.clear();
            sets.resize(background.nrows(), u64::MAX);
            let mut preparation =
                Preparation { by_feature: by_feature.view(), path: Vec::new(), sets: &mut sets, leaves: Leaves::default() };
            preparation.visit(tree, 0)?;
            Some(preparation.leaves)
        };
        let trees: Vec<Leaves> = trees.iter().map(&mut prepare).collect::<Option<_>>()?;
        let longest = |leaves: &Leaves| (0..leaves.ends.len()).map(|leaf| leaves.of(leaf).0.len()).max();
        shares.reach(trees.iter().filter_map(longest).max().unwrap_or(0));
        Some(Self { trees, rows: background.nrows(), shares })
    }

    /// Calls `add(leaf, feature, coefficient)` for every leaf of a tree and feature with a share.
    pub fn run(&self, tree: usize, x: ArrayView1<f64>, mut add: impl FnMut(usize, usize, f64)) {
        let leaves = &self.trees[tree];
        let mut gains = [0.0; 64];
        for leaf in 0..leaves.ends.len() {
            let (intervals, sets) = leaves.of(leaf);
            let full = full(intervals.len());
            let x_fails = full & !satisfied(intervals, |j| x[j]);
            let w = x_fails.count_ones() as usize;
            let mut loss = 0.0;
            let mut reached = false;
            for &(set, rows) in sets {
                // Where x fails, the rows must not.
                if set & x_fails != x_fails {
                    continue;
                }
                if !reached {
                    gains[..intervals.len()].fill(0.0);
                    reached = true;
                }
                let fails = full & !set;
                let u = fails.count_ones() as usize;
                let share = f64::from(rows) * self.shares.gain(u, w);
                each_bit(fails, |k| gains[k] += share);
                loss += f64::from(rows) * self.shares.gain(w, u);
            }
            if !reached {
                continue;
            }
            each_bit(x_fails, |k| gains[k] -= loss);
            for (interval, &gain) in intervals.iter().zip(&gains) {
                if gain != 0.0 {
                    add(leaf, interval.feature as usize, gain / self.rows as f64);
                }
            }
        }
    }
}

impl Leaves {
    fn of(&self, leaf: usize) -> (&[Interval], &[(u64, u32)]) {
        let (first, first_set) = if leaf == 0 { (0, 0) } else { self.ends[leaf - 1] };
        let (end, end_set) = self.ends[leaf];
        (&self.intervals[first as usize..end as usize], &self.sets[first_set as usize..end_set as usize])
    }
}

/// A tree on its way into [`Leaves`].
struct Preparation<'a> {
    /// Background, features x rows.
    by_feature: ArrayView2<'a, f64>,
    path: Vec<Interval>,
    /// Of each background row the path's features that it satisfies so far, bits beyond the path being set. The last nodes of
    /// the path each have theirs, one behind the other.
    sets: &'a mut Vec<u64>,
    leaves: Leaves,
}

impl Preparation<'_> {
    /// Leaves are met in the order of their numbers.
    fn visit(&mut self, tree: &impl Nodes, node: usize) -> Option<()> {
        let first = self.sets.len() - self.by_feature.ncols();
        let (feature, threshold, left, right) = match tree.node(node) {
            Node::Leaf { .. } => {
                let sets = &mut self.sets[first..];
                let full = full(self.path.len());
                sets.iter_mut().for_each(|set| *set &= full);
                sets.sort_unstable();
                self.leaves.intervals.extend_from_slice(&self.path);
                self.leaves.sets.extend(sets.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u32)));
                self.leaves.ends.push((self.leaves.intervals.len() as u32, self.leaves.sets.len() as u32));
                return Some(());
            }
            Node::Split { feature, threshold, left, right } => (feature as u32, threshold, left, right),
        };
        let known = self.path.iter().position(|interval| interval.feature == feature);
        let slot = known.unwrap_or(self.path.len());
        if known.is_none() {
            if slot == u64::BITS as usize {
                return None;
            }
            self.path.push(Interval { feature, above: f64::NEG_INFINITY, up_to: f64::INFINITY });
        }
        let before = self.path[slot];
        for (daughter, is_left) in [(left, true), (right, false)] {
            self.path[slot] = if is_left {
                Interval { up_to: before.up_to.min(threshold), ..before }
            } else {
                Interval { above: before.above.max(threshold), ..before }
            };
            for (i, &value) in self.by_feature.row(feature as usize).iter().enumerate() {
                let strays = u64::from((value <= threshold) != is_left);
                self.sets.push(self.sets[first + i] & !(strays << slot));
            }
            self.visit(tree, daughter)?;
            self.sets.truncate(first + self.by_feature.ncols());
        }
        self.path[slot] = before;
        if known.is_none() {
            self.path.pop();
        }
        Some(())
    }
}

fn full(players: usize) -> u64 {
    if players == 64 { u64::MAX } else { (1 << players) - 1 }
}

fn satisfied(intervals: &[Interval], value: impl Fn(usize) -> f64) -> u64 {
    let bit = |(k, interval): (usize, &Interval)| u64::from(interval.admits(value(interval.feature as usize))) << k;
    intervals.iter().enumerate().map(bit).fold(0, |set, bit| set | bit)
}

fn each_bit(mut set: u64, mut visit: impl FnMut(usize)) {
    while set != 0 {
        visit(set.trailing_zeros() as usize);
        set &= set - 1;
    }
}
