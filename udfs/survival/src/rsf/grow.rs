//! Growing one tree.

use rand_chacha::ChaCha8Rng;

use super::node_table::NodeTable;
use super::sample::in_bag;
use super::split::{Cut, Splitter};
use super::training::{Feature, Training};
use super::tree::{LeafEvent, Tree};
use super::{RsfOptions, Threshold};
use crate::rng::below;

/// What makes a forest one of its kind: the statistic of a cut, and what a leaf keeps beside its events.
pub(super) trait Rule {
    /// Looks at the rows of a node; false if there is nothing to tell apart.
    fn open(&mut self, training: &Training, positions: &[u32], options: &RsfOptions) -> bool;

    /// The best cut of a feature among these rows; `None` if it is constant there.
    fn best(&mut self, feature: &Feature, positions: &[u32], options: &RsfOptions, rng: &mut ChaCha8Rng) -> Option<Cut>;

    /// Keeps what a leaf of these rows needs beside its events.
    fn close(&mut self, _training: &Training, _positions: &[u32]) {}
}

/// Splits by the events of one kind.
#[derive(Debug, Default)]
pub(super) struct OneCause {
    table: NodeTable,
    splitter: Splitter,
}

impl Rule for OneCause {
    fn open(&mut self, training: &Training, positions: &[u32], options: &RsfOptions) -> bool {
        self.table.fill(training, positions, options.splitting);
        self.table.has_events()
    }

    fn best(&mut self, feature: &Feature, positions: &[u32], options: &RsfOptions, rng: &mut ChaCha8Rng) -> Option<Cut> {
        self.splitter.best(feature, positions, &self.table, options, rng)
    }
}

/// Grows trees one after the other in the same working memory.
pub(super) struct Grower<'a, R> {
    pub rule: R,
    training: &'a Training,
    options: &'a RsfOptions,
    mtry: usize,
    /// In-bag positions, repeated as often as they were drawn; a node is a range, ascending in time.
    positions: Vec<u32>,
    scratch: Vec<u32>,
    /// A permutation of the features, shuffled as far as a node draws.
    features: Vec<u32>,
    /// Features found constant in the nodes above, latest last, and the same as flags.
    constant: Vec<u32>,
    is_constant: Vec<bool>,
}

/// A node that waits to be grown.
struct Pending {
    start: usize,
    end: usize,
    depth: usize,
    /// The node whose right daughter this is.
    right_of: Option<usize>,
    /// How many features are known to be constant from the nodes above.
    constant: usize,
}

impl<'a, R: Rule> Grower<'a, R> {
    pub fn new(training: &'a Training, options: &'a RsfOptions, rule: R) -> Self {
        Self {
            rule,
            training,
            options,
            mtry: options.mtry_of(training.features),
            positions: Vec::new(),
            scratch: Vec::new(),
            features: Vec::new(),
            constant: Vec::new(),
            is_constant: Vec::new(),
        }
    }

    /// Grows tree `index`.
    pub fn grow(&mut self, index: usize) -> Tree {
        let (mut rng, counts) = in_bag(self.options, self.training.rows, index);
        self.positions.clear();
        for (position, &row) in self.training.row.iter().enumerate() {
            self.positions.extend(std::iter::repeat_n(position as u32, counts[row as usize] as usize));
        }
        self.features.clear();
        self.features.extend(0..self.training.features as u32);

        self.constant.clear();
        self.is_constant.clear();
        self.is_constant.resize(self.training.features, false);

        let mut tree = Tree::default();
        let mut pending = vec![Pending { start: 0, end: self.positions.len(), depth: 0, right_of: None, constant: 0 }];
        while let Some(node) = pending.pop() {
            if let Some(parent) = node.right_of {
                tree.set_right(parent, tree.len());
            }
            // What was found below a left daughter says nothing about the right one.
            for feature in self.constant.drain(node.constant..) {
                self.is_constant[feature as usize] = false;
            }
            match self.split(&node, &mut rng) {
                Some((feature, threshold, middle)) => {
                    let parent = tree.push_split(feature, threshold);
                    let (depth, constant) = (node.depth + 1, self.constant.len());
                    pending.push(Pending { start: middle, end: node.end, depth, right_of: Some(parent), constant });
                    pending.push(Pending { start: node.start, end: middle, depth, right_of: None, constant });
                }
                None => self.push_leaf(&mut tree, node.start..node.end),
            }
        }
        tree.shrink();
        tree
    }

