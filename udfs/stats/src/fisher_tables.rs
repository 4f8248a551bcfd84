//! The tables with given margins, for Fisher's exact test beyond 2 x 2.
//!
//! Given its margins a table has probability Π r_i! Π c_j! / (N! Π n_ij!). Columns are filled one after the other. What is still to come
//! depends only on the multiset of row sums left, so partial tables that leave the same multiset and have the same product of
//! factorials are one node with a multiplicity (the network of Mehta & Patel, JASA 1983;78:427). The last two columns are not walked for each
//! partial table: for each multiset their products are sorted once with cumulative probabilities, and a partial table looks up how much of its
//! completions is improbable enough. The number of nodes still grows with the power of the degrees of freedom, so work is estimated
//! first, and a dense 5 x 5 of 182 (some 1e15 tables) is sampled instead.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ndarray::ArrayView2;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

use crate::contingency::margins;
use crate::fisher_exact::RELATIVE_TIE;

/// Work (lookups and sorted fillings) that the exact sum may take, a few seconds of one core.
const EXACT_BUDGET: f64 = 3e8;
/// Logs of products that differ by less are one node.
const MERGE: f64 = 1e-10;

/// Margins and observed probability of a table without zero rows and columns, turned so that the exact sum takes less work.
#[derive(Clone)]
pub(crate) struct Tables {
    rows: Vec<u32>,
    /// Ascending, so that the two columns with most fillings are the last.
    columns: Vec<u32>,
    log_factorial: Vec<f64>,
    /// -Σ ln n_ij! of the observed table.
    observed: f64,
}

/// Fillings of some columns: (-Σ ln n_ij!, how many).
type Past = Vec<(f64, f64)>;

impl Tables {
    pub(crate) fn of(table: ArrayView2<u64>) -> Self {
        let (rows, columns) = margins(table);
        let n: u64 = rows.iter().sum();
        let mut log_factorial = vec![0.0; n as usize + 1];
        // Compensated, so that the table is good to the last digits at any n.
        let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
        for (k, out) in log_factorial.iter_mut().enumerate().skip(1) {
            let term = (k as f64).ln() - lost;
            let next = sum + term;
            lost = (next - sum) - term;
            sum = next;
            *out = sum;
        }
        let observed = -table.iter().map(|&v| log_factorial[v as usize]).sum::<f64>();
        let sorted = |sums: Vec<u64>| {
            let mut sums: Vec<u32> = sums.into_iter().map(|v| v as u32).collect();
            sums.sort_unstable();
            sums
        };
        let upright = Self { rows: sorted(rows), columns: sorted(columns), log_factorial, observed };
        let turned = Self { rows: upright.columns.clone(), columns: upright.rows.clone(), ..upright.clone() };
        if turned.work() < upright.work() { turned } else { upright }
    }

    /// Fisher's p, or nothing if it would take too long.
    pub(crate) fn exact_p(&self) -> Option<f64> {
        if self.work() > EXACT_BUDGET || self.key_bits() as usize * self.rows.len() > 128 {
            return None;
        }
        let last = self.columns.len() - 2;
        let mut level: BTreeMap<Vec<u32>, Past> = BTreeMap::from([(self.rows.clone(), vec![(0.0, 1.0)])]);
        for &column in &self.columns[..last.saturating_sub(1)] {
            let mut next: BTreeMap<Vec<u32>, Past> = BTreeMap::new();
            for (left, past) in level {
                for_each_column(&left, column, &mut |cells| {
                    let step = -self.sum_log_factorials(cells);
                    next.entry(residual(&left, cells)).or_default().extend(past.iter().map(|(value, ways)| (value + step, *ways)));
                });
            }
            next.values_mut().for_each(merge);
            level = next;
        }
        let nodes: Vec<(Vec<u32>, Past)> = level.into_iter().collect();
        let endings = self.endings(&nodes, last);
        // Each node's share on its own, then one sum in the order of the nodes: the same bits for any number of threads.
        let shares: Vec<f64> = nodes.par_iter().map(|(left, past)| self.share(left, past, last, &endings)).collect();
        Some(shares.iter().sum::<f64>().min(1.0))
    }

