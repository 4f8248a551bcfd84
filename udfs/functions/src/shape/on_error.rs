//! The option `on_error`: whether what cannot be computed is the statement's error, or NULL and a line of `esccsql_errors()`.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::doc::{Doc, OptionDoc};
use super::error::Problem;
use super::interrupt::is_interrupted;

const KEY: &str = "on_error";

/// What a failure means to a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnError {
    #[default]
    Fail,
    Null,
}

impl OnError {
    /// The option's documentation; `what` is the row or the group that may fail.
    pub fn doc(what: &str) -> OptionDoc {
        let description = format!("'null' gives NULL for a {what} that fails, and a line in esccsql_errors().");
        OptionDoc { name: KEY, default: "'fail'".into(), description }
    }

    /// Takes the option out of a call's options, where the function has it.
    pub fn take(doc: &Doc, options: &mut Value) -> Result<Self, Problem> {
        if doc.options.iter().all(|option| option.name != KEY) {
            return Ok(Self::Fail);
        }
        let given = options.as_object_mut().and_then(|fields| fields.remove(KEY));
        match given.as_ref().map(|value| value.as_str()) {
            None | Some(Some("fail")) => Ok(Self::Fail),
            Some(Some("null")) => Ok(Self::Null),
            _ => Err(Problem::user("options: `on_error` is 'fail' or 'null'")),
        }
    }

    /// Notes a problem with the user's input where that may be; gives back any other, and the end that the user asked for.
    pub fn note(self, function: &str, problem: Problem, arguments: &dyn Fn() -> String) -> Result<(), Problem> {
        if self == Self::Fail || matches!(problem, Problem::Bug(_)) || is_interrupted() {
            return Err(problem);
        }
        let case = FailedCase { function: function.into(), arguments: arguments(), message: problem.to_string() };
        failed().insert(case);
        Ok(())
    }
}

/// A row that a function with `'on_error': 'null'` could not do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FailedCase {
    pub function: String,
    /// What tells the row from others.
    pub arguments: String,
    pub message: String,
}

/// The same failure is kept once.
static FAILED: Mutex<BTreeSet<FailedCase>> = Mutex::new(BTreeSet::new());

fn failed() -> MutexGuard<'static, BTreeSet<FailedCase>> {
    FAILED.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The failed rows since the program started or since [`forget_failed_cases`], sorted.
pub fn failed_cases() -> Vec<FailedCase> {
    failed().iter().cloned().collect()
}

/// Empties the list of failed rows.
pub fn forget_failed_cases() {
    failed().clear();
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn taking() -> Doc {
        Doc { name: "f".into(), options: vec![OnError::doc("row")], ..Doc::default() }
    }

    #[test]
    fn it_is_taken_out_of_the_options() {
        let mut options = json!({"on_error": "null", "seed": 1});
        assert_eq!(OnError::take(&taking(), &mut options), Ok(OnError::Null));
        assert_eq!(options, json!({"seed": 1}));
        assert!(OnError::take(&taking(), &mut json!({"on_error": "skip"})).is_err());
        assert_eq!(OnError::take(&Doc::default(), &mut json!({"on_error": "skip"})), Ok(OnError::Fail));
    }

    #[test]
    fn a_bug_is_never_a_null() {
        let bug = Problem::bug("lost a row");
        assert_eq!(OnError::Null.note("f", bug.clone(), &String::new), Err(bug));
        assert_eq!(OnError::Null.note("f", Problem::user("a scan is missing"), &String::new), Ok(()));
        assert!(OnError::Fail.note("f", Problem::user("a scan is missing"), &String::new).is_err());
    }
}
