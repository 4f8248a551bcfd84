//! What all features of a node share: its event times, and what each of its rows adds to the statistic of a cut.

use super::Splitting;
use super::block::Block;

/// Rows are numbered by ascending time within the node, event times from 0.
#[derive(Debug, Default)]
pub(super) struct NodeTable {
    /// Number of event times at or before each row's time.
    pub step: Vec<u32>,
    /// Distinct time of each row (of the whole training data), and whether the row has an event; conservation of events only.
    pub time: Vec<u32>,
    pub event: Vec<bool>,
    /// What a row adds to the numerator when it moves left.
    pub residual: Vec<f64>,
    /// c_u of each event time, its rows at risk, and its first row.
    pub coefficient: Vec<f64>,
    pub at_risk: Vec<f64>,
    pub first: Vec<u32>,
    /// Sums of c_u n(u) and of c_u over the first k event times.
    pub sum_cn: Vec<f64>,
    pub sum_c: Vec<f64>,
    /// Sample variance of the log-rank scores.
    pub score_variance: f64,
    /// Time and event of each row, as [`Block::outcome`] has them.
    outcome: Vec<u32>,
}

impl NodeTable {
    pub fn fill(&mut self, block: &Block, rows: &[u32], splitting: Splitting) {
        let size = rows.len();
        self.outcome.clear();
        self.outcome.extend(rows.iter().map(|&i| block.outcome[i as usize]));
        self.time.clear();
        self.event.clear();
        if splitting == Splitting::Conserve {
            self.time.extend(self.outcome.iter().map(|o| o >> 1));
            self.event.extend(self.outcome.iter().map(|o| o & 1 == 1));
        }
        self.step.clear();
        self.step.resize(size, 0);
        self.residual.clear();
        self.residual.resize(size, 0.0);
        self.coefficient.clear();
        self.at_risk.clear();
        self.first.clear();
        self.sum_cn.clear();
        self.sum_c.clear();
        self.sum_cn.push(0.0);
        self.sum_c.push(0.0);
        let (mut hazard, mut sum_cn, mut sum_c) = (0.0, 0.0, 0.0);
        let mut start = 0;
        while start < size {
            let time = self.outcome[start] >> 1;
            let (mut end, mut deaths) = (start, 0u32);
            while end < size && self.outcome[end] >> 1 == time {
                deaths += self.outcome[end] & 1;
                end += 1;
            }
            if deaths > 0 {
                let (n, d) = ((size - start) as f64, f64::from(deaths));
                let c = if n > 1.0 { d * (n - d) / ((n - 1.0) * n * n) } else { 0.0 };
                hazard += match splitting {
                    // Gamma counts the rows up to this time: n - Gamma + 1 is what is left, and one more.
                    Splitting::LogrankScore => d / ((size - end) as f64 + 1.0),
                    _ => d / n,
                };
                sum_cn += c * n;
                sum_c += c;
                self.coefficient.push(c);
                self.at_risk.push(n);
                self.first.push(start as u32);
                self.sum_cn.push(sum_cn);
                self.sum_c.push(sum_c);
            }
            let steps = self.coefficient.len() as u32;
            for k in start..end {
                self.step[k] = steps;
                self.residual[k] = if self.outcome[k] & 1 == 1 { 1.0 - hazard } else { -hazard };
            }
            start = end;
        }
        if splitting == Splitting::LogrankScore {
            let mean = self.residual.iter().sum::<f64>() / size as f64;
            self.residual.iter_mut().for_each(|a| *a -= mean);
            self.score_variance = self.residual.iter().map(|a| a * a).sum::<f64>() / (size as f64 - 1.0);
        }
    }

    pub fn has_events(&self) -> bool {
        !self.coefficient.is_empty()
    }
}
