//! One-way analysis of variance: do the groups differ in their means?

use super::groups::groups;
use crate::shape::{Function, Kind, Problem, collect, record};

record! {
    /// A comparison of groups.
    struct Test {
        statistic: f64,
        df1: f64,
        df2: f64,
        p: f64,
    }
}

pub fn anova() -> Function {
    collect("anova", "One-way analysis of variance: do the groups differ in their means?")
        .arg("value", Kind::Number, "what is compared")
        .arg("group", Kind::Label, "the group")
        .source("R oneway.test(var.equal = TRUE)")
        .example("SELECT anova(volume, stage) FROM patients")
        .returns(|rows, _| {
            let values: Vec<Vec<f64>> = groups(rows)?.into_iter().map(|(_, values)| values).collect();
            let found = esccsql_stats::anova::anova(&values).map_err(Problem::user)?;
            Ok(Test { statistic: found.f, df1: found.df1, df2: found.df2, p: found.p })
        })
}
