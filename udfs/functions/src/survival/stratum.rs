//! Which stratum of a Cox model a predicted row belongs to: options that predictions share.

use esccsql_survival::cox::CoxFit;
use serde_json::Value;

use crate::shape::{Problem, Trained, options, shorten};

options! {
    pub struct Options {
        /// Stratum of the row, for a model fitted with 'strata'.
        strata: Value = Value::Null,
        /// Known part of the row's linear predictor, for a model fitted with 'offset'.
        offset: f64 = 0.0,
        /// Level of the intervals.
        conf_level: f64 = 0.95,
    }
}

impl Options {
    /// The code of the row's stratum; `None` for a model without strata.
    pub fn stratum(&self, trained: &Trained<CoxFit>) -> Result<Option<u32>, Problem> {
        let levels = &trained.header.summary.strata;
        let label = match &self.strata {
            Value::Null if levels.is_empty() => return Ok(None),
            Value::Null => {
                let known = shorten(levels);
                return Err(Problem::user(format!(
                    "this model has strata ({known}): name the row's, as in {{'strata': {}}}",
                    shorten(&levels[..1])
                )));
            }
            _ if levels.is_empty() => return Err(Problem::user("this model was fitted without strata: leave the option `strata` out")),
            Value::String(label) => label.clone(),
            other => other.to_string(),
        };
        // A DOUBLE label of the fit was read as 3.0, the option's number as 3.
        let known = |level: &&String| **level == label || **level == format!("{label}.0");
        match levels.iter().find(known).and_then(|level| levels.binary_search(level).ok()) {
            Some(code) => Ok(Some(code as u32)),
            None => Err(Problem::user(format!("stratum '{label}' was not in the fit, which has {}", shorten(levels)))),
        }
    }
}
