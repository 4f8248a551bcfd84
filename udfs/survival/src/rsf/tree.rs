//! A fitted tree: nodes in preorder, leaves as the event counts of their rows.

use serde::{Deserialize, Serialize};

const LEAF: u32 = u32::MAX;

/// Nodes in preorder: the left daughter of node `i` is `i + 1`. A leaf keeps only its own event times, with deaths and rows
/// at risk, from which hazard and survival follow; no curve is stored on the grid of all times.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    nodes: Vec<Packed>,
    /// Leaf `l` owns the events `leaf_start[l]..leaf_start[l + 1]`.
    leaf_start: Vec<u32>,
    events: Vec<LeafEvent>,
    /// Mortality of each leaf: its cumulative hazard summed over the grid of event times.
    mortality: Vec<f64>,
    /// In-bag rows of each leaf.
    size: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Packed {
    threshold: f64,
    /// `LEAF` for a leaf.
    feature: u32,
    /// The right daughter, or the number of the leaf.
    right: u32,
}

/// One event time of a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeafEvent {
    /// Number of the time in the forest's `event_times`.
    pub time: u32,
    pub deaths: u32,
    pub at_risk: u32,
}

/// A node as the outside sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Node {
    /// Rows with `x[feature] <= threshold` go to node `left`, the others to node `right`.
    Split { feature: usize, threshold: f64, left: usize, right: usize },
    /// Leaves are numbered from 0 in preorder.
    Leaf { leaf: usize },
}

impl Tree {
    /// Adds a node whose daughters follow; the right one is set later by [`Tree::set_right`].
    pub(super) fn push_split(&mut self, feature: u32, threshold: f64) -> usize {
        self.nodes.push(Packed { threshold, feature, right: 0 });
        self.nodes.len() - 1
    }

    pub(super) fn set_right(&mut self, node: usize, right: usize) {
        self.nodes[node].right = right as u32;
    }

    pub(super) fn push_leaf(&mut self, events: impl Iterator<Item = LeafEvent>, size: u32, grid: usize) {
        if self.leaf_start.is_empty() {
            self.leaf_start.push(0);
        }
        let first = self.events.len();
        self.events.extend(events);
        // A jump at one time counts at every grid time from there on.
        let mortality =
            self.events[first..].iter().map(|e| f64::from(e.deaths) / f64::from(e.at_risk) * (grid - e.time as usize) as f64).sum();
        self.nodes.push(Packed { threshold: 0.0, feature: LEAF, right: self.mortality.len() as u32 });
        self.leaf_start.push(self.events.len() as u32);
        self.mortality.push(mortality);
        self.size.push(size);
    }

    /// Frees what growing left over.
    pub(super) fn shrink(&mut self) {
        self.nodes.shrink_to_fit();
        self.leaf_start.shrink_to_fit();
        self.events.shrink_to_fit();
        self.mortality.shrink_to_fit();
        self.size.shrink_to_fit();
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Always false for a grown tree.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub fn leaves(&self) -> usize {
        self.mortality.len()
    }

    /// Node `index`, in preorder.
    pub fn node(&self, index: usize) -> Node {
        let node = self.nodes[index];
        if node.feature == LEAF {
            Node::Leaf { leaf: node.right as usize }
        } else {
            Node::Split { feature: node.feature as usize, threshold: node.threshold, left: index + 1, right: node.right as usize }
        }
    }

    /// The leaf of a row given by its features.
    #[inline]
    pub fn leaf_of(&self, x: impl Fn(usize) -> f64) -> usize {
        let mut at = 0;
        loop {
            let node = self.nodes[at];
            if node.feature == LEAF {
                return node.right as usize;
            }
            at = if x(node.feature as usize) <= node.threshold { at + 1 } else { node.right as usize };
        }
    }

    /// The events of a leaf by ascending time.
    pub fn leaf_events(&self, leaf: usize) -> &[LeafEvent] {
        &self.events[self.leaf_range(leaf)]
    }

    /// Where a leaf's events stand among those of the tree.
    pub(super) fn leaf_range(&self, leaf: usize) -> std::ops::Range<usize> {
        self.leaf_start[leaf] as usize..self.leaf_start[leaf + 1] as usize
    }

    pub fn leaf_mortality(&self, leaf: usize) -> f64 {
        self.mortality[leaf]
    }

    /// In-bag rows of a leaf.
    pub fn leaf_size(&self, leaf: usize) -> usize {
        self.size[leaf] as usize
    }

    /// Kaplan-Meier survival of a leaf on the grid of `grid` event times.
    pub fn leaf_survival(&self, leaf: usize, grid: usize) -> Vec<f64> {
        let mut curve = vec![1.0; grid];
        let mut survival = 1.0;
        self.fill_steps(leaf, &mut curve, |e| {
            survival *= f64::from(e.at_risk - e.deaths) / f64::from(e.at_risk);
            survival
        });
        curve
    }

    /// Nelson-Aalen cumulative hazard of a leaf on the grid of `grid` event times.
    pub fn leaf_cumulative_hazard(&self, leaf: usize, grid: usize) -> Vec<f64> {
        let mut curve = vec![0.0; grid];
        let mut hazard = 0.0;
        self.fill_steps(leaf, &mut curve, |e| {
            hazard += f64::from(e.deaths) / f64::from(e.at_risk);
            hazard
        });
        curve
    }

    fn fill_steps(&self, leaf: usize, curve: &mut [f64], mut value: impl FnMut(&LeafEvent) -> f64) {
        let events = self.leaf_events(leaf);
        for (k, event) in events.iter().enumerate() {
            let end = events.get(k + 1).map_or(curve.len(), |next| next.time as usize);
            curve[event.time as usize..end].fill(value(event));
        }
    }

    pub(super) fn uses(&self, feature: usize) -> bool {
        self.nodes.iter().any(|node| node.feature == feature as u32)
    }

    /// Depth of each feature's first split, the depth of the tree where it has none.
    pub(super) fn minimal_depth(&self, features: usize) -> Vec<u32> {
        let mut first = vec![LEAF; features];
        let mut deepest = 0;
        let mut stack = vec![(0, 0)];
        while let Some((at, depth)) = stack.pop() {
            deepest = deepest.max(depth);
            if let Node::Split { feature, left, right, .. } = self.node(at) {
                first[feature] = first[feature].min(depth);
                stack.push((left, depth + 1));
                stack.push((right, depth + 1));
            }
        }
        first.iter().map(|&depth| depth.min(deepest)).collect()
    }
}