    /// Probability of the improbable tables that pass through one node.
    fn share(&self, left: &[u32], past: &Past, last: usize, endings: &HashMap<u128, Ending>) -> f64 {
        let bound = self.observed + RELATIVE_TIE.ln_1p();
        let log_scale = self.log_scale();
        let mut share = 0.0;
        self.each_residual(left, last, &mut |rest, step| {
            let Some(ending) = endings.get(&self.key(rest)) else { return };
            for (value, ways) in past {
                let value = value + step;
                share += ways * (value + ending.log_total + log_scale).exp() * ending.up_to(bound - value);
            }
        });
        share
    }

    /// The endings that the nodes of the level before the last two columns lead to.
    fn endings(&self, nodes: &[(Vec<u32>, Past)], last: usize) -> HashMap<u128, Ending> {
        let mut needed: BTreeSet<Vec<u32>> = BTreeSet::new();
        for (left, _) in nodes {
            self.each_residual(left, last, &mut |rest, _| {
                if !needed.contains(rest) {
                    needed.insert(rest.to_vec());
                }
            });
        }
        needed.into_par_iter().map(|left| (self.key(&left), Ending::of(self, &left, self.columns[last]))).collect()
    }

    /// Visits the sorted row sums left for the last two columns after each filling of the column before them, with its -Σ ln n!.
    fn each_residual(&self, left: &[u32], last: usize, visit: &mut impl FnMut(&[u32], f64)) {
        if last == 0 {
            return visit(left, 0.0);
        }
        let mut rest = vec![0; left.len()];
        for_each_column(left, self.columns[last - 1], &mut |cells| {
            rest.iter_mut().zip(left.iter().zip(cells)).for_each(|(out, (r, n))| *out = r - n);
            rest.sort_unstable();
            visit(&rest, -self.sum_log_factorials(cells));
        });
    }

    /// Sorted row sums as one number.
    fn key(&self, rest: &[u32]) -> u128 {
        rest.iter().fold(0, |key, &r| (key << self.key_bits()) | u128::from(r))
    }

    fn key_bits(&self) -> u32 {
        32 - self.rows[self.rows.len() - 1].leading_zeros()
    }

    /// ln (Π r_i! Π c_j! / N!): what turns -Σ ln n_ij! into a log probability.
    fn log_scale(&self) -> f64 {
        self.sum_log_factorials(&self.rows) + self.sum_log_factorials(&self.columns) - self.log_factorial[self.log_factorial.len() - 1]
    }

    fn sum_log_factorials(&self, counts: &[u32]) -> f64 {
        counts.iter().map(|&n| self.log_factorial[n as usize]).sum()
    }

    /// A rough number of lookups: fillings of each column but the last two, with those after the first shared among the r! orders
    /// of the rows, plus the endings.
    fn work(&self) -> f64 {
        let ways = |column: u32| {
            // Compositions of the column over the rows, ignoring the row sums.
            (1..self.rows.len()).map(|i| (f64::from(column) + i as f64) / i as f64).product::<f64>()
        };
        let bounded = |column: u32| self.rows.iter().map(|&r| f64::from(r.min(column)) + 1.0).product::<f64>().min(ways(column));
        let orders: f64 = (1..=self.rows.len()).map(|i| i as f64).product();
        let last = self.columns.len() - 2;
        let mut walked = 1.0;
        for (level, &column) in self.columns[..last].iter().enumerate() {
            walked *= if level < 2 { bounded(column) } else { (bounded(column) / orders).max(1.0) };
        }
        // Sorted row sums left for the last two columns: all but the largest are free.
        let boxes = self.rows[..self.rows.len() - 1].iter().map(|&r| f64::from(r) + 1.0).product::<f64>();
        walked + walked.min(boxes) * bounded(self.columns[last])
    }
}

/// All ways to fill the last two columns from the row sums left.
struct Ending {
    /// -Σ ln n_ij!, ascending.
    values: Vec<f64>,
    /// Conditional probability of the fillings up to each value.
    cumulative: Vec<f64>,
    /// ln of Σ Π 1 / n_ij! over all fillings.
    log_total: f64,
}

