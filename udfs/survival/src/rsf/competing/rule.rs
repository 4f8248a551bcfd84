//! The split statistic of all causes together.
//!
//! For cause k, with n_k(u) rows at risk at event time u of the node and d_k(u) events, a cut's left rows L have
//! `U_k = sum_{i in L} (event_ik - H_k(s_ik))` and `V_k = sum_u c_k(u) n_kL(u) (n_k(u) - n_kL(u))`, `c = d (n - d) / ((n - 1) n^2)`.
//! H_k is the sum of d_k / n_k and s_ik the number of event times at which row i is at risk for cause k: those up to its own, or all of
//! them where Gray's test keeps it. One more row in L adds its residual to U and its share to V by sums over the rows before it:
//! O(rows log rows) for all cuts of a feature.

use rand_chacha::ChaCha8Rng;

use super::CompetingSplitting;
use crate::fenwick::Fenwick;
use crate::rsf::RsfOptions;
use crate::rsf::arrange::{Arranged, rank_of, row_of};
use crate::rsf::block::Block;
use crate::rsf::drawn::Drawn;
use crate::rsf::grow::Rule;
use crate::rsf::split::{Cut, NO_CUT, keep};
use crate::rsf::training::Feature;

/// Splits by the events of all causes, weighted.
pub(super) struct AllCauses<'a> {
    /// Cause of each position of the training data, from 1; 0 is censored.
    cause: &'a [u32],
    weights: &'a [f64],
    splitting: CompetingSplitting,
    rows: Arranged,
    /// What each row of the node adds to the numerator.
    residual: Vec<f64>,
    /// One for each cause of positive weight.
    tables: Vec<CauseTable>,
    deaths: Vec<u32>,
}

/// One cause in one node.
#[derive(Debug, Default)]
struct CauseTable {
    /// At how many event times each row is at risk.
    step: Vec<u32>,
    /// Sums of w^2 c and of w^2 c n over the first event times.
    sum_c: Vec<f64>,
    sum_cn: Vec<f64>,
}

/// The event times of a node.
#[derive(Debug, Default)]
struct Times {
    at_risk: Vec<usize>,
    /// Deaths by time, then cause.
    deaths: Vec<usize>,
    /// Number of event times up to each row's own.
    step: Vec<u32>,
}

impl Times {
    fn read(block: &Block, rows: &[u32], cause: &[u32], causes: usize) -> Self {
        let mut times = Self::default();
        let mut seen = 0;
        for tied in rows.chunk_by(|&a, &b| block.time(a) == block.time(b)) {
            let mut deaths = vec![0; causes];
            for &i in tied {
                if let Some(k) = cause[block.position[i as usize] as usize].checked_sub(1) {
                    deaths[k as usize] += 1;
                }
            }
            if deaths.iter().any(|&d| d > 0) {
                times.at_risk.push(rows.len() - seen);
                times.deaths.extend(deaths);
            }
            seen += tied.len();
            times.step.resize(seen, times.at_risk.len() as u32);
        }
        times
    }
}

impl<'a> AllCauses<'a> {
    pub fn new(cause: &'a [u32], weights: &'a [f64], splitting: CompetingSplitting) -> Self {
        Self { cause, weights, splitting, rows: Arranged::default(), residual: Vec::new(), tables: Vec::new(), deaths: Vec::new() }
    }

    /// The deaths of each cause at each event of the tree just grown.
    pub fn take_deaths(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.deaths)
    }

    fn table(&mut self, times: &Times, block: &Block, rows: &[u32], cause: usize) -> CauseTable {
        let (causes, weight) = (self.weights.len(), self.weights[cause]);
        let (mut hazard, mut hazards) = (0.0, vec![0.0]);
        let mut table = CauseTable { step: Vec::with_capacity(rows.len()), sum_c: vec![0.0], sum_cn: vec![0.0] };
        let (mut sum_c, mut sum_cn, mut others) = (0.0, 0.0, 0);
        for (deaths, &at_risk) in times.deaths.chunks_exact(causes).zip(&times.at_risk) {
            let kept = if self.splitting == CompetingSplitting::Gray { others } else { 0 };
            let (n, d) = ((at_risk + kept) as f64, deaths[cause] as f64);
            // As in randomForestSRC, a time with one row left has no variance, whoever is kept.
            let c = if at_risk > 1 { weight * weight * d * (n - d) / ((n - 1.0) * n * n) } else { 0.0 };
            hazard += d / n;
            sum_c += c;
            sum_cn += c * n;
            hazards.push(hazard);
            table.sum_c.push(sum_c);
            table.sum_cn.push(sum_cn);
            others += deaths.iter().sum::<usize>() - deaths[cause];
        }
        for (k, (&row, &own)) in rows.iter().zip(&times.step).enumerate() {
            let had = self.cause[block.position[row as usize] as usize] as usize;
            let is_kept = self.splitting == CompetingSplitting::Gray && had > 0 && had != cause + 1;
            let step = if is_kept { times.at_risk.len() as u32 } else { own };
            let event = f64::from(u8::from(had == cause + 1));
            self.residual[k] += weight * (event - hazards[step as usize]);
            table.step.push(step);
        }
        table
    }
}

