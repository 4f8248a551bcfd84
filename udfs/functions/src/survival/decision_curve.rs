//! Decision curve: the net benefit of acting on predicted survival.

use esccsql_survival::decision_curve::decision_curve as kernel;

use crate::shape::{Function, Kind, Problem, collect, options, record};

options! {
    struct Options {
        /// Risks (1 - survival) from which on a row would be treated.
        thresholds: Vec<f64> = (1..100).map(|percent| f64::from(percent) / 100.0).collect(),
    }
}

record! {
    /// One threshold; treating none has a net benefit of 0. Beyond the last follow-up (of the rows treated, too) survival is carried.
    struct Decision {
        threshold: f64,
        treated: u64,
        net_benefit: f64,
        treat_all: f64,
        beyond_follow_up: bool,
    }
}

pub fn decision_curve() -> Function {
    collect("decision_curve", "Net benefit of treating the rows whose predicted risk at a time reaches a threshold, beside that of treating all.")
        .outcome()
        .arg("survival", Kind::Number, "predicted survival at `at`")
        .arg("at", Kind::Number, "the time, the same in every row")
        .options::<Options>()
        .source("Vickers et al., BMC Med Inform Decis Mak 2008;8:53")
        .example("SELECT unnest(decision_curve(months, died, exp(-exp(risk) / 3), 24, {'thresholds': [0.1, 0.2, 0.5]}), recursive := true) FROM patients")
        .returns(|rows, options| {
            let at = rows.shared_number(3, "at")?;
            let found = kernel(rows.numbers(0), rows.events(1), rows.numbers(2), at, &options.thresholds).map_err(Problem::user)?;
            let decisions = found.into_iter().map(|found| Decision {
                threshold: found.threshold,
                treated: found.treated as u64,
                net_benefit: found.net_benefit,
                treat_all: found.treat_all,
                beyond_follow_up: found.beyond_follow_up,
            });
            Ok(decisions.collect::<Vec<_>>())
        })
}
