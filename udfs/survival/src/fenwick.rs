//! A Fenwick (binary indexed) tree: prefix sums over ranks with updates, both in O(log n).

/// Sums over ranks `0..len`.
#[derive(Debug, Clone)]
pub(crate) struct Fenwick {
    nodes: Vec<f64>,
    total: f64,
}

impl Fenwick {
    pub fn new(len: usize) -> Self {
        Self { nodes: vec![0.0; len + 1], total: 0.0 }
    }

    pub fn add(&mut self, rank: u32, value: f64) {
        self.total += value;
        let mut node = rank as usize + 1;
        while node < self.nodes.len() {
            self.nodes[node] += value;
            node += node & node.wrapping_neg();
        }
    }

    /// Sum over the ranks below `rank`.
    pub fn below(&self, rank: u32) -> f64 {
        let mut node = rank as usize;
        let mut sum = 0.0;
        while node > 0 {
            sum += self.nodes[node];
            node &= node - 1;
        }
        sum
    }

    pub fn total(&self) -> f64 {
        self.total
    }
}
