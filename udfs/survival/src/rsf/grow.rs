//! Growing one tree.

use rand_chacha::ChaCha8Rng;

use super::block::{Block, Blocks, Ranks};
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
    fn open(&mut self, block: &Block, rows: &[u32], options: &RsfOptions) -> bool;

    /// The best cut of a feature among these rows; `None` if it is constant there.
    fn best(&mut self, feature: Feature, rows: &[u32], options: &RsfOptions, rng: &mut ChaCha8Rng) -> Option<Cut>;

    /// Keeps what a leaf of these rows needs beside its events.
    fn close(&mut self, _block: &Block, _rows: &[u32]) {}
}

/// Splits by the events of one kind.
#[derive(Debug, Default)]
pub(super) struct OneCause {
    table: NodeTable,
    splitter: Splitter,
}

impl Rule for OneCause {
    fn open(&mut self, block: &Block, rows: &[u32], options: &RsfOptions) -> bool {
        self.table.fill(block, rows, options.splitting);
        self.table.has_events()
    }

    fn best(&mut self, feature: Feature, rows: &[u32], options: &RsfOptions, rng: &mut ChaCha8Rng) -> Option<Cut> {
        self.splitter.best(feature, rows, &self.table, options, rng)
    }
}

/// Grows trees one after the other in the same working memory.
pub(super) struct Grower<'a, R> {
    pub rule: R,
    training: &'a Training,
    options: &'a RsfOptions,
    mtry: usize,
    pub(super) blocks: Blocks<'a>,
    /// In-bag rows, repeated as often as they were drawn; a node is a range, ascending in time, of numbers in its block.
    rows: Vec<u32>,
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
    /// Level of the block that has its rows.
    level: usize,
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
            blocks: Blocks::new(&training.whole),
            rows: Vec::new(),
            scratch: Vec::new(),
            features: Vec::new(),
            constant: Vec::new(),
            is_constant: Vec::new(),
        }
    }

    /// Grows tree `index`.
    pub fn grow(&mut self, index: usize) -> Tree {
        let (mut rng, counts) = in_bag(self.options, self.training.rows, index);
        self.rows.clear();
        for (position, &row) in self.training.row.iter().enumerate() {
            self.rows.extend(std::iter::repeat_n(position as u32, counts[row as usize] as usize));
        }
        self.features.clear();
        self.features.extend(0..self.training.features as u32);

        self.constant.clear();
        self.is_constant.clear();
        self.is_constant.resize(self.training.features, false);

        let mut tree = Tree::default();
        let mut pending = vec![Pending { start: 0, end: self.rows.len(), depth: 0, level: 0, right_of: None, constant: 0 }];
        while let Some(mut node) = pending.pop() {
            if let Some(parent) = node.right_of {
                tree.set_right(parent, tree.len());
            }
            // What was found below a left daughter says nothing about the right one.
            for feature in self.constant.drain(node.constant..) {
                self.is_constant[feature as usize] = false;
            }
            match self.split(&mut node, &mut rng) {
                Some((feature, threshold, middle)) => {
                    let parent = tree.push_split(feature, threshold);
                    let (depth, level, constant) = (node.depth + 1, node.level, self.constant.len());
                    pending.push(Pending { start: middle, end: node.end, depth, level, right_of: Some(parent), constant });
                    pending.push(Pending { start: node.start, end: middle, depth, level, right_of: None, constant });
                }
                None => self.push_leaf(&mut tree, &node),
            }
        }
        tree.shrink();
        tree
    }

    /// Splits a node: feature, threshold and where the right daughter starts. `None` makes it a leaf.
    fn split(&mut self, node: &mut Pending, rng: &mut ChaCha8Rng) -> Option<(u32, f64, usize)> {
        let options = self.options;
        let size = node.end - node.start;
        if size < 2 * options.node_size || size < 2 * options.min_leaf || options.max_depth.is_some_and(|d| node.depth >= d) {
            return None;
        }
        let rows = &mut self.rows[node.start..node.end];
        node.level = self.blocks.enter(node.level, rows);
        let block = self.blocks.at(node.level);
        if !self.rule.open(block, rows, options) {
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
            let column = self.training.feature(block, feature);
            let Some(found) = self.rule.best(column, rows, options, rng) else {
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
        let column = self.training.feature(block, feature);
        let middle = partition(rows, &mut self.scratch, column.ranks, cut);
        let value = column.values[cut as usize];
        let threshold = match options.threshold {
            Threshold::DataValue => value,
            Threshold::Midpoint => {
                let next = rows[middle..].iter().map(|&i| column.ranks.of(i)).min()?;
                let middle = value + (column.values[next as usize] - value) / 2.0;
                // Two neighbouring floats have no number between them.
                if middle < column.values[next as usize] { middle } else { value }
            }
        };
        Some((feature, threshold, node.start + middle))
    }

    fn push_leaf(&mut self, tree: &mut Tree, node: &Pending) {
        let (training, block) = (self.training, self.blocks.at(node.level));
        let rows = &self.rows[node.start..node.end];
        let size = rows.len();
        let mut seen = 0;
        let events = rows.chunk_by(|&a, &b| block.time(a) == block.time(b)).filter_map(|tied| {
            let at_risk = (size - seen) as u32;
            seen += tied.len();
            let deaths = tied.iter().filter(|&&i| block.is_event(i)).count() as u32;
            let time = training.event_index[block.time(tied[0]) as usize];
            (deaths > 0).then_some(LeafEvent { time, deaths, at_risk })
        });
        tree.push_leaf(events, size as u32, training.event_times.len());
        self.rule.close(block, rows);
    }
}

/// Moves the rows with ranks up to `cut` to the front, both sides staying in time order; returns how many they are.
fn partition(rows: &mut [u32], scratch: &mut Vec<u32>, ranks: Ranks, cut: u32) -> usize {
    scratch.clear();
    let mut left = 0;
    for k in 0..rows.len() {
        let row = rows[k];
        if ranks.of(row) <= cut {
            rows[left] = row;
            left += 1;
        } else {
            scratch.push(row);
        }
    }
    rows[left..].copy_from_slice(scratch);
    left
}
