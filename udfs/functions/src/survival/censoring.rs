//! Whose censoring weights a Brier score: options that its functions share.

use esccsql_survival::censoring::{Censoring, Side};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::shape::{Problem, options};

/// A list of events in options: true and false, or 1 and 0, as the argument `event` takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Events(pub Vec<bool>);

impl<'de> Deserialize<'de> for Events {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = |value: &Value| match value {
            Value::Bool(event) => Ok(*event),
            Value::Number(number) if number.as_f64() == Some(0.0) => Ok(false),
            Value::Number(number) if number.as_f64() == Some(1.0) => Ok(true),
            other => {
                let found = if other.is_null() { "NULL".into() } else { other.to_string() };
                Err(serde::de::Error::custom(format!("an event is TRUE, FALSE, 1 or 0, got {found}")))
            }
        };
        Vec::<Value>::deserialize(deserializer)?.iter().map(event).collect::<Result<_, _>>().map(Events)
    }
}

options! {
    pub struct Options {
        /// Follow-up of the rows whose censoring gives the weights, usually the training rows, as a list: (SELECT list(months) FROM training). By default the scored rows.
        training_time: Option<Vec<f64>> = None,
        /// Their events, a list too, of true and false or 1 and 0.
        training_event: Option<Events> = None,
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
        (Some(time), Some(event)) if time.len() == event.0.len() => Ok(()),
        _ => Err("`training_time` and `training_event` must both be given, with one value per row".into()),
    }
}

impl Options {
    /// The training rows' curve, if they are given.
    pub fn censoring(&self) -> Result<Option<Censoring>, Problem> {
        match (&self.training_time, &self.training_event) {
            (Some(time), Some(event)) => Censoring::fit(time, &event.0).map(Some).map_err(Problem::user),
            _ => Ok(None),
        }
    }

    pub fn bootstrap(&self) -> esccsql_survival::bootstrap::BootstrapOptions {
        esccsql_survival::bootstrap::BootstrapOptions { resamples: self.resamples, seed: self.seed, level: self.conf_level }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Options as _;
    use serde_json::json;

    #[test]
    fn training_events_are_truths_or_one_and_zero() {
        let parse = |events: Value| Options::parse(&json!({"training_time": [1, 2.5, 3], "training_event": events}));
        let expected = Some(Events(vec![true, false, true]));
        for events in [json!([true, false, true]), json!([1, 0, 1]), json!([1.0, 0.0, true])] {
            assert_eq!(parse(events).unwrap().training_event, expected);
        }
        assert_eq!(
            parse(json!(null)).unwrap_err().to_string(),
            "options: `training_time` and `training_event` must both be given, with one value per row"
        );
        for (events, found) in [(json!([1, 2, 0]), "2"), (json!([1, "yes", 0]), "\"yes\""), (json!([1, null, 0]), "NULL")] {
            let expected = format!("options: an event is TRUE, FALSE, 1 or 0, got {found} (option `training_event`)");
            assert_eq!(parse(events).unwrap_err().to_string(), expected);
        }
        assert!(parse(json!(1)).unwrap_err().to_string().contains("expected a LIST (option `training_event`)"));
    }
}
