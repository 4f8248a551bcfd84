//! Sums over positions that grow one value at a time: three ways, for few, for many and for unit values.

/// Sums over the positions `0..len`.
pub(crate) trait RunningSums {
    fn clear(&mut self);
    fn add(&mut self, at: u32, value: f64);
    /// Sum over the positions below `at`.
    fn below(&self, at: u32) -> f64;
    fn total(&self) -> f64;
}

/// Every sum is kept: the quickest for a few hundred positions.
pub(crate) struct Flat {
    /// The sum below each position; one more at the end.
    below: Vec<f64>,
}

impl Flat {
    pub fn new(len: usize) -> Self {
        Self { below: vec![0.0; len + 1] }
    }
}

impl RunningSums for Flat {
    fn clear(&mut self) {
        self.below.fill(0.0);
    }

    #[inline(always)]
    fn add(&mut self, at: u32, value: f64) {
        self.below[at as usize + 1..].iter_mut().for_each(|sum| *sum += value);
    }

    #[inline(always)]
    fn below(&self, at: u32) -> f64 {
        self.below[at as usize]
    }

    #[inline(always)]
    fn total(&self) -> f64 {
        self.below[self.below.len() - 1]
    }
}

/// A Fenwick (binary indexed) tree: sums and updates in O(log n).
pub(crate) struct Fenwick {
    nodes: Vec<f64>,
    total: f64,
}

impl Fenwick {
    pub fn new(len: usize) -> Self {
        Self { nodes: vec![0.0; len + 1], total: 0.0 }
    }
}

impl RunningSums for Fenwick {
    fn clear(&mut self) {
        self.nodes.fill(0.0);
        self.total = 0.0;
    }

    #[inline(always)]
    fn add(&mut self, at: u32, value: f64) {
        self.total += value;
        let mut node = at as usize + 1;
        while node < self.nodes.len() {
            self.nodes[node] += value;
            node += node & node.wrapping_neg();
        }
    }

    #[inline(always)]
    fn below(&self, at: u32) -> f64 {
        let mut node = at as usize;
        let mut sum = 0.0;
        while node > 0 {
            sum += self.nodes[node];
            node &= node - 1;
        }
        sum
    }

    #[inline(always)]
    fn total(&self) -> f64 {
        self.total
    }
}

/// Each position is added once, with the value 1: a bit per position and a Fenwick tree over the counts of cache lines, which
/// stay within the processor's cache up to millions of positions.
pub(crate) struct Bits {
    words: Vec<u64>,
    /// Counts of 512 positions, node k at k + 1.
    lines: Vec<u32>,
    total: u32,
}

const LINE: u32 = 9;

impl Bits {
    pub fn new(len: usize) -> Self {
        // The last position that can be asked for is `len`: one line more.
        let lines = (len >> LINE) + 1;
        Self { words: vec![0; lines << (LINE - 6)], lines: vec![0; lines + 1], total: 0 }
    }
}

impl RunningSums for Bits {
    fn clear(&mut self) {
        self.words.fill(0);
        self.lines.fill(0);
        self.total = 0;
    }

    #[inline(always)]
    fn add(&mut self, at: u32, _: f64) {
        self.words[(at >> 6) as usize] |= 1 << (at & 63);
        self.total += 1;
        let mut node = (at >> LINE) as usize + 1;
        while node < self.lines.len() {
            self.lines[node] += 1;
            node += node & node.wrapping_neg();
        }
    }

    #[inline(always)]
    fn below(&self, at: u32) -> f64 {
        let mut node = (at >> LINE) as usize;
        let (word, first) = ((at >> 6) as usize, node << (LINE - 6));
        let mut count = (self.words[word] & ((1 << (at & 63)) - 1)).count_ones();
        for word in &self.words[first..word] {
            count += word.count_ones();
        }
        while node > 0 {
            count += self.lines[node];
            node &= node - 1;
        }
        f64::from(count)
    }

    #[inline(always)]
    fn total(&self) -> f64 {
        f64::from(self.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_agree_with_plain_sums() {
        for len in [1usize, 63, 64, 511, 512, 513, 3000] {
            let (mut flat, mut fenwick, mut bits) = (Flat::new(len), Fenwick::new(len), Bits::new(len));
            let mut plain = vec![0.0; len];
            for k in 0..len / 2 + 1 {
                let at = k * 7919 % len;
                if plain[at] != 0.0 {
                    continue;
                }
                plain[at] = 1.0;
                flat.add(at as u32, 1.0);
                fenwick.add(at as u32, 1.0);
                bits.add(at as u32, 1.0);
            }
            for at in 0..=len as u32 {
                let sum: f64 = plain[..at as usize].iter().sum();
                assert_eq!([flat.below(at), fenwick.below(at), bits.below(at)], [sum; 3], "{at} of {len}");
            }
            let sum: f64 = plain.iter().sum();
            assert_eq!([flat.total(), fenwick.total(), bits.total()], [sum; 3]);
            flat.clear();
            fenwick.clear();
            bits.clear();
            assert_eq!([flat.below(len as u32), fenwick.below(len as u32), bits.below(len as u32)], [0.0; 3]);
        }
    }
}
