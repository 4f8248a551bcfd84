//! Interventional TreeSHAP: exact Shapley values of one tree against background rows.
//!
//! The value of a set S of features is the mean over background rows b of the tree at (x in S, b elsewhere). For a pair (x, b)
//! a leaf is reached by some sets only if at each of its path's features x or b (or both) satisfies all of that feature's
//! splits. With u features that only x satisfies and w that only b does, the leaf's share of its curve is
//! `(u-1)! w! / (u+w)!` for each of the u features and `-u! (w-1)! / (u+w)!` for each of the w. Lundberg et al., Nat Mach Intell
//! 2020;2:56, algorithm 3.
//!
//! One walk serves all background rows: a branch that x does not take keeps only the rows that take it, so that at a leaf all
//! rows left share the w features that x fails, and differ only in which features they fail themselves. No curve is touched
//! here: a leaf's coefficients are scalars, and a feature's curve is the sum of coefficient times leaf curve.

use ndarray::{ArrayView1, ArrayView2};

use super::PATH_FEATURES;
use crate::error::SurvivalError;
use crate::rsf::{Node, Tree};

/// Where the nodes of a tree come from.
pub trait Nodes {
    /// Node `at`; the root is node 0.
    fn node(&self, at: usize) -> Node;
}

impl Nodes for Tree {
    fn node(&self, at: usize) -> Node {
        Tree::node(self, at)
    }
}

impl Nodes for [Node] {
    fn node(&self, at: usize) -> Node {
        self[at]
    }
}

/// Reusable walk; it holds buffers only.
#[derive(Default)]
pub struct Walk {
    /// Distinct features of the path, as far as it goes.
    path: Vec<usize>,
    /// Background rows still in play, with the path's features that each fails. One stack for all nodes of the path.
    alive: Vec<(u32, u128)>,
    /// Rows by the number of features that they fail, and coefficient of each path feature.
    counts: Vec<u32>,
    coefficients: Vec<f64>,
    shares: Shares,
    /// One over the background rows.
    scale: f64,
}

/// What stays the same along the walk.
struct At<'a, N: ?Sized> {
    tree: &'a N,
    x: ArrayView1<'a, f64>,
    background: ArrayView2<'a, f64>,
}

impl Walk {
    /// Calls `add(leaf, feature, coefficient)` for every leaf and feature with a share, coefficients being means over the
    /// background rows.
    ///
    /// # Errors
    /// More than 128 different features between the root and a leaf.
    pub fn run<N: Nodes + ?Sized>(
        &mut self,
        tree: &N,
        x: ArrayView1<f64>,
        background: ArrayView2<f64>,
        mut add: impl FnMut(usize, usize, f64),
    ) -> Result<(), SurvivalError> {
        self.path.clear();
        self.alive.clear();
        self.alive.extend((0..background.nrows() as u32).map(|row| (row, 0)));
        self.scale = 1.0 / background.nrows() as f64;
        let at = At { tree, x: x.reborrow(), background: background.reborrow() };
        self.visit(&at, 0, 0, 0, &mut add)
    }

    /// `first` is where this node's rows start in `alive`, `x_fails` the path's features that x fails.
    fn visit<N: Nodes + ?Sized>(
        &mut self,
        at: &At<N>,
        node: usize,
        first: usize,
        x_fails: u128,
        add: &mut impl FnMut(usize, usize, f64),
    ) -> Result<(), SurvivalError> {
        let (feature, threshold, left, right) = match at.tree.node(node) {
            Node::Leaf { leaf } => {
                self.leaf(leaf, first, x_fails, add);
                return Ok(());
            }
            Node::Split { feature, threshold, left, right } => (feature, threshold, left, right),
        };
        let known = self.path.iter().position(|&f| f == feature);
        let slot = known.unwrap_or(self.path.len());
        if slot >= PATH_FEATURES {
            return Err(SurvivalError::PathTooLong { most: PATH_FEATURES });
        }
        if known.is_none() {
            self.path.push(feature);
        }
        let bit = 1u128 << slot;
        let x_left = at.x[feature] <= threshold;
        let column = at.background.column(feature);
        let end = self.alive.len();
        for (daughter, is_left) in [(left, true), (right, false)] {
            let fails = if x_left == is_left { x_fails } else { x_fails | bit };
            for i in first..end {
                let (row, own) = self.alive[i];
                let goes = (column[row as usize] <= threshold) == is_left;
                // Where x fails a feature, the row must satisfy all of that feature's splits.
                if fails & bit == 0 {
                    self.alive.push((row, if goes { own } else { own | bit }));
                } else if goes && own & bit == 0 {
                    self.alive.push((row, own));
                }
            }
            if self.alive.len() > end {
                self.visit(at, daughter, end, fails, add)?;
                self.alive.truncate(end);
            }
        }
        if known.is_none() {
            self.path.pop();
        }
        Ok(())
    }

    fn leaf(&mut self, leaf: usize, first: usize, x_fails: u128, add: &mut impl FnMut(usize, usize, f64)) {
        let players = self.path.len();
        let w = x_fails.count_ones() as usize;
        self.shares.reach(players);
        self.counts.clear();
        self.counts.resize(players + 1, 0);
        self.coefficients.clear();
        self.coefficients.resize(players, 0.0);
        for &(_, own) in &self.alive[first..] {
            let u = own.count_ones() as usize;
            self.counts[u] += 1;
            let share = self.shares.gain(u, w);
            let mut left = own;
            while left != 0 {
                self.coefficients[left.trailing_zeros() as usize] += share;
                left &= left - 1;
            }
        }
        if w > 0 {
            let loss: f64 = self.counts.iter().enumerate().map(|(u, &rows)| f64::from(rows) * self.shares.gain(w, u)).sum();
            let mut left = x_fails;
            while left != 0 {
                self.coefficients[left.trailing_zeros() as usize] -= loss;
                left &= left - 1;
            }
        }
        for (&feature, &coefficient) in self.path.iter().zip(&self.coefficients) {
            if coefficient != 0.0 {
                add(leaf, feature, coefficient * self.scale);
            }
        }
    }
}

/// Table of `(u-1)! w! / (u+w)!`.
#[derive(Debug, Clone, Default)]
pub(super) struct Shares {
    width: usize,
    gains: Vec<f64>,
}

impl Shares {
    /// Makes the table hold all u and w up to `players`.
    pub fn reach(&mut self, players: usize) {
        if players < self.width {
            return;
        }
        self.width = players + 1;
        self.gains = vec![0.0; self.width * self.width];
        for u in 1..self.width {
            // 1/u at w = 0, then times w / (u + w).
            let mut gain = 1.0 / u as f64;
            for w in 0..self.width {
                if w > 0 {
                    gain *= w as f64 / (u + w) as f64;
                }
                self.gains[u * self.width + w] = gain;
            }
        }
    }

    /// The share of each of u features against w; 0 for u = 0.
    #[inline]
    pub fn gain(&self, u: usize, w: usize) -> f64 {
        self.gains[u * self.width + w]
    }
}
