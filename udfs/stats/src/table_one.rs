//! Table 1 of a clinical paper: each variable by group, with the test that fits it.
//!
//! A number is told as mean (SD) where each group passes Shapiro and Wilk's test at `normality`, else as median (Q1, Q3) with quantiles
//! of type 7; a category as n (%) of the values that are known. Two groups are compared by Welch's t or Mann-Whitney's U, more by analysis
//! of variance or Kruskal-Wallis, categories by chi-squared where every expected count is 5 or more, else by Fisher's exact test.
//! The standardised difference is absolute, of categories after Yang & Dalton (SAS Global Forum 2012, paper 335), and with more than two groups
//! the mean over the pairs (as R `tableone`).

use nalgebra::{DMatrix, DVector};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::anova::anova;
use crate::chi2_test::chi2_test;
use crate::error::{Result, StatsError, check_count};
use crate::fisher_exact::{FisherOptions, fisher_exact};
use crate::kruskal_wallis::kruskal_wallis;
use crate::mann_whitney::{RankTestOptions, mann_whitney_u};
use crate::shapiro_wilk::shapiro_wilk;
use crate::standardized_mean_difference::standardized_mean_difference;
use crate::summary;
use crate::t_test::{TTestOptions, t_test};

/// A variable's values, one per row; `None` is missing.
#[derive(Debug, Clone)]
pub enum Values<'a> {
    Numbers(&'a [Option<f64>]),
    Truths(&'a [Option<bool>]),
    Labels(&'a [Option<String>]),
}

/// How a table is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableOptions {
    /// Level of the test of normality.
    pub normality: f64,
    /// Numbers to tell as mean (SD) and as median (Q1, Q3) whatever the test of normality says.
    pub normal: Vec<String>,
    pub nonnormal: Vec<String>,
    /// Decimals.
    pub digits: usize,
}

impl Default for TableOptions {
    fn default() -> Self {
        Self { normality: 0.05, normal: Vec::new(), nonnormal: Vec::new(), digits: 1 }
    }
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableRow {
    pub variable: String,
    /// `None` in a variable's first line.
    pub level: Option<String>,
    /// `n`, `mean (SD)`, `median (Q1, Q3)` or `n (%)`.
    pub statistic: String,
    pub overall: String,
    /// One per group; empty in the first line of a category.
    pub groups: Vec<String>,
    /// Values that are missing, in the first line.
    pub missing: usize,
    /// `None` where there is one group, or nothing to compare.
    pub p: Option<f64>,
    pub test: Option<String>,
    pub smd: Option<f64>,
}

/// The lines of the table. `group` has a code 0..groups per row.
///
/// # Errors
/// No rows, another number of values than rows, numbers that are not finite, names in the options that are no variable.
pub fn table_one(group: &[usize], groups: usize, variables: &[(&str, Values)], options: &TableOptions) -> Result<Vec<TableRow>> {
    const WHAT: &str = "table_one";
    check_count(WHAT, "rows", group.len(), 1)?;
    for name in options.normal.iter().chain(&options.nonnormal) {
        if !variables.iter().any(|(known, values)| known == name && matches!(values, Values::Numbers(_))) {
            return Err(StatsError::Design { what: WHAT, message: format!("'{name}' in the options is not a number among the variables") });
        }
    }
    let count = |g: usize| group.iter().filter(|&&own| own == g).count();
    let mut rows = vec![TableRow {
        variable: "n".into(),
        level: None,
        statistic: "n".into(),
        overall: group.len().to_string(),
        groups: (0..groups).map(|g| count(g).to_string()).collect(),
        missing: 0,
        p: None,
        test: None,
        smd: None,
    }];
    for (name, values) in variables {
        let length = match values {
            Values::Numbers(values) => values.len(),
            Values::Truths(values) => values.len(),
            Values::Labels(values) => values.len(),
        };
        if length != group.len() {
            return Err(StatsError::LengthMismatch {
                what: WHAT,
                first_name: "a variable",
                first: length,
                second_name: "group",
                second: group.len(),
            });
        }
        match values {
            Values::Numbers(values) => rows.push(number(name, values, group, groups, options)?),
            Values::Truths(values) => {
                let labels: Vec<Option<String>> = values.iter().map(|value| value.map(|value| value.to_string())).collect();
                let lines = category(name, &labels, group, groups, options.digits);
                rows.extend(only_true(lines));
            }
            Values::Labels(values) => rows.extend(category(name, values, group, groups, options.digits)),
        }
    }
    Ok(rows)
}

/// Of a yes/no variable the line of `true` says all: it takes the test of the first line.
fn only_true(mut lines: Vec<TableRow>) -> Vec<TableRow> {
    let head = lines.remove(0);
    match lines.into_iter().find(|line| line.level.as_deref() == Some("true")) {
        Some(line) => vec![TableRow { level: None, missing: head.missing, p: head.p, test: head.test, smd: head.smd, ..line }],
        None => vec![head],
    }
}

fn number(name: &str, values: &[Option<f64>], group: &[usize], groups: usize, options: &TableOptions) -> Result<TableRow> {
    if let Some((row, value)) = values.iter().enumerate().find_map(|(row, value)| value.filter(|v| !v.is_finite()).map(|v| (row, v))) {
        return Err(StatsError::NotFinite { what: "table_one", which: format!("variable '{name}'"), row, value });
    }
    let known: Vec<f64> = values.iter().copied().flatten().collect();
    let of = |g: usize| values.iter().zip(group).filter(|&(_, &own)| own == g).filter_map(|(value, _)| *value).collect::<Vec<f64>>();
    let split: Vec<Vec<f64>> = (0..groups).map(of).collect();
    let filled: Vec<&Vec<f64>> = split.iter().filter(|values| !values.is_empty()).collect();
    let is = |names: &[String]| names.iter().any(|known| known == name);
    let normal = is(&options.normal) || (!is(&options.nonnormal) && filled.iter().all(|values| is_normal(values, options.normality)));
    let (test, p) = match (filled.as_slice(), normal) {
        ([a, b], true) => ("Welch's t", t_test(a, b, TTestOptions::default()).ok().map(|found| found.p)),
        ([a, b], false) => ("Mann-Whitney U", mann_whitney_u(a, b, RankTestOptions::default()).ok().map(|found| found.p)),
        ([] | [_], _) => ("", None),
        (all, true) => ("ANOVA", anova(all).ok().map(|found| found.p)),
        (all, false) => ("Kruskal-Wallis", kruskal_wallis(all).ok().map(|found| found.p)),
    };
    let p = p.filter(|p| p.is_finite());
    let text = |values: &[f64]| if normal { mean_sd(values, options.digits) } else { median_quartiles(values, options.digits) };
    Ok(TableRow {
        variable: name.into(),
        level: None,
        statistic: if normal { "mean (SD)" } else { "median (Q1, Q3)" }.into(),
        overall: text(&known),
        groups: split.iter().map(|values| text(values)).collect(),
        missing: values.len() - known.len(),
        test: p.map(|_| test.into()),
        p,
        smd: over_pairs(&filled, |a, b| standardized_mean_difference(a, b).ok().map(f64::abs)),
    })
}

/// Shapiro and Wilk's test; of more than 5000 values, which it is not made for, it sees 5000 evenly spaced order statistics.
fn is_normal(values: &[f64], level: f64) -> bool {
    const MOST: usize = 5000;
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    if sorted.len() > MOST {
        sorted = (0..MOST).map(|k| sorted[k * (sorted.len() - 1) / (MOST - 1)]).collect();
    }
    shapiro_wilk(&sorted).is_ok_and(|found| found.p >= level)
}

fn mean_sd(values: &[f64], digits: usize) -> String {
    match values.len() {
        0 => String::new(),
        1 => format!("{:.digits$}", values[0]),
        _ => format!("{:.digits$} ({:.digits$})", summary::mean(values), summary::variance(values).sqrt()),
    }
}

fn median_quartiles(values: &[f64], digits: usize) -> String {
    if values.is_empty() {
        return String::new();
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let quantile = |p: f64| {
        let position = p * (sorted.len() - 1) as f64;
        let below = position.floor() as usize;
        let above = (below + 1).min(sorted.len() - 1);
        sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
    };
    format!("{:.digits$} ({:.digits$}, {:.digits$})", quantile(0.5), quantile(0.25), quantile(0.75))
}

fn category(name: &str, values: &[Option<String>], group: &[usize], groups: usize, digits: usize) -> Vec<TableRow> {
    let mut levels: Vec<&String> = values.iter().flatten().collect();
    levels.sort();
    levels.dedup();
    let mut counts = Array2::<u64>::zeros((levels.len(), groups));
    for (value, &g) in values.iter().zip(group) {
        if let Some(Ok(level)) = value.as_ref().map(|value| levels.binary_search(&value)) {
            counts[(level, g)] += 1;
        }
    }
    let totals: Vec<u64> = counts.columns().into_iter().map(|column| column.sum()).collect();
    let filled: Vec<usize> = (0..groups).filter(|&g| totals[g] > 0).collect();
    let table = Array2::from_shape_fn((levels.len(), filled.len()), |(level, g)| counts[(level, filled[g])]);
    let (test, p) = compare_counts(&table);
    let columns: Vec<Vec<f64>> = filled.iter().map(|&g| counts.column(g).iter().map(|&n| n as f64 / totals[g] as f64).collect()).collect();
    let known: u64 = totals.iter().sum();
    let share = |n: u64, of: u64| {
        if of == 0 { String::new() } else { format!("{n} ({:.digits$}%)", 100.0 * n as f64 / of as f64) }
    };
    let head = TableRow {
        variable: name.into(),
        level: None,
        statistic: "n (%)".into(),
        overall: String::new(),
        groups: vec![String::new(); groups],
        missing: values.len() - known as usize,
        test: p.map(|_| test.into()),
        p,
        smd: over_pairs(&columns.iter().collect::<Vec<_>>(), share_difference),
    };
    let line = |(index, level): (usize, &&String)| TableRow {
        variable: name.into(),
        level: Some((*level).clone()),
        statistic: "n (%)".into(),
        overall: share(counts.row(index).sum(), known),
        groups: (0..groups).map(|g| share(counts[(index, g)], totals[g])).collect(),
        missing: 0,
        p: None,
        test: None,
        smd: None,
    };
    std::iter::once(head).chain(levels.iter().enumerate().map(line)).collect()
}

fn compare_counts(table: &Array2<u64>) -> (&'static str, Option<f64>) {
    if table.nrows() < 2 || table.ncols() < 2 {
        return ("", None);
    }
    match chi2_test(table.view(), true) {
        Ok(found) if found.min_expected >= 5.0 => ("chi-squared", Some(found.p)),
        _ => ("Fisher's exact", fisher_exact(table.view(), FisherOptions::default()).ok().map(|found| found.p)),
    }
}

/// Mahalanobis distance of two groups' shares of the levels, the first of which follows from the others.
fn share_difference(a: &[f64], b: &[f64]) -> Option<f64> {
    let k = a.len().checked_sub(1).filter(|&k| k > 0)?;
    let difference = DVector::from_fn(k, |i, _| a[i + 1] - b[i + 1]);
    let spread = |p: &[f64], i: usize, j: usize| if i == j { p[i] * (1.0 - p[i]) } else { -p[i] * p[j] };
    let covariance = DMatrix::from_fn(k, k, |i, j| 0.5 * (spread(a, i + 1, j + 1) + spread(b, i + 1, j + 1)));
    let inverse = covariance.pseudo_inverse(1e-12).ok()?;
    let squared = difference.dot(&(inverse * &difference));
    (squared.is_finite() && (squared > 0.0 || difference.amax() == 0.0)).then(|| squared.max(0.0).sqrt())
}

/// Mean over the pairs of groups; `None` where a pair has none.
fn over_pairs<T: ?Sized + AsRef<[f64]>>(groups: &[&T], difference: impl Fn(&[f64], &[f64]) -> Option<f64>) -> Option<f64> {
    let pairs = (0..groups.len()).flat_map(|a| (a + 1..groups.len()).map(move |b| (a, b)));
    let found: Vec<f64> = pairs.map(|(a, b)| difference(groups[a].as_ref(), groups[b].as_ref())).collect::<Option<_>>()?;
    (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(values: Values, group: &[usize], groups: usize, options: &TableOptions) -> Vec<TableRow> {
        table_one(group, groups, &[("v", values)], options).unwrap()
    }

    fn numbers(values: &[f64]) -> Vec<Option<f64>> {
        values.iter().copied().map(Some).collect()
    }

    #[test]
    fn numbers_are_told_by_their_shape() {
        let group: Vec<usize> = (0..40).map(|i| i % 2).collect();
        let flat: Vec<f64> = (0..40).map(|i| f64::from(i) + 0.1 * f64::from(i % 7)).collect();
        let skewed: Vec<f64> = (0..40).map(|i| (f64::from(i) / 5.0).exp()).collect();
        let found = table(Values::Numbers(&numbers(&flat)), &group, 2, &TableOptions::default());
        assert_eq!((found[1].statistic.as_str(), found[1].test.as_deref()), ("mean (SD)", Some("Welch's t")));
        assert_eq!(found[0].groups, ["20", "20"]);
        let found = table(Values::Numbers(&numbers(&skewed)), &group, 2, &TableOptions::default());
        assert_eq!((found[1].statistic.as_str(), found[1].test.as_deref()), ("median (Q1, Q3)", Some("Mann-Whitney U")));
        let forced = TableOptions { normal: vec!["v".into()], ..Default::default() };
        assert_eq!(table(Values::Numbers(&numbers(&skewed)), &group, 2, &forced)[1].statistic, "mean (SD)");
        let three: Vec<usize> = (0..40).map(|i| i % 3).collect();
        assert_eq!(
            table(Values::Numbers(&numbers(&skewed)), &three, 3, &TableOptions::default())[1].test.as_deref(),
            Some("Kruskal-Wallis")
        );
        assert_eq!(table(Values::Numbers(&numbers(&flat)), &three, 3, &TableOptions::default())[1].test.as_deref(), Some("ANOVA"));
    }

    #[test]
    fn texts_by_hand() {
        let values = [Some(1.0), Some(2.0), Some(3.0), Some(4.0), None, Some(100.0)];
        let options = TableOptions { nonnormal: vec!["v".into()], ..Default::default() };
        let found = &table(Values::Numbers(&values), &[0; 6], 1, &options)[1];
        assert_eq!((found.overall.as_str(), found.missing, found.p, found.smd), ("3.0 (2.0, 4.0)", 1, None, None));
        let options = TableOptions { normal: vec!["v".into()], digits: 2, ..Default::default() };
        assert_eq!(table(Values::Numbers(&values[..4]), &[0; 4], 1, &options)[1].overall, "2.50 (1.29)");
    }

    #[test]
    fn categories_are_counted_and_tested_by_their_cells() {
        let labels = |n: &[(&str, usize)]| n.iter().flat_map(|(l, n)| vec![Some(l.to_string()); *n]).collect::<Vec<_>>();
        let values = [labels(&[("a", 30), ("b", 20)]), labels(&[("a", 10), ("b", 40)])].concat();
        let group: Vec<usize> = (0..100).map(|i| i / 50).collect();
        let found = table(Values::Labels(&values), &group, 2, &TableOptions::default());
        assert_eq!(found[1].test.as_deref(), Some("chi-squared"));
        assert_eq!((found[2].overall.as_str(), found[2].groups[1].as_str()), ("40 (40.0%)", "10 (20.0%)"));
        // |0.6 - 0.2| / sqrt((0.24 + 0.16) / 2).
        assert!((found[1].smd.unwrap() - 0.4 / 0.2_f64.sqrt()).abs() < 1e-12);
        let rare: Vec<Option<bool>> = (0..100).map(|i| (i != 3).then_some(i % 50 == 7)).collect();
        let found = table(Values::Truths(&rare), &group, 2, &TableOptions::default());
        assert_eq!(found.len(), 2);
        assert_eq!((found[1].test.as_deref(), found[1].missing, found[1].overall.as_str()), (Some("Fisher's exact"), 1, "2 (2.0%)"));
    }

    #[test]
    fn what_cannot_be_compared_has_no_p() {
        let found = table(Values::Numbers(&numbers(&[5.0; 6])), &[0, 1, 0, 1, 0, 1], 2, &TableOptions::default());
        assert_eq!((found[1].p, found[1].smd), (None, None));
        let found = table(Values::Labels(&[None, None]), &[0, 1], 2, &TableOptions::default());
        assert_eq!((found.len(), found[1].missing, found[1].p), (2, 2, None));
        let error = table_one(&[0, 1], 2, &[("v", Values::Numbers(&[Some(1.0), Some(f64::NAN)]))], &TableOptions::default());
        assert!(error.unwrap_err().to_string().contains("'v'"));
        let options = TableOptions { normal: vec!["w".into()], ..Default::default() };
        assert!(table_one(&[0], 1, &[("v", Values::Numbers(&[Some(1.0)]))], &options).unwrap_err().to_string().contains("'w'"));
    }
}