impl Ending {
    fn of(tables: &Tables, left: &[u32], column: u32) -> Self {
        let all: u32 = left.iter().sum();
        let log_total = tables.log_factorial[all as usize]
            - tables.sum_log_factorials(left)
            - tables.log_factorial[column as usize]
            - tables.log_factorial[(all - column) as usize];
        let mut fillings: Past = Vec::new();
        for_each_column(left, column, &mut |cells| {
            let both: f64 =
                cells.iter().zip(left).map(|(&n, &r)| tables.log_factorial[n as usize] + tables.log_factorial[(r - n) as usize]).sum();
            fillings.push((-both, 1.0));
        });
        merge(&mut fillings);
        let mut sum = 0.0;
        let mut cumulative = Vec::with_capacity(fillings.len());
        let mut values = Vec::with_capacity(fillings.len());
        for (value, ways) in fillings {
            sum += ways * (value - log_total).exp();
            values.push(value);
            cumulative.push(sum);
        }
        Self { values, cumulative, log_total }
    }

    fn up_to(&self, bound: f64) -> f64 {
        match self.values.partition_point(|v| *v <= bound) {
            0 => 0.0,
            k if k == self.values.len() => 1.0,
            k => self.cumulative[k - 1],
        }
    }
}

/// Row sums left after a column, as a sorted multiset.
fn residual(left: &[u32], cells: &[u32]) -> Vec<u32> {
    let mut rest: Vec<u32> = left.iter().zip(cells).map(|(r, n)| r - n).collect();
    rest.sort_unstable();
    rest
}

/// Sorts nodes by value and adds up the multiplicities of equal ones.
fn merge(past: &mut Past) {
    past.sort_by(|a, b| a.0.total_cmp(&b.0));
    past.dedup_by(|next, kept| {
        let same = next.0 - kept.0 < MERGE;
        if same {
            kept.1 += next.1;
        }
        same
    });
}

/// Visits every filling of a column of sum `column` with cells at most `left`.
fn for_each_column(left: &[u32], column: u32, visit: &mut impl FnMut(&[u32])) {
    let mut room: Vec<u32> = vec![0; left.len() + 1];
    for i in (0..left.len()).rev() {
        room[i] = room[i + 1] + left[i];
    }
    if room[0] >= column {
        fill(&mut vec![0; left.len()], 0, column, left, &room, visit);
    }
}

fn fill(cells: &mut [u32], at: usize, rest: u32, left: &[u32], room: &[u32], visit: &mut impl FnMut(&[u32])) {
    if at + 1 == left.len() {
        cells[at] = rest;
        visit(cells);
        return;
    }
    for n in rest.saturating_sub(room[at + 1])..=rest.min(left[at]) {
        cells[at] = n;
        fill(cells, at + 1, rest - n, left, room, visit);
    }
}

/// How many of `replicates` random tables with these margins are no more probable than the observed one. Replicates come in
/// blocks, each with its own stream of the seed, so that the count does not depend on the number of threads.
pub(crate) fn monte_carlo(tables: &Tables, replicates: u64, seed: u64) -> u64 {
    const BLOCK: u64 = 10_000;
    let bound = tables.observed + RELATIVE_TIE.ln_1p();
    let blocks = replicates.div_ceil(BLOCK);
    (0..blocks)
        .into_par_iter()
        .map(|block| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(block);
            let size = BLOCK.min(replicates - block * BLOCK);
            let mut left = tables.rows.clone();
            (0..size).filter(|_| random_table(tables, &mut left, &mut random) <= bound).count() as u64
        })
        .sum()
}

/// -Σ ln n_ij! of a random table: each cell is hypergeometric given the cells before it.
fn random_table(tables: &Tables, left: &mut [u32], random: &mut ChaCha8Rng) -> f64 {
    left.copy_from_slice(&tables.rows);
    let mut total: u32 = left.iter().sum();
    let mut value = 0.0;
    for &column in &tables.columns[..tables.columns.len() - 1] {
        let (mut open, mut rest) = (total, column);
        for row in left.iter_mut() {
            let n = if open == *row { rest } else { hypergeometric(tables, *row, open - *row, rest, random) };
            open -= *row;
            rest -= n;
            *row -= n;
            value -= tables.log_factorial[n as usize];
        }
        total -= column;
    }
    value - tables.sum_log_factorials(left)
}

