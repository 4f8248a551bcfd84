//! Kruskal-Wallis test: do the groups differ in location?

use super::groups::groups;
use crate::shape::{Function, Kind, Problem, collect, record};

record! {
    /// A comparison of groups.
    struct Test {
        statistic: f64,
        df: f64,
        p: f64,
    }
}

pub fn kruskal_wallis() -> Function {
    collect("kruskal_wallis", "Kruskal-Wallis test: do the groups differ in location?")
        .arg("value", Kind::Number, "what is compared")
        .arg("group", Kind::Label, "the group")
        .source("R kruskal.test")
        .example("SELECT kruskal_wallis(volume, stage) FROM patients")
        .returns(|rows, _| {
            let values: Vec<Vec<f64>> = groups(rows)?.into_iter().map(|(_, values)| values).collect();
            let found = esccsql_stats::kruskal_wallis::kruskal_wallis(&values).map_err(Problem::user)?;
            Ok(Test { statistic: found.h, df: found.df, p: found.p })
        })
}
