//! McNemar's test of paired yes/no answers.

use esccsql_stats::mcnemar::mcnemar as test;
use ndarray::Array2;

use crate::shape::{Function, Kind, Problem, collect, options, record, shorten};

options! {
    struct Options {
        /// Continuity correction of the statistic, as R.
        continuity: bool = true,
    }
}

record! {
    /// The test. With fewer than about 25 discordant pairs report `p_exact`.
    struct Test {
        statistic: f64,
        p: f64,
        p_exact: f64,
        first_only: u64,
        second_only: u64,
    }
}

pub fn mcnemar() -> Function {
    collect(
        "mcnemar",
        "McNemar's test: do two paired answers of a row, such as two readers', differ in how often they are the later category?",
    )
    .arg("a", Kind::Label, "the first answer")
    .arg("b", Kind::Label, "the second, of the same two categories")
    .options::<Options>()
    .source("McNemar, Psychometrika 1947;12:153; R mcnemar.test")
    .example("SELECT mcnemar(age > 60, volume > 30) FROM patients")
    .returns(|rows, options| {
        let (a, b) = (rows.texts(0), rows.texts(1));
        let mut labels: Vec<String> = a.iter().chain(b).cloned().collect();
        labels.sort();
        labels.dedup();
        if labels.len() != 2 {
            let found = labels.len();
            return Err(Problem::user(format!(
                "the answers have {found} categories ({}), expected two, the same for a and b",
                shorten(&labels)
            )));
        }
        let mut table = Array2::zeros((2, 2));
        a.iter().zip(b).for_each(|(a, b)| table[(usize::from(*a == labels[1]), usize::from(*b == labels[1]))] += 1);
        let found = test(table.view(), options.continuity).map_err(Problem::user)?;
        let [second_only, first_only] = found.discordant;
        Ok(Test { statistic: found.statistic, p: found.p, p_exact: found.p_exact, first_only, second_only })
    })
}
