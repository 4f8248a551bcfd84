//! How far two groups are apart, in standard deviations.

use super::groups::two_groups;
use crate::shape::{Function, Kind, Problem, collect};

pub fn standardized_mean_difference() -> Function {
    collect(
        "standardized_mean_difference",
        "Difference of two groups' means (a - b, alphabetical order) over the root mean square of their standard deviations.",
    )
    .arg("value", Kind::Number, "what is compared")
    .arg("group", Kind::Label, "the group; two distinct values")
    .source("Austin, Stat Med 2009;28:3083")
    .example("SELECT standardized_mean_difference(age, cohort) FROM patients")
    .returns(|rows, _| {
        let [(_, a), (_, b)] = two_groups(rows)?;
        esccsql_stats::standardized_mean_difference::standardized_mean_difference(&a, &b).map_err(Problem::user)
    })
}
