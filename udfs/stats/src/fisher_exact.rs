//! Fisher's exact test of independence of an r x c table, as R `fisher.test`.
//!
//! p is the probability, given the margins, of all tables that are no more probable than the observed one (ties within a
//! relative 1e-7). A 2 x 2 table also has the conditional maximum likelihood estimate of the odds ratio (not ad/bc) with its exact
//! interval, and one-sided alternatives; both are roots of the noncentral hypergeometric distribution found to full precision, where R
//! stops at 1e-4. Larger tables are exact as long as that is affordable ([`crate::fisher_tables`]), else p is a Monte Carlo estimate
//! from a seed with its standard error, and the result says so.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::Alternative;
use crate::contingency::margins;
use crate::error::{Result, StatsError, check_count, check_level};
use crate::fisher_tables::{Tables, monte_carlo};

/// Tables whose probabilities differ relatively by less count as equally probable.
pub(crate) const RELATIVE_TIE: f64 = 1e-7;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FisherOptions {
    /// 2 x 2 only: whether the odds ratio differs from, is less or is greater than 1.
    pub alternative: Alternative,
    pub confidence: f64,
    /// Samples for a table that is too large for the exact sum; 0 makes such a table an error.
    pub replicates: u64,
    pub seed: u64,
}

impl Default for FisherOptions {
    fn default() -> Self {
        Self { alternative: Alternative::TwoSided, confidence: 0.95, replicates: 1_000_000, seed: 1 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FisherMethod {
    Exact,
    MonteCarlo,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FisherExact {
    pub p: f64,
    pub method: FisherMethod,
    /// Of p, Monte Carlo only.
    pub standard_error: Option<f64>,
    /// 2 x 2 only; 0 or infinite when a cell forces it.
    pub odds_ratio: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    pub n: u64,
}

/// Rows and columns of zeros are left out, as they change nothing.
///
/// # Errors
/// Fewer than 2 rows or columns with counts; with `replicates` 0, a table too large for the exact sum.
pub fn fisher_exact(table: ArrayView2<u64>, options: FisherOptions) -> Result<FisherExact> {
    const WHAT: &str = "fisher_exact";
    let too_large =
        |message| StatsError::TooLarge { what: WHAT, message, advice: "simplify the table (merge sparse categories) or use chi2_test" };
    check_level(WHAT, options.confidence)?;
    let (row_sums, column_sums) = margins(table);
    let rows: Vec<usize> = (0..table.nrows()).filter(|&i| row_sums[i] > 0).collect();
    let columns: Vec<usize> = (0..table.ncols()).filter(|&j| column_sums[j] > 0).collect();
    check_count(WHAT, "rows with counts", rows.len(), 2)?;
    check_count(WHAT, "columns with counts", columns.len(), 2)?;
    let n = row_sums.iter().sum();
    if n > 10_000_000 {
        return Err(too_large(format!("{n} observations are too many to be summed exactly")));
    }
    let table = Array2::from_shape_fn((rows.len(), columns.len()), |(i, j)| table[[rows[i], columns[j]]]);
    let exact =
        FisherExact { p: f64::NAN, method: FisherMethod::Exact, standard_error: None, odds_ratio: None, lower: None, upper: None, n };
    if table.dim() == (2, 2) {
        let conditional = Conditional::of(table.view());
        let (lower, upper) = conditional.interval(options.alternative, options.confidence);
        let odds_ratio = conditional.maximum_likelihood();
        return Ok(FisherExact {
            p: conditional.p(options.alternative),
            odds_ratio: Some(odds_ratio),
            lower: Some(lower),
            upper: Some(upper),
            ..exact
        });
    }
    if options.alternative != Alternative::TwoSided {
        let message = "a one-sided alternative needs a 2 x 2 table: leave 'alternative' out".to_string();
        return Err(StatsError::Design { what: WHAT, message });
    }
    let tables = Tables::of(table.view());
    if let Some(p) = tables.exact_p() {
        return Ok(FisherExact { p, ..exact });
    }
    if options.replicates == 0 {
        let message = format!("a {} x {} table of {n} has too many tables with its margins for the exact sum", rows.len(), columns.len());
        return Err(too_large(message));
    }
    let hits = monte_carlo(&tables, options.replicates, options.seed);
    let p = (hits as f64 + 1.0) / (options.replicates as f64 + 1.0);
    let standard_error = (p * (1.0 - p) / options.replicates as f64).sqrt();
    Ok(FisherExact { p, method: FisherMethod::MonteCarlo, standard_error: Some(standard_error), ..exact })
}

/// The distribution of the first cell of a 2 x 2 table given its margins, noncentral hypergeometric in the odds ratio.
struct Conditional {
    /// Log weights of the possible first cells, ascending, at odds ratio 1 and up to a constant.
    log_weights: Vec<f64>,
    /// Index of the observed first cell among them.
    observed: usize,
}

impl Conditional {
    fn of(table: ArrayView2<u64>) -> Self {
        let (rows, columns) = margins(table);
        let low = rows[0].saturating_sub(columns[1]);
        let high = rows[0].min(columns[0]);
        let mut log_weights = vec![0.0];
        for x in low..high {
            // w(x+1) / w(x); 2 x 2 margins make every factor positive inside the support.
            let up = (columns[0] - x) as f64 * (rows[0] - x) as f64;
            let down = (x + 1) as f64 * (columns[1] + x + 1 - rows[0]) as f64;
            log_weights.push(log_weights[(x - low) as usize] + (up / down).ln());
        }
        Self { log_weights, observed: (table[[0, 0]] - low) as usize }
    }

    /// Probabilities at the log odds ratio `log_odds`.
    fn density(&self, log_odds: f64) -> Vec<f64> {
        let logs: Vec<f64> = self.log_weights.iter().enumerate().map(|(i, w)| w + i as f64 * log_odds).collect();
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = logs.iter().map(|l| (l - top).exp()).collect();
        let total: f64 = weights.iter().sum();
        weights.into_iter().map(|w| w / total).collect()
    }

    fn at_most(&self, log_odds: f64) -> f64 {
        self.density(log_odds)[..=self.observed].iter().sum()
    }

    fn at_least(&self, log_odds: f64) -> f64 {
        self.density(log_odds)[self.observed..].iter().rev().sum()
    }

    fn p(&self, alternative: Alternative) -> f64 {
        let p = match alternative {
            Alternative::Less => self.at_most(0.0),
            Alternative::Greater => self.at_least(0.0),
            Alternative::TwoSided => {
                let density = self.density(0.0);
                let bound = density[self.observed] * (1.0 + RELATIVE_TIE);
                density.into_iter().filter(|d| *d <= bound).sum()
            }
        };
        p.min(1.0)
    }

    /// The odds ratio at which the expected first cell is the observed one.
    fn maximum_likelihood(&self) -> f64 {
        if self.observed == 0 {
            return 0.0;
        }
        if self.observed + 1 == self.log_weights.len() {
            return f64::INFINITY;
        }
        let mean = |log_odds| self.density(log_odds).iter().enumerate().map(|(i, d)| i as f64 * d).sum::<f64>();
        rising_root(|log_odds| mean(log_odds) - self.observed as f64)
    }

    fn interval(&self, alternative: Alternative, confidence: f64) -> (f64, f64) {
        let lower = |tail: f64| if self.observed == 0 { 0.0 } else { rising_root(|l| self.at_least(l) - tail) };
        let upper = |tail: f64| {
            if self.observed + 1 == self.log_weights.len() { f64::INFINITY } else { rising_root(|l| tail - self.at_most(l)) }
        };
        let tail = 1.0 - confidence;
        match alternative {
            Alternative::TwoSided => (lower(0.5 * tail), upper(0.5 * tail)),
            Alternative::Less => (0.0, upper(tail)),
            Alternative::Greater => (lower(tail), f64::INFINITY),
        }
    }
}

/// exp of the root of an increasing function of the log odds ratio.
fn rising_root(f: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (-1.0, 1.0);
    while f(low) > 0.0 && low > -700.0 {
        low *= 2.0;
    }
    while f(high) < 0.0 && high < 700.0 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if f(middle) < 0.0 { low = middle } else { high = middle }
    }
    (0.5 * (low + high)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn tea_tasting_by_hand() {
        // 3 1 / 1 3: P = 1, 16, 36, 16, 1 of 70.
        let table = array![[3, 1], [1, 3]];
        let two = fisher_exact(table.view(), FisherOptions::default()).unwrap();
        assert!((two.p - 34.0 / 70.0).abs() < 1e-14);
        // The estimate solves 16 t + 72 t^2 + 48 t^3 + 4 t^4 = 3 (1 + 16 t + 36 t^2 + 16 t^3 + t^4).
        let t = two.odds_ratio.unwrap();
        assert!((-3.0 - 32.0 * t - 36.0 * t * t + t.powi(4)).abs() < 1e-9 * t.powi(4));
        let greater = fisher_exact(table.view(), FisherOptions { alternative: Alternative::Greater, ..FisherOptions::default() }).unwrap();
        assert!((greater.p - 17.0 / 70.0).abs() < 1e-14 && greater.upper == Some(f64::INFINITY));
    }

    #[test]
    fn limits_solve_their_equations() {
        let conditional = Conditional::of(array![[12, 5], [7, 19]].view());
        let (lower, upper) = conditional.interval(Alternative::TwoSided, 0.95);
        assert!((conditional.at_least(lower.ln()) - 0.025).abs() < 1e-14);
        assert!((conditional.at_most(upper.ln()) - 0.025).abs() < 1e-14);
    }

    #[test]
    fn zero_rows_change_nothing() {
        let with = fisher_exact(array![[3, 0, 1], [0, 0, 0], [1, 0, 3]].view(), FisherOptions::default()).unwrap();
        assert_eq!(with, fisher_exact(array![[3, 1], [1, 3]].view(), FisherOptions::default()).unwrap());
        assert!(matches!(fisher_exact(array![[3, 1], [0, 0]].view(), FisherOptions::default()), Err(StatsError::TooFew { .. })));
    }
}
