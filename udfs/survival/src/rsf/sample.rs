//! The rows of each tree.

use rand_chacha::ChaCha8Rng;

use super::{Bootstrap, RsfOptions};
use crate::rng::{below, stream};

/// Draws the rows of tree `tree`: its random stream, to go on with, and how often each training row is in the bag.
pub(super) fn in_bag(options: &RsfOptions, rows: usize, tree: usize) -> (ChaCha8Rng, Vec<u32>) {
    let mut rng = stream(options.seed, tree as u64);
    let mut counts = vec![0; rows];
    draw(&mut rng, options, &mut counts);
    (rng, counts)
}

/// Does every tree see every row, whatever is drawn?
pub(super) fn sees_all(options: &RsfOptions, rows: usize) -> bool {
    match options.bootstrap {
        Bootstrap::None => true,
        Bootstrap::WithReplacement => rows == 1,
        Bootstrap::WithoutReplacement => size(options, rows, 0.632) == rows,
    }
}

/// How many rows are drawn.
fn size(options: &RsfOptions, rows: usize, default: f64) -> usize {
    ((options.sample_fraction.unwrap_or(default) * rows as f64).round() as usize).clamp(1, rows)
}

fn draw(rng: &mut ChaCha8Rng, options: &RsfOptions, counts: &mut [u32]) {
    let rows = counts.len();
    match options.bootstrap {
        Bootstrap::None => counts.fill(1),
        Bootstrap::WithReplacement => {
            for _ in 0..size(options, rows, 1.0) {
                counts[below(rng, rows as u32) as usize] += 1;
            }
        }
        Bootstrap::WithoutReplacement => {
            // Floyd's algorithm: a uniform subset without a permutation of the rows.
            let size = size(options, rows, 0.632);
            for last in rows - size..rows {
                let pick = below(rng, last as u32 + 1) as usize;
                counts[if counts[pick] == 0 { pick } else { last }] = 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_frequencies() {
        let options = RsfOptions::default();
        let mut seen = [0u32; 50];
        for tree in 0..2000 {
            let counts = in_bag(&options, 50, tree).1;
            assert_eq!(counts.iter().sum::<u32>(), 32);
            assert!(counts.iter().all(|&c| c <= 1));
            seen.iter_mut().zip(counts).for_each(|(s, c)| *s += c);
        }
        // 1280 expected, standard deviation 21.5.
        assert!(seen.iter().all(|&s| (1180..1380).contains(&s)), "{seen:?}");
        let options = RsfOptions { bootstrap: Bootstrap::WithReplacement, ..options };
        assert_eq!(in_bag(&options, 50, 3).1.iter().sum::<u32>(), 50);
    }

    #[test]
    fn trees_that_see_all_rows() {
        let of = |bootstrap, sample_fraction| RsfOptions { bootstrap, sample_fraction, ..RsfOptions::default() };
        assert!(sees_all(&of(Bootstrap::None, None), 50));
        assert!(sees_all(&of(Bootstrap::WithoutReplacement, Some(1.0)), 50));
        // 49.95 rows are 50.
        assert!(sees_all(&of(Bootstrap::WithoutReplacement, Some(0.999)), 50));
        assert!(!sees_all(&of(Bootstrap::WithoutReplacement, Some(0.98)), 50));
        assert!(!sees_all(&of(Bootstrap::WithoutReplacement, None), 50));
        assert!(!sees_all(&of(Bootstrap::WithReplacement, None), 50));
    }
}
