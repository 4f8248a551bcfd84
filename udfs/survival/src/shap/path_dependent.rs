//! Path-dependent TreeSHAP: the background is the training rows of the nodes, no data set.
//!
//! A feature that is not in S splits in the proportion of the training rows: the weight of a leaf for S is the product over its
//! path's features of 1 or 0 (in S: whether x satisfies that feature's splits) or of the shares of rows (not in S). This is a
//! product game, see [`ProductGame`]. Lundberg et al., Nat Mach Intell 2020;2:56, algorithm 1.

use ndarray::ArrayView1;

use super::PATH_FEATURES;
use super::interventional::Nodes;
use super::quadrature::ProductGame;
use crate::error::SurvivalError;
use crate::rsf::Node;

/// Reusable walk; it holds buffers only.
pub struct CoverWalk {
    path: Vec<usize>,
    /// Of each path feature: does x satisfy its splits so far (1 or 0), and the share of the training rows that do.
    inside: Vec<f64>,
    outside: Vec<f64>,
    game: ProductGame,
}

impl Default for CoverWalk {
    fn default() -> Self {
        Self { path: Vec::new(), inside: Vec::new(), outside: Vec::new(), game: ProductGame::new() }
    }
}

impl CoverWalk {
    /// Calls `add(leaf, feature, coefficient)` for every leaf and feature. `cover` are the training rows of each node.
    ///
    /// # Errors
    /// More than 128 different features between the root and a leaf.
    pub fn run<N: Nodes + ?Sized>(
        &mut self,
        tree: &N,
        cover: &[f64],
        x: ArrayView1<f64>,
        mut add: impl FnMut(usize, usize, f64),
    ) -> Result<(), SurvivalError> {
        self.path.clear();
        self.inside.clear();
        self.outside.clear();
        self.visit(tree, cover, &x, 0, &mut add)
    }

    fn visit<N: Nodes + ?Sized>(
        &mut self,
        tree: &N,
        cover: &[f64],
        x: &ArrayView1<f64>,
        node: usize,
        add: &mut impl FnMut(usize, usize, f64),
    ) -> Result<(), SurvivalError> {
        let (feature, threshold, left, right) = match tree.node(node) {
            Node::Leaf { leaf } => {
                let path = &self.path;
                self.game.values(&self.inside, &self.outside, 1.0, |k, value| add(leaf, path[k], value));
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
            self.inside.push(1.0);
            self.outside.push(1.0);
        }
        let (inside, outside) = (self.inside[slot], self.outside[slot]);
        for (daughter, goes) in [(left, x[feature] <= threshold), (right, x[feature] > threshold)] {
            self.inside[slot] = if goes { inside } else { 0.0 };
            self.outside[slot] = outside * (cover[daughter] / cover[node]);
            self.visit(tree, cover, x, daughter, add)?;
        }
        (self.inside[slot], self.outside[slot]) = (inside, outside);
        if known.is_none() {
            self.path.pop();
            self.inside.pop();
            self.outside.pop();
        }
        Ok(())
    }
}

/// Training rows of each node, from those of the leaves.
pub fn cover<N: Nodes + ?Sized>(tree: &N, nodes: usize, leaf_size: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut cover = vec![0.0; nodes];
    // Daughters have higher numbers than their node.
    for at in (0..nodes).rev() {
        cover[at] = match tree.node(at) {
            Node::Leaf { leaf } => leaf_size(leaf),
            Node::Split { left, right, .. } => cover[left] + cover[right],
        };
    }
    cover
}
