//! Nelson-Aalen cumulative hazard.

use esccsql_survival::nelson_aalen::TieCorrection;

use crate::shape::{Function, Problem, collect, options, record};

options! {
    struct Options {
        /// Level of the intervals.
        conf_level: f64 = 0.95,
    }
}

record! {
    /// One distinct time.
    struct Step {
        time: f64,
        n_risk: u64,
        n_event: u64,
        cumulative_hazard: f64,
        std_err: f64,
        lower: f64,
        upper: f64,
    }
}

pub fn nelson_aalen() -> Function {
    collect("nelson_aalen", "Nelson-Aalen cumulative hazard with its interval.")
        .outcome()
        .options::<Options>()
        .source("R survival::survfit(ctype = 1)")
        .example("SELECT unnest(nelson_aalen(months, died), recursive := true) FROM patients")
        .returns(|rows, options| {
            let curve =
                esccsql_survival::nelson_aalen::nelson_aalen(rows.numbers(0), rows.events(1), options.conf_level, TieCorrection::default())
                    .map_err(Problem::user)?;
            let step = |i: usize| Step {
                time: curve.time[i],
                n_risk: curve.n_risk[i] as u64,
                n_event: curve.n_event[i] as u64,
                cumulative_hazard: curve.cumulative_hazard[i],
                std_err: curve.std_err[i],
                lower: curve.lower[i],
                upper: curve.upper[i],
            };
            Ok((0..curve.time.len()).map(step).collect::<Vec<_>>())
        })
}
