//! Table 1 of a clinical paper.
//!
//! Numbers as mean (SD) or median (Q1, Q3) by Shapiro and Wilk's test in each group, categories as n (%); compared by Welch's t or
//! Mann-Whitney, analysis of variance or Kruskal-Wallis, chi-squared or (an expected count below 5) Fisher's exact test; with the absolute
//! standardised difference and the missing values. A BOOLEAN has one line, that of true.

use esccsql_stats::table_one::{TableOptions, Values, table_one as kernel};

use crate::shape::{Function, Kind, Problem, TextMap, Variable, collect, options, record};

options! {
    struct Options {
        /// Level of the test of normality.
        normality: f64 = TableOptions::default().normality,
        /// Numbers to tell as mean (SD) whatever that test says.
        normal: Vec<String> = Vec::new(),
        /// Numbers to tell as median (Q1, Q3) whatever that test says.
        nonnormal: Vec<String> = Vec::new(),
        /// Decimals.
        digits: usize = TableOptions::default().digits,
    }
}

record! {
    /// One line; `groups` holds the text of each group by its label.
    struct Line {
        variable: String,
        level: Option<String>,
        statistic: String,
        overall: String,
        groups: TextMap,
        missing: u64,
        p: Option<f64>,
        test: Option<String>,
        smd: Option<f64>,
    }
}

pub fn table_one() -> Function {
    collect("table_one", "Table 1: each variable overall and by group, with the test that fits it, the standardised difference and the missing values.")
        .arg("group", Kind::Label, "the group; a constant gives a table without tests")
        .arg("x", Kind::Variables, "variables; NULL is a missing value, stages and other codes are categories when cast to VARCHAR")
        .options::<Options>()
        .source("R tableone; Yang & Dalton, SAS Global Forum 2012, paper 335")
        .example("SELECT unnest(table_one(cohort, {'age': age, 'sex': sex, 'stage': stage::VARCHAR, 'volume': volume}), recursive := true) FROM patients")
        .returns(|rows, options| {
            let mut labels = rows.texts(0).to_vec();
            labels.sort();
            labels.dedup();
            let codes: Vec<usize> = rows.texts(0).iter().map(|label| labels.binary_search(label).unwrap_or_default()).collect();
            let variables = rows.variables(1).columns.iter().map(|(name, variable)| {
                let values = match variable {
                    Variable::Numbers(values) => Values::Numbers(values),
                    Variable::Truths(values) => Values::Truths(values),
                    Variable::Labels(values) => Values::Labels(values),
                };
                (name.as_str(), values)
            });
            let chosen = TableOptions {
                normality: options.normality,
                normal: options.normal.clone(),
                nonnormal: options.nonnormal.clone(),
                digits: options.digits,
            };
            let found = kernel(&codes, labels.len(), &variables.collect::<Vec<_>>(), &chosen).map_err(Problem::user)?;
            let lines = found.into_iter().map(|row| Line {
                variable: row.variable,
                level: row.level,
                statistic: row.statistic,
                overall: row.overall,
                groups: TextMap(labels.iter().cloned().zip(row.groups).collect()),
                missing: row.missing as u64,
                p: row.p,
                test: row.test,
                smd: row.smd,
            });
            Ok(lines.collect::<Vec<_>>())
        })
}
