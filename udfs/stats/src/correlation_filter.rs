//! Removal of redundant features: a subset of columns in which no pair has |r| above a threshold.

use serde::{Deserialize, Serialize};

use crate::correlation_matrix::CorrelationMatrix;
use crate::error::{Result, StatsError};

/// Which of two correlated columns goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrelationRule {
    /// R `caret::findCorrelation(exact = TRUE)`, step for step. Columns are visited in descending order of mean absolute correlation,
    /// ties in the order of their names. Of a pair (i earlier, j later) above the threshold, i goes if its mean absolute correlation
    /// is larger than the mean over all remaining columns but j, else j goes; means are over the columns that still stand.
    #[default]
    Caret,
    /// Columns in the given order: each is kept if it is not correlated above the threshold with one already kept. The subset is
    /// maximal: no dropped column could be put back.
    KeepFirst,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrelationFilter {
    /// Kept columns, ascending.
    pub kept: Vec<usize>,
    /// Dropped for their correlation, with the column in whose favour: (dropped, kept at that moment).
    pub dropped: Vec<(usize, usize)>,
    /// Dropped because they have no variance.
    pub constant: Vec<usize>,
}

impl CorrelationFilter {
    /// One line for the user about what was dropped.
    pub fn message(&self) -> String {
        let mut text = format!("{} kept, {} dropped for correlation", self.kept.len(), self.dropped.len());
        if !self.constant.is_empty() {
            text += &format!(", {} dropped as constant", self.constant.len());
        }
        text
    }
}

/// Filters the columns of `matrix` so that |r| <= `threshold` for every kept pair. `names` decide ties of [`CorrelationRule::Caret`]; with
/// no names the column order does.
///
/// # Errors
/// A threshold outside 0..=1, a number of names that is not the number of columns.
pub fn correlation_filter(
    matrix: &CorrelationMatrix,
    names: &[String],
    threshold: f64,
    rule: CorrelationRule,
) -> Result<CorrelationFilter> {
    const WHAT: &str = "correlation_filter";
    if !(0.0..=1.0).contains(&threshold) {
        return Err(StatsError::OutOfRange {
            what: WHAT,
            option: "threshold",
            value: threshold,
            expected: "a number from 0 to 1, such as 0.9",
        });
    }
    if !names.is_empty() && names.len() != matrix.columns {
        return Err(StatsError::WrongColumns { what: WHAT, expected: matrix.columns, got: names.len() });
    }
    let r = matrix.view();
    let alive: Vec<usize> = (0..matrix.columns).filter(|j| matrix.constant_columns.binary_search(j).is_err()).collect();
    let absolute = |i: usize, j: usize| r[[i, j]].abs();
    let mut dropped = match rule {
        CorrelationRule::Caret => caret(&alive, names, threshold, absolute),
        CorrelationRule::KeepFirst => keep_first(&alive, threshold, absolute),
    };
    dropped.sort_unstable();
    let kept = alive.into_iter().filter(|j| dropped.binary_search_by_key(j, |d| d.0).is_err()).collect();
    Ok(CorrelationFilter { kept, dropped, constant: matrix.constant_columns.clone() })
}

fn keep_first(alive: &[usize], threshold: f64, absolute: impl Fn(usize, usize) -> f64) -> Vec<(usize, usize)> {
    let (mut kept, mut dropped) = (Vec::new(), Vec::new());
    for &j in alive {
        match kept.iter().find(|&&i| absolute(i, j) > threshold) {
            Some(&i) => dropped.push((j, i)),
            None => kept.push(j),
        }
    }
    dropped
}

