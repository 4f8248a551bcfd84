//! A tree whose leaves tell the causes apart.

use serde::{Deserialize, Serialize};

use super::super::tree::Tree;

/// An ordinary tree, of events of any cause, and the deaths of each cause at each of its leaves' event times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompetingTree {
    shape: Tree,
    causes: usize,
    /// Deaths of cause k at event e of the tree: `deaths[e * causes + k]`.
    deaths: Vec<u32>,
    /// Years lost to cause k in leaf l: `years_lost[l * causes + k]`.
    years_lost: Vec<f64>,
}

/// What one event time of a leaf adds to the curves of a cause.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jump {
    /// Number of the time in the forest's `event_times`.
    pub time: u32,
    /// d_k / n.
    pub hazard: f64,
    /// S(t-) d_k / n.
    pub incidence: f64,
}

impl CompetingTree {
    pub(super) fn new(shape: Tree, deaths: Vec<u32>, causes: usize, event_times: &[f64]) -> Self {
        let mut tree = Self { shape, causes, deaths, years_lost: Vec::new() };
        let last = event_times[event_times.len() - 1];
        // The integral of a step function from the first event time to the last: each jump lasts to the end.
        let lost = |leaf, cause| tree.jumps(leaf, cause).map(|jump| jump.incidence * (last - event_times[jump.time as usize])).sum();
        tree.years_lost =
            (0..tree.shape.leaves()).flat_map(|leaf| (0..causes).map(move |cause| (leaf, cause))).map(|(l, k)| lost(l, k)).collect();
        tree
    }

    /// Nodes and leaves, with the events of any cause.
    pub fn shape(&self) -> &Tree {
        &self.shape
    }

    /// Integral of the leaf's incidence of a cause from the first event time of the training data to the last.
    pub fn years_lost(&self, leaf: usize, cause: usize) -> f64 {
        self.years_lost[leaf * self.causes + cause]
    }

    /// The event times of a leaf, ascending, as one cause sees them.
    pub fn jumps(&self, leaf: usize, cause: usize) -> impl Iterator<Item = Jump> {
        let mut survival = 1.0;
        self.shape.leaf_range(leaf).zip(self.shape.leaf_events(leaf)).map(move |(at, event)| {
            let (at_risk, any) = (f64::from(event.at_risk), f64::from(event.deaths));
            let hazard = f64::from(self.deaths[at * self.causes + cause]) / at_risk;
            let incidence = survival * hazard;
            survival *= (at_risk - any) / at_risk;
            Jump { time: event.time, hazard, incidence }
        })
    }
}
