//! Brier score at each time with a bootstrap interval.

use esccsql_survival::brier::{CensoringFrom, brier_score_ci as kernel};

use super::censoring::Options;
use super::matrix::curves;
use crate::shape::{Function, Kind, Problem, collect, record};

record! {
    /// The score at one time with its bootstrap percentile interval.
    struct Score {
        time: f64,
        estimate: f64,
        lower: f64,
        upper: f64,
        std_err: f64,
    }
}

pub fn brier_score_ci() -> Function {
    collect("brier_score_ci", "Brier score of predicted survival at each time with its bootstrap percentile interval.")
        .outcome()
        .arg("survival", Kind::Numbers, "predicted survival at each of `times`")
        .arg("times", Kind::Numbers, "ascending times, the same in every row")
        .options::<Options>()
        .source("Graf et al., Stat Med 1999;18:2529; scikit-survival")
        .example("SELECT unnest(brier_score_ci(months, died, survival, [12, 24, 36], {'resamples': 100}), recursive := true) FROM patients, (SELECT [0.9, 0.7, 0.5] AS survival)")
        .returns(|rows, options| {
            let times = rows.shared_list(3, "times")?;
            let curves = curves(rows.lists(2), times)?;
            let training = options.censoring()?;
            let censoring = training.as_ref().map_or(CensoringFrom::SameRows, CensoringFrom::Training);
            let found = kernel(rows.numbers(0), rows.events(1), curves.view(), times, censoring, options.side, &options.bootstrap());
            let score = |(&time, found): (&f64, esccsql_survival::bootstrap::BootstrapInterval)| Score {
                time,
                estimate: found.estimate,
                lower: found.lower,
                upper: found.upper,
                std_err: found.std_err,
            };
            Ok(times.iter().zip(found.map_err(Problem::user)?).map(score).collect::<Vec<_>>())
        })
}