    /// Splits a node: feature, threshold and where the right daughter starts. `None` makes it a leaf.
    fn split(&mut self, node: &Pending, rng: &mut ChaCha8Rng) -> Option<(u32, f64, usize)> {
        let options = self.options;
        let size = node.end - node.start;
        if size < 2 * options.node_size || size < 2 * options.min_leaf || options.max_depth.is_some_and(|d| node.depth >= d) {
            return None;
        }
        let positions = &self.positions[node.start..node.end];
        if !self.rule.open(self.training, positions, options) {
            return None;
        }
        // As in randomForestSRC, a feature that proves constant counts as tried here and is not drawn below. With all features in
        // play their own order is used, so that such a tree has no randomness.
        let all = self.mtry == self.training.features;
        let (mut best_statistic, mut best) = (if options.split_without_gain { -1.0 } else { 0.0 }, None);
        let mut tried = 0;
        for drawn in 0..self.features.len() {
            if tried == self.mtry {
                break;
            }
            if !all {
                let pick = drawn + below(rng, (self.features.len() - drawn) as u32) as usize;
                self.features.swap(drawn, pick);
            }
            let feature = self.features[drawn];
            if self.is_constant[feature as usize] {
                continue;
            }
            tried += 1;
            let column = &self.training.feature[feature as usize];
            let Some(found) = self.rule.best(column, positions, options, rng) else {
                self.constant.push(feature);
                self.is_constant[feature as usize] = true;
                continue;
            };
            // Equal statistics differ in rounding only: the first one stays.
            if found.statistic > best_statistic * (1.0 + 1e-10) {
                best_statistic = found.statistic;
                best = Some((feature, found.cut));
            }
        }
        let (feature, cut) = best?;
        let column = &self.training.feature[feature as usize];
        let middle = node.start + self.partition(node.start..node.end, &column.rank, cut);
        let value = column.values[cut as usize];
        let threshold = match options.threshold {
            Threshold::DataValue => value,
            Threshold::Midpoint => {
                let next = self.positions[middle..node.end].iter().map(|&i| column.rank[i as usize]).min()?;
                let middle = value + (column.values[next as usize] - value) / 2.0;
                // Two neighbouring floats have no number between them.
                if middle < column.values[next as usize] { middle } else { value }
            }
        };
        Some((feature, threshold, middle))
    }

    /// Moves ranks up to `cut` to the front, both sides staying in time order; returns how many they are.
    fn partition(&mut self, range: std::ops::Range<usize>, rank: &[u32], cut: u32) -> usize {
        let positions = &mut self.positions[range];
        self.scratch.clear();
        let mut left = 0;
        for k in 0..positions.len() {
            let position = positions[k];
            if rank[position as usize] <= cut {
                positions[left] = position;
                left += 1;
            } else {
                self.scratch.push(position);
            }
        }
        positions[left..].copy_from_slice(&self.scratch);
        left
    }

    fn push_leaf(&mut self, tree: &mut Tree, range: std::ops::Range<usize>) {
        let training = self.training;
        let positions = &self.positions[range];
        let size = positions.len();
        let mut seen = 0;
        let events = positions.chunk_by(|&a, &b| training.time_index[a as usize] == training.time_index[b as usize]).filter_map(|tied| {
            let at_risk = (size - seen) as u32;
            seen += tied.len();
            let deaths = tied.iter().filter(|&&i| training.event[i as usize]).count() as u32;
            let time = training.event_index[training.time_index[tied[0] as usize] as usize];
            (deaths > 0).then_some(LeafEvent { time, deaths, at_risk })
        });
        tree.push_leaf(events, size as u32, training.event_times.len());
        self.rule.close(training, positions);
    }
}