impl Rule for AllCauses<'_> {
    fn open(&mut self, block: &Block, rows: &[u32], _: &RsfOptions) -> bool {
        let times = Times::read(block, rows, self.cause, self.weights.len());
        self.residual.clear();
        self.residual.resize(rows.len(), 0.0);
        let counted = (0..self.weights.len()).filter(|&k| self.weights[k] > 0.0);
        self.tables = counted.map(|k| self.table(&times, block, rows, k)).collect();
        !times.at_risk.is_empty()
    }

    fn best(&mut self, feature: Feature, rows: &[u32], options: &RsfOptions, rng: &mut ChaCha8Rng) -> Option<Cut> {
        if !self.rows.arrange(feature, rows, options.n_split, rng) {
            return None;
        }
        let keys = &self.rows.keys;
        let steps = self.tables[0].sum_c.len();
        // Of the rows on the left, by cause: how many there are at each step, and their sums of c up to it.
        let mut before: Vec<(Fenwick, Fenwick)> = self.tables.iter().map(|_| (Fenwick::new(steps), Fenwick::new(steps))).collect();
        let (mut best, mut drawn) = (NO_CUT, Drawn::new(self.rows.cuts()));
        let (mut numerator, mut linear, mut square) = (0.0, 0.0, 0.0);
        for (k, pair) in keys.windows(2).enumerate() {
            let row = row_of(pair[0]);
            numerator += self.residual[row];
            for (table, (rows, sums)) in self.tables.iter().zip(&mut before) {
                let step = table.step[row];
                let c = table.sum_c[step as usize];
                let inner = sums.below(step) + c * (rows.total() - rows.below(step));
                linear += table.sum_cn[step as usize];
                square += 2.0 * inner + c;
                rows.add(step, 1.0);
                sums.add(step, c);
            }
            let (rank, left) = (rank_of(pair[0]), k + 1);
            let is_cut = rank != rank_of(pair[1]) && drawn.includes(rank);
            if is_cut && left >= options.min_leaf && keys.len() - left >= options.min_leaf {
                keep(&mut best, rank, numerator, linear - square, linear);
            }
        }
        Some(best)
    }

    fn close(&mut self, block: &Block, rows: &[u32]) {
        self.deaths.extend(Times::read(block, rows, self.cause, self.weights.len()).deaths.iter().map(|&d| d as u32));
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::rng::{below, stream};
    use crate::rsf::grow::Grower;
    use crate::rsf::training::Training;

    #[test]
    fn trees_are_those_without_blocks() {
        let mut rng = stream(4, 0);
        let mut draw = |bound| below(&mut rng, bound);
        let time: Vec<f64> = (0..4000).map(|_| f64::from(1 + draw(900))).collect();
        let cause: Vec<u32> = (0..4000).map(|_| draw(3)).collect();
        let event: Vec<bool> = cause.iter().map(|&c| c > 0).collect();
        let x = Array2::from_shape_fn((4000, 20), |_| f64::from(draw(5000)));
        let options = RsfOptions::default();
        let mut training = Training::new(&time, &event, x.view(), &options).unwrap();
        let cause: Vec<u32> = training.row.iter().map(|&row| cause[row as usize]).collect();
        let grow = |training: &Training| {
            let mut grower = Grower::new(training, &options, AllCauses::new(&cause, &[1.0, 2.0], CompetingSplitting::Gray));
            let tree = grower.grow(0);
            ((tree, grower.rule.take_deaths()), grower.blocks.depth())
        };
        let (found, depth) = grow(&training);
        assert!(depth >= 1, "no block was made");
        training.whole.read_by_column_only();
        assert_eq!((found, 0), grow(&training));
    }
}
