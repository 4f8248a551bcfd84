//! The rows of a node in the order of a feature.

use rand_chacha::ChaCha8Rng;

use super::drawn::CutDraw;
use super::training::Feature;

/// Working memory, and its last result.
#[derive(Debug, Default)]
pub(super) struct Arranged {
    /// Rank of each row of the node.
    pub ranks: Vec<u32>,
    /// (rank, row) in one word, ascending.
    pub keys: Vec<u64>,
    counts: Vec<u32>,
    drawn: CutDraw,
}

impl Arranged {
    /// Ranks after which a cut is tried, ascending; none if all are.
    pub fn cuts(&self) -> &[u32] {
        &self.drawn.cuts
    }

    /// The rows in the order of a feature in `keys` and the cuts to try; false if the feature is constant.
    pub fn arrange(&mut self, feature: Feature, rows: &[u32], n_split: usize, rng: &mut ChaCha8Rng) -> bool {
        if !self.draw(feature, rows, n_split, rng) {
            return false;
        }
        self.sort(feature.values.len());
        true
    }

    /// The ranks of the rows and the cuts to try, without an order of the rows; false if the feature is constant.
    pub fn draw(&mut self, feature: Feature, rows: &[u32], n_split: usize, rng: &mut ChaCha8Rng) -> bool {
        if !self.read(feature, rows) {
            return false;
        }
        self.drawn.cuts.clear();
        if n_split > 0 {
            self.drawn.draw(&self.ranks, feature.values.len(), n_split, rng);
        }
        true
    }

    /// Reads the ranks of the rows; false if they are all the same.
    fn read(&mut self, feature: Feature, rows: &[u32]) -> bool {
        let first = feature.ranks.of(rows[0]);
        if rows.iter().all(|&i| feature.ranks.of(i) == first) {
            return false;
        }
        self.ranks.clear();
        self.ranks.extend(rows.iter().map(|&i| feature.ranks.of(i)));
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
