//! Permutation importance: how much the out-of-bag C falls when a feature is shuffled.
//!
//! In each tree the feature's values are permuted among the rows out of that tree's bag; the ensemble mortality is formed again
//! and its Harrell's C is compared with that of the forest. This is the ensemble importance of Ishwaran & Kogalur
//! (randomForestSRC: `importance = "permute"`, `block.size = ntree`). It is negative for a feature that only misleads.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::{Bags, Tree};
use crate::rng::{shuffle, stream};

/// Streams from here on belong to permutations; below are the trees'.
const PERMUTATIONS: u64 = 1 << 32;

/// The fall of `c_index` for each feature; NaN where the rows out of bag have no comparable pair. `risk` is a leaf's in a tree; out
/// of bag are the rows that each tree did not see, each row's sum of risks over those trees with their number, and the forest's seed.
pub(super) fn falls(
    trees: &[&Tree],
    risk: impl Fn(usize, usize) -> f64 + Sync,
    x: ArrayView2<f64>,
    (bags, sums, seed): (&Bags, &[(f64, u32)], u64),
    c_index: impl Fn(&[Option<f64>]) -> Option<f64> + Sync,
) -> Vec<f64> {
    let features = x.ncols();
    let c_of = |of_rows: &mut dyn Iterator<Item = f64>| {
        let means: Vec<Option<f64>> = of_rows.zip(sums).map(|(sum, &(_, trees))| (trees > 0).then(|| sum / f64::from(trees))).collect();
        c_index(&means)
    };
    let Some(whole) = c_of(&mut sums.iter().map(|&(sum, _)| sum)) else { return vec![f64::NAN; features] };
    (0..features)
        .into_par_iter()
        .map(|feature| {
            let mut permuted: Vec<f64> = sums.iter().map(|&(sum, _)| sum).collect();
            let mut donors = Vec::new();
            for (index, (tree, rows)) in trees.iter().zip(&bags.out).enumerate() {
                if !tree.uses(feature) {
                    continue;
                }
                donors.clear();
                donors.extend_from_slice(rows);
                let pair = index as u64 * features as u64 + feature as u64;
                shuffle(&mut stream(seed, PERMUTATIONS + pair), &mut donors);
                for (&row, &donor) in rows.iter().zip(&donors) {
                    let (own, other) = (x.row(row as usize), x[(donor as usize, feature)]);
                    let before = risk(index, tree.leaf_of(|j| own[j]));
                    let after = risk(index, tree.leaf_of(|j| if j == feature { other } else { own[j] }));
                    permuted[row as usize] += after - before;
                }
            }
            c_of(&mut permuted.into_iter()).map_or(f64::NAN, |c| whole - c)
        })
        .collect()
}
