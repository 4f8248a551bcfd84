//! The cuts to try in a node: some of its distinct values, drawn at random.

use rand_chacha::ChaCha8Rng;

use crate::rng::below;
use crate::simd::vectorized;

const WORD: usize = 64;

/// Working memory of the draw.
#[derive(Debug, Default)]
pub(super) struct CutDraw {
    /// Ranks after which a cut is tried, ascending.
    pub cuts: Vec<u32>,
    /// One bit for each rank of the feature, and one for each word of those; all 0 between draws.
    seen: Vec<u64>,
    filled: Vec<u64>,
    /// The words with a rank of the node: number, bits, and ranks in the words before.
    words: Vec<(u32, u64, u32)>,
    /// Which of the distinct values are drawn.
    picks: Vec<u32>,
}

impl CutDraw {
    /// Draws up to `n_split` of the distinct `ranks`, the largest excepted, without replacement. A feature has `distinct` values.
    ///
    /// The ranks of a node are read off a bitmap with a second bitmap over its words, so that a node costs its rows and not a sort
    /// of them, however many values the feature has.
    pub fn draw(&mut self, ranks: &[u32], distinct: usize, n_split: usize, rng: &mut ChaCha8Rng) {
        // Counting bits is one instruction where it is compiled for the machine.
        let values = vectorized(
            #[inline(always)]
            || self.read(ranks, distinct),
        );
        let cuts = values - 1;
        self.cuts.clear();
        self.picks.clear();
        self.picks.extend(0..cuts);
        if cuts as usize > n_split {
            for k in 0..n_split {
                let pick = k + below(rng, cuts - k as u32) as usize;
                self.picks.swap(k, pick);
            }
            self.picks.truncate(n_split);
            self.picks.sort_unstable();
        }
        // The drawn numbers are few, the ranks in order many: only the words that hold a drawn one are looked into.
        let mut from = 0;
        for &pick in &self.picks {
            // The last word that starts at or before the drawn number.
            let at = from + self.words[from..].partition_point(|&(_, _, before)| before <= pick) - 1;
            from = at;
            let (word, mut bits, before) = self.words[at];
            for _ in before..pick {
                bits &= bits - 1;
            }
            self.cuts.push(word * WORD as u32 + bits.trailing_zeros());
        }
    }

    /// Collects the words of the node's ranks; returns how many distinct ranks there are.
    #[inline(always)]
    fn read(&mut self, ranks: &[u32], distinct: usize) -> u32 {
        let words = distinct.div_ceil(WORD);
        if self.seen.len() < words {
            self.seen.resize(words, 0);
            self.filled.resize(words.div_ceil(WORD), 0);
        }
        for &rank in ranks {
            let word = rank as usize / WORD;
            self.seen[word] |= 1 << (rank as usize % WORD);
            self.filled[word / WORD] |= 1 << (word % WORD);
        }
        self.words.clear();
        let mut values = 0;
        for (group, filled) in self.filled[..words.div_ceil(WORD)].iter_mut().enumerate() {
            let mut left = std::mem::take(filled);
            while left != 0 {
                let word = group * WORD + left.trailing_zeros() as usize;
                left &= left - 1;
                let bits = std::mem::take(&mut self.seen[word]);
                self.words.push((word as u32, bits, values));
                values += bits.count_ones();
            }
        }
        values
    }
}

/// Whether a cut was drawn; ranks are asked for in ascending order. Without drawn cuts, every one is.
pub(super) struct Drawn<'a> {
    cuts: &'a [u32],
    all: bool,
}

impl<'a> Drawn<'a> {
    pub(super) fn new(cuts: &'a [u32]) -> Self {
        Self { cuts, all: cuts.is_empty() }
    }

    pub(super) fn includes(&mut self, rank: u32) -> bool {
        while let [first, rest @ ..] = self.cuts
            && *first < rank
        {
            self.cuts = rest;
        }
        self.all || self.cuts.first() == Some(&rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::stream;

    /// The draw as it is meant: all distinct ranks but the largest in a list, shuffled as far as is needed.
    fn simply(ranks: &[u32], n_split: usize, rng: &mut ChaCha8Rng) -> Vec<u32> {
        let mut cuts = ranks.to_vec();
        cuts.sort_unstable();
        cuts.dedup();
        cuts.pop();
        if cuts.len() > n_split {
            for k in 0..n_split {
                let pick = k + below(rng, (cuts.len() - k) as u32) as usize;
                cuts.swap(k, pick);
            }
            cuts.truncate(n_split);
            cuts.sort_unstable();
        }
        cuts
    }

    #[test]
    fn draws_are_those_from_a_sorted_list() {
        let mut fast = CutDraw::default();
        for (case, &(rows, distinct)) in [(2, 3), (30, 5), (40, 64), (40, 65), (500, 4096), (60, 100_000), (3000, 5000)].iter().enumerate()
        {
            for n_split in [1, 10, 100, 10_000] {
                let mut rng = stream(5, case as u64);
                let ranks: Vec<u32> = (0..rows).map(|_| below(&mut rng, distinct)).chain([0, distinct - 1]).collect();
                let mut again = rng.clone();
                fast.draw(&ranks, distinct as usize, n_split, &mut rng);
                assert_eq!(fast.cuts, simply(&ranks, n_split, &mut again), "{rows} {distinct} {n_split}");
                assert_eq!(below(&mut rng, 1000), below(&mut again, 1000));
            }
        }
    }
}
