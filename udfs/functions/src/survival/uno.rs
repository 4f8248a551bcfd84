//! Whose censoring weights Uno's concordance, and how its pairs count: options that its functions share.

use esccsql_survival::bootstrap::BootstrapOptions;
use esccsql_survival::brier::CensoringFrom;
use esccsql_survival::censoring::{Censoring, Side};
use esccsql_survival::uno::UnoOptions;

use super::censoring::Events;
use crate::shape::{Problem, options};

options! {
    pub struct Options {
        /// Follow-up of the rows whose censoring gives the weights, usually the training rows, as a list: (SELECT list(months) FROM training). By default the scored rows.
        training_time: Option<Vec<f64>> = None,
        /// Their events, a list too, of true and false or 1 and 0.
        training_event: Option<Events> = None,
        /// Events at or after it do not count.
        tau: Option<f64> = None,
        /// The censoring curve 'at' an event's time (scikit-survival) or just 'before' it (R).
        side: Side = Side::At,
        /// Risks at most this far apart are tied; scikit-survival has 1e-8.
        tied_tolerance: f64 = 0.0,
        /// Bootstrap resamples, for c_index_uno_ci and c_index_uno_compare.
        resamples: usize = 1000,
        /// Seed of the resamples.
        seed: u64 = 1,
        /// Level of the interval.
        conf_level: f64 = 0.95,
    }
    check |options| match (&options.training_time, &options.training_event) {
        (None, None) => Ok(()),
        (Some(time), Some(event)) if time.len() == event.0.len() => Ok(()),
        _ => Err("`training_time` and `training_event` must both be given, with one value per row".into()),
    }
}

impl Options {
    /// The training rows' curve, if they are given.
    pub fn training(&self) -> Result<Option<Censoring>, Problem> {
        match (&self.training_time, &self.training_event) {
            (Some(time), Some(event)) => Censoring::fit(time, &event.0).map(Some).map_err(Problem::user),
            _ => Ok(None),
        }
    }

    pub fn kernel<'a>(&self, training: &'a Option<Censoring>) -> UnoOptions<'a> {
        let censoring = training.as_ref().map_or(CensoringFrom::SameRows, CensoringFrom::Training);
        UnoOptions { censoring, tau: self.tau, side: self.side, tied_tolerance: self.tied_tolerance }
    }

    pub fn bootstrap(&self) -> BootstrapOptions {
        BootstrapOptions { resamples: self.resamples, seed: self.seed, level: self.conf_level }
    }
}
