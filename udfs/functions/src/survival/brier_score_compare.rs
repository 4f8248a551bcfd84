//! Difference of two models' Brier scores at each time, by paired bootstrap.

use esccsql_survival::brier::{CensoringFrom, brier_score_compare as kernel};

use super::censoring::Options;
use super::matrix::curves;
use crate::shape::{Function, Kind, Problem, collect, record};

record! {
    /// The difference a - b at one time.
    struct Difference {
        time: f64,
        a: f64,
        b: f64,
        difference: f64,
        lower: f64,
        upper: f64,
        p: f64,
    }
}

pub fn brier_score_compare() -> Function {
    collect("brier_score_compare", "Difference of two models' Brier scores at each time on the same rows, by paired bootstrap.")
        .outcome()
        .arg("survival_a", Kind::Numbers, "a model's predicted survival at each of `times`")
        .arg("survival_b", Kind::Numbers, "another model's")
        .arg("times", Kind::Numbers, "ascending times, the same in every row")
        .options::<Options>()
        .source("Graf et al., Stat Med 1999;18:2529; scikit-survival")
        .example("SELECT brier_score_compare(months, died, survival, [0.8, 0.6, 0.4], [12, 24, 36], {'resamples': 100}) FROM patients, (SELECT [0.9, 0.7, 0.5] AS survival)")
        .returns(|rows, options| {
            let times = rows.shared_list(4, "times")?;
            let (a, b) = (curves(rows.lists(2), times)?, curves(rows.lists(3), times)?);
            let training = options.censoring()?;
            let censoring = training.as_ref().map_or(CensoringFrom::SameRows, CensoringFrom::Training);
            let bootstrap = options.bootstrap();
            let found = kernel(rows.numbers(0), rows.events(1), a.view(), b.view(), times, censoring, options.side, &bootstrap);
            let difference = |(&time, found): (&f64, esccsql_survival::bootstrap::BootstrapComparison)| Difference {
                time,
                a: found.a,
                b: found.b,
                difference: found.difference.estimate,
                lower: found.difference.lower,
                upper: found.difference.upper,
                p: found.p,
            };
            Ok(times.iter().zip(found.map_err(Problem::user)?).map(difference).collect::<Vec<_>>())
        })
}
