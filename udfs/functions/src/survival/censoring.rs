//! Whose censoring weights a Brier score: options that its functions share.

use esccsql_survival::censoring::{Censoring, Side};

use crate::shape::{Problem, options};

options! {
    pub struct Options {
        /// Follow-up of the rows whose censoring gives the weights, usually the training rows, as a list: (SELECT list(months) FROM training). By default the scored rows.
        training_time: Option<Vec<f64>> = None,
        /// Their events, a list too.
        training_event: Option<Vec<bool>> = None,
        /// The censoring curve 'at' a row's time (scikit-survival) or just 'before' it (R).
        side: Side = Side::At,
        /// Bootstrap resamples.
        resamples: usize = 1000,
        /// Seed of the resamples.
        seed: u64 = 1,
        /// Level of the interval.
        conf_level: f64 = 0.95,
    }
    check |options| match (&options.training_time, &options.training_event) {
        (None, None) => Ok(()),
        (Some(time), Some(event)) if time.len() == event.len() => Ok(()),
        _ => Err("`training_time` and `training_event` must both be given, with one value per row".into()),
    }
}

impl Options {
    /// The training rows' curve, if they are given.
    pub fn censoring(&self) -> Result<Option<Censoring>, Problem> {
        match (&self.training_time, &self.training_event) {
            (Some(time), Some(event)) => Censoring::fit(time, event).map(Some).map_err(Problem::user),
            _ => Ok(None),
        }
    }

    pub fn bootstrap(&self) -> esccsql_survival::bootstrap::BootstrapOptions {
        esccsql_survival::bootstrap::BootstrapOptions { resamples: self.resamples, seed: self.seed, level: self.conf_level }
    }
}
