//! Rows side by side in memory, as the nodes of a tree read them.
//!
//! The rows of a deep node lie all over the training data: in columns each of its ranks is a cache line of its own, and often a page.
//! Therefore a node that is small beside the rows around it gets a block: a copy of its rows, each in one piece. Trees grow depth
//! first, so that all nodes below are done while the block is in the cache. A row is copied at most `log_8(rows)` times per tree.

use rayon::prelude::*;

/// A node with at most one in this many rows of its block gets a block of its own. A node with more of them meets most cache lines of a
/// column, in order.
const SPARSE: usize = 8;
/// Rows below which it does not: they are read too seldom.
const FEW_ROWS: usize = 64;
/// Ranks in all, up to which the columns are in the second-level cache as they are.
const FEW_RANKS: usize = 1 << 16;
/// Ranks in a cache line. With more features than this for each one that a node tries, most of what is copied is never read.
const LINE: usize = 16;

/// Some rows by ascending time; nodes name them by their number here.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Position of each row in the whole training data.
    pub position: Vec<u32>,
    /// Time and event of each row in one word, read together: the number of its distinct time, times 2, and 1 for an event.
    pub outcome: Vec<u32>,
    features: usize,
    /// Ranks of the values, equal values sharing one: that of feature j in row i is `by_column[j * rows + i]`, `by_row[i * features + j]`.
    /// All rows have them by column, and by row only if blocks are made of them; a copy of some rows has them by row only.
    by_column: Vec<u32>,
    by_row: Vec<u32>,
}

/// Ranks of one feature.
#[derive(Clone, Copy)]
pub(super) struct Ranks<'a> {
    ranks: &'a [u32],
    step: usize,
}

impl Ranks<'_> {
    #[inline(always)]
    pub fn of(&self, row: u32) -> u32 {
        self.ranks[row as usize * self.step]
    }
}

impl Block {
    /// All rows; `columns` are the ranks of each feature, of which a node tries `mtry`.
    pub fn whole(outcome: Vec<u32>, columns: &[Vec<u32>], mtry: usize) -> Self {
        let features = columns.len();
        let mut by_row = Vec::new();
        if outcome.len() * features > FEW_RANKS && features <= LINE * mtry {
            by_row.resize(outcome.len() * features, 0);
            by_row.par_chunks_exact_mut(features).enumerate().for_each(|(position, row)| {
                for (rank, column) in row.iter_mut().zip(columns) {
                    *rank = column[position];
                }
            });
        }
        Self { position: (0..outcome.len() as u32).collect(), outcome, features, by_column: columns.concat(), by_row }
    }

    /// No blocks are made of these rows any more.
    #[cfg(test)]
    pub fn read_by_column_only(&mut self) {
        self.by_row.clear();
    }

    pub fn rows(&self) -> usize {
        self.outcome.len()
    }

    pub fn ranks(&self, feature: u32) -> Ranks<'_> {
        let feature = feature as usize;
        if self.by_column.is_empty() {
            Ranks { ranks: &self.by_row[feature..], step: self.features }
        } else {
            Ranks { ranks: &self.by_column[feature * self.rows()..][..self.rows()], step: 1 }
        }
    }

    /// Number of a row's distinct time.
    pub fn time(&self, row: u32) -> u32 {
        self.outcome[row as usize] >> 1
    }

    pub fn is_event(&self, row: u32) -> bool {
        self.outcome[row as usize] & 1 == 1
    }

    /// Becomes a copy of some rows of another block.
    fn copy(&mut self, from: &Self, rows: &[u32]) {
        self.features = from.features;
        self.position.clear();
        self.position.extend(rows.iter().map(|&row| from.position[row as usize]));
        self.outcome.clear();
        self.outcome.extend(rows.iter().map(|&row| from.outcome[row as usize]));
        self.by_row.clear();
        for &row in rows {
            self.by_row.extend_from_slice(&from.by_row[row as usize * self.features..][..self.features]);
        }
    }
}

/// The blocks of the nodes above, one within the other.
pub(super) struct Blocks<'a> {
    whole: &'a Block,
    /// Memory is kept for the next block of the same level.
    own: Vec<Block>,
}

impl<'a> Blocks<'a> {
    pub fn new(whole: &'a Block) -> Self {
        Self { whole, own: Vec::new() }
    }

    /// The block of a level; 0 are all rows.
    pub fn at(&self, level: usize) -> &Block {
        level.checked_sub(1).map_or(self.whole, |own| &self.own[own])
    }

    /// How many blocks lay within each other at most.
    #[cfg(test)]
    pub fn depth(&self) -> usize {
        self.own.len()
    }

    /// Makes a block of its own for a node, where that pays: its rows are then numbered anew. Returns the level of the node's block.
    pub fn enter(&mut self, level: usize, rows: &mut [u32]) -> usize {
        if self.whole.by_row.is_empty() || rows.len() < FEW_ROWS || rows.len() * SPARSE > self.at(level).rows() {
            return level;
        }
        if self.own.len() == level {
            self.own.push(Block::default());
        }
        let (above, below) = self.own.split_at_mut(level);
        below[0].copy(above.last().unwrap_or(self.whole), rows);
        rows.iter_mut().zip(0..).for_each(|(row, number)| *row = number);
        level + 1
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use crate::rng::{below, stream};
    use crate::rsf::grow::{Grower, OneCause};
    use crate::rsf::training::Training;
    use crate::rsf::{Bootstrap, RsfOptions, Splitting, Threshold};

    #[test]
    fn trees_are_those_without_blocks() {
        let (rows, features) = (8000, 24);
        let mut rng = stream(3, 0);
        let mut draw = |bound| f64::from(below(&mut rng, bound));
        // Many ties in time and in half of the features; the first is constant.
        let time: Vec<f64> = (0..rows).map(|_| 1.0 + draw(900)).collect();
        let event: Vec<bool> = (0..rows).map(|_| draw(2) == 1.0).collect();
        let x = Array2::from_shape_fn((rows, features), |(_, j)| if j == 0 { 0.0 } else { draw(if j % 2 == 0 { 3 } else { 1_000_000 }) });
        let usual = RsfOptions { node_size: 3, ..Default::default() };
        let every_cut = RsfOptions { n_split: 0, threshold: Threshold::Midpoint, ..usual.clone() };
        let repeated = RsfOptions { splitting: Splitting::LogrankScore, bootstrap: Bootstrap::WithReplacement, ..usual.clone() };
        for options in [usual, every_cut, repeated] {
            let mut training = Training::new(&time, &event, x.view(), &options).unwrap();
            let grow = |training: &Training| {
                let mut grower = Grower::new(training, &options, OneCause::default());
                let trees: Vec<_> = (0..3).map(|index| grower.grow(index)).collect();
                (trees, grower.blocks.depth())
            };
            let (found, levels) = grow(&training);
            assert!(levels >= 2, "{levels}");
            training.whole.read_by_column_only();
            let (expected, levels) = grow(&training);
            assert_eq!(levels, 0);
            assert_eq!(found, expected);
        }
    }
}
