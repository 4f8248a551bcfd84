//! Permutation importance: how much the out-of-bag C falls when a feature is shuffled.
//!
//! In each tree the feature's values are permuted among the rows out of that tree's bag; the ensemble mortality is formed again
//! and its Harrell's C is compared with that of the forest. This is the ensemble importance of Ishwaran & Kogalur
//! (randomForestSRC: `importance = "permute"`, `block.size = ntree`). It is negative for a feature that only misleads.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::{Bags, Forest, oob_c_index};
use crate::rng::{shuffle, stream};

/// Streams from here on belong to permutations; below are the trees'.
const PERMUTATIONS: u64 = 1 << 32;

impl Forest {
    pub(super) fn permutation_importance(
        &self,
        time: &[f64],
        event: &[bool],
        x: ArrayView2<f64>,
        bags: &Bags,
        sums: &[(f64, u32)],
    ) -> Vec<f64> {
        let Some(whole) = self.oob_c_index else { return vec![0.0; self.features] };
        (0..self.features)
            .into_par_iter()
            .map(|feature| {
                let mut permuted: Vec<f64> = sums.iter().map(|&(sum, _)| sum).collect();
                let mut donors = Vec::new();
                for (index, (tree, rows)) in self.trees.iter().zip(&bags.out).enumerate() {
                    if !tree.uses(feature) {
                        continue;
                    }
                    donors.clear();
                    donors.extend_from_slice(rows);
                    let pair = index as u64 * self.features as u64 + feature as u64;
                    shuffle(&mut stream(self.options.seed, PERMUTATIONS + pair), &mut donors);
                    for (&row, &donor) in rows.iter().zip(&donors) {
                        let (own, other) = (x.row(row as usize), x[(donor as usize, feature)]);
                        let before = tree.leaf_mortality(tree.leaf_of(|j| own[j]));
                        let after = tree.leaf_mortality(tree.leaf_of(|j| if j == feature { other } else { own[j] }));
                        permuted[row as usize] += after - before;
                    }
                }
                let mortality: Vec<Option<f64>> =
                    permuted.iter().zip(sums).map(|(sum, &(_, trees))| (trees > 0).then(|| sum / f64::from(trees))).collect();
                oob_c_index(time, event, &mortality).map_or(0.0, |c| whole - c)
            })
            .collect()
    }
}
