//! Harrell's concordance index.
//!
//! C = (concordant + tied in risk / 2) / comparable, over the pairs whose shorter time is an event. Of a pair tied in time with
//! one event, the censored row is the longer. O(n log n). Agrees with R `survival::concordance(reverse = TRUE)`.

use esccsql_survival::concordance::{ConcordanceOptions, Ties, concordance};

use crate::shape::{Function, Kind, Problem, collect, options};

options! {
    struct Options {
        /// How pairs tied in risk count: 'half' (R) or 'drop'.
        ties: Ties = Ties::Half,
        /// Risks at most this far apart are tied: 0 (R), or scikit-survival's 1e-8.
        tied_tolerance: f64 = 0.0,
    }
}

pub fn c_index() -> Function {
    collect("c_index", "Harrell's concordance index of a risk score (higher risk, shorter survival).")
        .outcome()
        .arg("risk", Kind::Number, "risk score")
        .options::<Options>()
        .row_option("weight", Kind::Number, "case weight, 0 or more")
        .source("Harrell et al., JAMA 1982;247:2543; R survival::concordance")
        .example("SELECT cohort, c_index(months, died, risk) FROM patients GROUP BY cohort")
        .returns(|rows, options| {
            let (ties, tied_tolerance) = (options.ties, options.tied_tolerance);
            let chosen = ConcordanceOptions { ties, tied_tolerance, std_err: false, ..ConcordanceOptions::default() };
            let weights = rows.given("weight").map(|at| rows.numbers(at));
            Ok(concordance(rows.numbers(0), rows.events(1), rows.numbers(2), weights, &chosen).map_err(Problem::user)?.c_index)
        })
}
