//! Uno's concordance index.
//!
//! Pairs weigh 1 / G(t)^2, G the censoring curve of the training rows at the shorter time, so that the index does not depend on how
//! long the rows were followed. Agrees with scikit-survival's `concordance_index_ipcw`, and with R for `{'side': 'before'}`.

use esccsql_survival::censoring::Side;
use esccsql_survival::concordance::uno;

use crate::shape::{Function, Kind, Problem, collect, options};

options! {
    struct Options {
        /// Follow-up of the rows whose censoring gives the weights, usually the training rows; by default the scored rows.
        training_time: Option<Vec<f64>> = None,
        /// Their events.
        training_event: Option<Vec<bool>> = None,
        /// Events at or after it do not count.
        tau: Option<f64> = None,
        /// The censoring curve 'at' an event's time (scikit-survival) or just 'before' it (R).
        side: Side = Side::At,
        /// Risks at most this far apart are tied; scikit-survival has 1e-8.
        tied_tolerance: f64 = 0.0,
    }
    check |options| match (&options.training_time, &options.training_event) {
        (None, None) => Ok(()),
        (Some(time), Some(event)) if time.len() == event.len() => Ok(()),
        _ => Err("`training_time` and `training_event` must both be given, with one value per row".into()),
    }
}

pub fn c_index_uno() -> Function {
    collect("c_index_uno", "Uno's concordance index of a risk score: weighted by the inverse probability of censoring, up to tau.")
        .outcome()
        .arg("risk", Kind::Number, "risk score (higher risk, shorter survival)")
        .options::<Options>()
        .source("Uno et al., Stat Med 2011;30:1105; scikit-survival")
        .example("SELECT c_index_uno(months, died, risk, {'tau': 36}) FROM patients")
        .returns(|rows, options| {
            let (time, event) = (rows.numbers(0), rows.events(1));
            let training = match (&options.training_time, &options.training_event) {
                (Some(time), Some(event)) => (time.as_slice(), event.as_slice()),
                _ => (time, event),
            };
            uno(training, (time, event), rows.numbers(2), options.tau, options.side, options.tied_tolerance).map_err(Problem::user)
        })
}
