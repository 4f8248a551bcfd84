//! Log-rank test for a trend over ordered groups.
//!
//! (s' U)^2 / (s' V s) with U and V of the log-rank test and s the groups' scores, on 1 degree of freedom. More powerful than
//! `logrank` where the hazard rises or falls with the score.

use esccsql_survival::error::SurvivalError;
use esccsql_survival::logrank::logrank as test;

use super::design::codes;
use super::logrank::{Options, weight};
use crate::shape::{Function, Kind, Problem, collect, record};

record! {
    /// The test; a difference above 0 says that higher scores fare worse.
    struct Trend {
        statistic: f64,
        p: f64,
        difference: f64,
    }
}

/// The groups are those of the argument `score`.
fn of_scores(error: SurvivalError) -> Problem {
    Problem::user(match error {
        SurvivalError::OneGroup { what } => SurvivalError::OneGroup { what: what.replacen("group", "score", 1) },
        other => other,
    })
}

pub fn logrank_trend() -> Function {
    collect("logrank_trend", "Log-rank test for a trend of survival over groups with a score, such as the stage.")
        .outcome()
        .arg("score", Kind::Number, "the group's score; equal scores are one group")
        .options::<Options>()
        .row_option("strata", Kind::Label, "stratum: groups are compared within it")
        .source("Tarone, Biometrika 1975;62:679")
        .example("SELECT logrank_trend(months, died, stage).p FROM patients")
        .returns(|rows, options| {
            let mut scores = rows.numbers(2).to_vec();
            if let Some(bad) = scores.iter().find(|score| !score.is_finite()) {
                return Err(Problem::user(format!("score is {bad}; remove values that are not finite")));
            }
            scores.sort_by(f64::total_cmp);
            scores.dedup();
            // Below by <, so that -0 and 0 are one group.
            let groups: Vec<usize> = rows.numbers(2).iter().map(|score| scores.partition_point(|known| known < score)).collect();
            let strata = rows.given("strata").map(|at| codes(rows.texts(at)).0.into_iter().map(|code| code as usize).collect::<Vec<_>>());
            let weight = weight(options).map_err(Problem::user)?;
            let found = test(rows.numbers(0), rows.events(1), &groups, strata.as_deref(), weight).map_err(of_scores)?;
            let scores: Vec<f64> = found.groups.iter().map(|group| scores[group.group]).collect();
            let found = found.trend(&scores).map_err(Problem::user)?;
            Ok(Trend { statistic: found.statistic, p: found.p, difference: found.difference })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_group_is_told_of_the_score() {
        for (what, told) in [("group", "only one group in score: "), ("group (at the event times)", "only one group in score (at ")] {
            let problem = of_scores(SurvivalError::OneGroup { what: what.into() }).to_string();
            assert!(problem.starts_with(told), "{problem}");
        }
    }
}