/// Marked among `drawn` from `marked` and `plain`, by inversion from the mode outwards.
fn hypergeometric(tables: &Tables, marked: u32, plain: u32, drawn: u32, random: &mut ChaCha8Rng) -> u32 {
    let low = drawn.saturating_sub(plain);
    let high = drawn.min(marked);
    if low == high {
        return low;
    }
    let lf = &tables.log_factorial;
    let all = u64::from(marked) + u64::from(plain);
    let mode = ((u64::from(drawn) + 1) * (u64::from(marked) + 1) / (all + 2)) as u32;
    let mode = mode.clamp(low, high);
    let choose = |n: u32, k: u32| lf[n as usize] - lf[k as usize] - lf[(n - k) as usize];
    let at_mode = (choose(marked, mode) + choose(plain, drawn - mode) - choose(marked + plain, drawn)).exp();
    // 53 random bits in [0, 1).
    let mut u = (random.next_u64() >> 11) as f64 * (0.5_f64).powi(53) - at_mode;
    if u < 0.0 {
        return mode;
    }
    let (mut down, mut up) = (mode, mode);
    let (mut p_down, mut p_up) = (at_mode, at_mode);
    while down > low || up < high {
        if up < high {
            p_up *= f64::from(marked - up) * f64::from(drawn - up)
                / (f64::from(up + 1) * (f64::from(plain) + f64::from(up + 1) - f64::from(drawn)));
            up += 1;
            u -= p_up;
            if u < 0.0 {
                return up;
            }
        }
        if down > low {
            p_down *= f64::from(down) * (f64::from(plain) + f64::from(down) - f64::from(drawn))
                / (f64::from(marked - down + 1) * f64::from(drawn - down + 1));
            down -= 1;
            u -= p_down;
            if u < 0.0 {
                return down;
            }
        }
    }
    // What rounding leaves over of the unit interval.
    mode
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    /// Every table with the margins, one by one.
    fn oracle(table: ArrayView2<u64>) -> f64 {
        fn walk(tables: &Tables, left: &[u32], at: usize, value: f64, p: &mut f64) {
            if at == tables.columns.len() {
                if value <= tables.observed + RELATIVE_TIE.ln_1p() {
                    *p += (value + tables.log_scale()).exp();
                }
                return;
            }
            for_each_column(left, tables.columns[at], &mut |cells| {
                let rest: Vec<u32> = left.iter().zip(cells).map(|(r, n)| r - n).collect();
                walk(tables, &rest, at + 1, value - tables.sum_log_factorials(cells), p);
            });
        }
        let tables = Tables::of(table);
        let mut p = 0.0;
        walk(&tables, &tables.rows.clone(), 0, 0.0, &mut p);
        p
    }

    #[test]
    fn network_agrees_with_full_enumeration() {
        let some: [Array2<u64>; 5] = [
            array![[4, 1, 0, 3], [2, 6, 5, 1], [1, 2, 7, 4]],
            array![[8, 2, 5], [3, 9, 4]],
            array![[2, 0, 1, 2], [0, 3, 1, 1], [1, 1, 2, 0], [1, 0, 0, 2]],
            array![[1, 0, 2, 0, 1], [0, 2, 0, 1, 0], [2, 0, 1, 0, 1]],
            array![[5, 0, 0], [0, 4, 0], [0, 0, 3]],
        ];
        for table in some {
            let got = Tables::of(table.view()).exact_p().unwrap();
            let want = oracle(table.view());
            assert!((got - want).abs() <= 1e-12 * want, "{got} {want}");
            let turned = Tables::of(table.t()).exact_p().unwrap();
            assert!((turned - want).abs() <= 1e-12 * want);
        }
    }

    #[test]
    fn sampling_agrees_with_the_exact_sum() {
        let table = array![[4, 1, 0, 3], [2, 6, 5, 1], [1, 2, 7, 4]];
        let tables = Tables::of(table.view());
        let p = tables.exact_p().unwrap();
        let replicates = 200_000;
        let hits = monte_carlo(&tables, replicates, 7);
        let z = (hits as f64 / replicates as f64 - p) / (p * (1.0 - p) / replicates as f64).sqrt();
        assert!(z.abs() < 4.0, "{z}");
        let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(hits, one_thread.install(|| monte_carlo(&tables, replicates, 7)));
    }

    #[test]
    fn a_dense_large_table_is_not_summed() {
        let table = Array2::from_shape_fn((5, 5), |(i, j)| 5 + ((i * 3 + j * 7) % 5) as u64);
        assert!(Tables::of(table.view()).exact_p().is_none());
    }
}