fn caret(alive: &[usize], names: &[String], threshold: f64, absolute: impl Fn(usize, usize) -> f64) -> Vec<(usize, usize)> {
    let p = alive.len();
    let sum_of = |i: usize| alive.iter().filter(|&&j| j != i).map(|&j| absolute(i, j)).sum::<f64>();
    let mut order: Vec<(f64, usize)> = alive.iter().map(|&i| (sum_of(i), i)).collect();
    let name = |i: usize| names.get(i);
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| name(a.1).cmp(&name(b.1))).then(a.1.cmp(&b.1)));
    // Sums over the columns that still stand, kept up to date as columns go: each removal costs O(p) instead of O(p^2).
    let mut sums: Vec<f64> = order.iter().map(|o| o.0).collect();
    let column: Vec<usize> = order.iter().map(|o| o.1).collect();
    let mut gone = vec![false; p];
    let mut standing = p;
    let mut dropped = Vec::new();
    for i in 0..p {
        for j in i + 1..p {
            if gone[i] {
                break;
            }
            if gone[j] || absolute(column[i], column[j]) <= threshold {
                continue;
            }
            let others = standing as f64 - 1.0;
            let mean_i = sums[i] / others;
            let total: f64 = (0..p).filter(|&k| !gone[k] && k != j).map(|k| sums[k]).sum();
            let mean_rest = total / (others * others);
            let (out, stays) = if mean_i > mean_rest { (i, j) } else { (j, i) };
            gone[out] = true;
            standing -= 1;
            dropped.push((column[out], column[stays]));
            for k in (0..p).filter(|&k| !gone[k]) {
                sums[k] -= absolute(column[k], column[out]);
            }
        }
    }
    dropped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlation::CorrelationMethod;
    use crate::correlation_matrix::correlation_matrix;
    use ndarray::Array2;

    /// Columns of three noisy copies of each of four waves, and a constant.
    fn table() -> CorrelationMatrix {
        let x = Array2::from_shape_fn((40, 13), |(i, j)| {
            let (t, copy) = (i as f64, j as f64);
            if j == 12 { 3.0 } else { (t * (1.3 + (j / 3) as f64)).sin() + 0.4 * (t * (17.0 + copy)).cos() }
        });
        correlation_matrix(x.view(), CorrelationMethod::Pearson).unwrap()
    }

    /// The published algorithm as it reads, with every mean taken anew.
    fn caret_plain(matrix: &CorrelationMatrix, threshold: f64) -> Vec<usize> {
        let r = matrix.view();
        let mut order: Vec<usize> = (0..12).collect();
        let mean = |set: Vec<f64>| set.iter().sum::<f64>() / set.len() as f64;
        let row =
            |i: usize, gone: &[usize]| (0..12).filter(|&k| k != i && !gone.contains(&k)).map(|k| r[[i, k]].abs()).collect::<Vec<f64>>();
        order.sort_by(|&a, &b| mean(row(b, &[])).total_cmp(&mean(row(a, &[]))));
        let mut gone: Vec<usize> = Vec::new();
        for (at, &i) in order.iter().enumerate() {
            for &j in &order[at + 1..] {
                if gone.contains(&i) || gone.contains(&j) || r[[i, j]].abs() <= threshold {
                    continue;
                }
                let rest = (0..12).filter(|k| *k != j && !gone.contains(k)).flat_map(|k| row(k, &gone)).collect();
                gone.push(if mean(row(i, &gone)) > mean(rest) { i } else { j });
            }
        }
        gone.sort_unstable();
        gone
    }

    #[test]
    fn caret_agrees_with_the_plain_algorithm() {
        let matrix = table();
        for threshold in [0.05, 0.2, 0.5, 0.7, 0.8, 0.99] {
            let filter = correlation_filter(&matrix, &[], threshold, CorrelationRule::Caret).unwrap();
            assert_eq!(filter.dropped.iter().map(|d| d.0).collect::<Vec<_>>(), caret_plain(&matrix, threshold), "{threshold}");
        }
    }

    #[test]
    fn kept_pairs_are_below_the_threshold() {
        let matrix = table();
        for rule in [CorrelationRule::Caret, CorrelationRule::KeepFirst] {
            let filter = correlation_filter(&matrix, &[], 0.6, rule).unwrap();
            assert_eq!(filter.constant, [12]);
            assert!(filter.message().contains("1 dropped as constant"));
            assert!(!filter.dropped.is_empty());
            for &i in &filter.kept {
                assert!(filter.kept.iter().all(|&j| i == j || matrix.view()[[i, j]].abs() <= 0.6));
            }
        }
    }

    #[test]
    fn equal_means_fall_back_to_names() {
        let matrix = CorrelationMatrix { columns: 2, values: vec![1.0, 0.95, 0.95, 1.0], constant_columns: vec![], n: 9 };
        let names = |a: &str, b: &str| [a.to_string(), b.to_string()];
        let kept = |names: &[String]| correlation_filter(&matrix, names, 0.9, CorrelationRule::Caret).unwrap().kept;
        assert_eq!(kept(&names("a", "b")), [0]);
        assert_eq!(kept(&names("b", "a")), [1]);
    }
}
