//! The paired t test.

use esccsql_stats::t_test::{TTestKind, TTestOptions, t_test as test};

use super::t_test::{Comparison, Options};
use crate::shape::{Function, Kind, Problem, collect};

pub fn t_test_paired() -> Function {
    collect("t_test_paired", "t test of the mean difference a - b of paired values.")
        .arg("a", Kind::Number, "a value")
        .arg("b", Kind::Number, "the other value of the same row")
        .options::<Options>()
        .source("R t.test(paired = TRUE)")
        .example("SELECT t_test_paired(volume, volume * 0.9 + age / 100) FROM patients")
        .returns(|rows, options| {
            if options.pooled {
                return Err(Problem::user("options: `pooled` makes no sense with pairs; leave it out"));
            }
            let chosen = TTestOptions { kind: TTestKind::Paired, alternative: options.alternative, confidence: options.conf_level };
            test(rows.numbers(0), rows.numbers(1), chosen).map(Comparison::from).map_err(Problem::user)
        })
}
