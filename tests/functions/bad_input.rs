//! What every function of survival says of bad rows. Driven by the functions' own examples, so that a new function is held to it too:
//! it fails with its name and words that tell what to do, or gives a result; it never blames itself, and the session lives on.

use esccsql::engine::duckdb::Session;

use crate::{desk, sql};

/// The survival aggregates that take time and event first, with the call of their example.
fn calls() -> Vec<(String, sql::Call<'static>)> {
    calls_of(|_| true)
}

/// Those of them whose second argument is an event and not a cause.
fn calls_of_events() -> Vec<(String, sql::Call<'static>)> {
    calls_of(|second| second == "event")
}

fn calls_of(second: impl Fn(&str) -> bool) -> Vec<(String, sql::Call<'static>)> {
    let topics = esccsql_functions::all().into_iter().filter(|(topic, _)| *topic == "survival");
    let aggregates = topics.flat_map(|(_, functions)| functions).filter(|function| function.kind() == "aggregate");
    aggregates
        .filter(|function| matches!(function.doc.arguments.as_slice(), [first, other, ..] if first.name == "time" && second(other.name)))
        .map(|function| {
            let name = function.doc.name.clone();
            let call = sql::call(function.doc.example, &name).unwrap_or_else(|| panic!("{name}: no call in its example"));
            assert!(call.call.starts_with(&format!("{name}(months, ")), "{name}: its example begins with another time");
            (name, call)
        })
        .collect()
}

/// The error of a call, if it fails; an error that is none of the user's is a failure of the test.
fn error(session: &Session, name: &str, call: &str, from: &str) -> Option<String> {
    let told = sql::rows(session, &format!("SELECT {call} AS result FROM {from}")).err()?;
    assert!(told.contains(&format!("{name}: ")), "{name} does not name itself: {told}");
    assert!(!told.contains("esccsql bug") && !told.contains("panicked"), "{told}");
    assert_eq!(sql::rows(session, "SELECT 1").map(|rows| rows.len()), Ok(1), "the session after {told}");
    Some(told)
}

#[test]
fn times_that_are_none_are_refused_by_every_function() {
    let session = desk::session();
    let mut problems = Vec::new();
    for (name, call) in calls() {
        let rest = &call.call[name.len() + "(months".len()..];
        for (time, said) in [("-months", "follow-up times start at 0"), ("'nan'::DOUBLE", "finite"), ("'inf'::DOUBLE", "finite")] {
            match error(&session, &name, &format!("{name}({time}{rest}"), call.from) {
                Some(told) if told.contains(said) => {}
                told => problems.push(format!("{name} of time {time}: {told:?}")),
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn events_that_are_none_are_refused_by_every_function() {
    let session = desk::session();
    for (name, call) in calls_of_events() {
        let rest = call.call.strip_prefix(&format!("{name}(months, died")).unwrap_or_else(|| panic!("{name}: its event is not died"));
        let told = error(&session, &name, &format!("{name}(months, 2{rest}"), call.from).unwrap_or_default();
        assert!(told.contains("an event is TRUE, FALSE, 1 or 0, got 2"), "{name}: {told}");
    }
}

#[test]
fn all_censored_and_all_dead_are_told_or_computed() {
    let session = desk::session();
    for (name, call) in calls_of_events() {
        let rest = &call.call[name.len() + "(months, died".len()..];
        // Without events there is nothing to learn or compare: curves alone have a result.
        let told = error(&session, &name, &format!("{name}(months, false{rest}"), call.from);
        let is_curve = ["km_", "nelson_aalen", "rmst", "brier", "integrated_brier", "calibration_curve", "decision_curve"];
        match told {
            None => assert!(
                is_curve.iter().any(|prefix| name.starts_with(prefix)) || name == "auc_td" || name == "cv_folds",
                "{name} has a result"
            ),
            Some(told) => assert!(told.contains("event"), "{name}: {told}"),
        }
        error(&session, &name, &format!("{name}(months, true{rest}"), call.from);
    }
}

#[test]
fn one_or_two_subjects_and_equal_times_are_told_or_computed() {
    let session = desk::session();
    for (name, call) in calls() {
        for few in ["patient_id = 'P001'", "patient_id <= 'P002'", "died", "NOT died"] {
            let from = call.from.replacen("patients", &format!("(FROM patients WHERE {few})"), 1);
            error(&session, &name, call.call, &from);
        }
        let rest = &call.call[name.len() + "(months".len()..];
        error(&session, &name, &format!("{name}(12{rest}"), call.from);
        error(&session, &name, &format!("{name}(0{rest}"), call.from);
    }
}

/// A feature that is not finite is named by each function that takes features.
#[test]
fn features_that_are_not_finite_are_named() {
    let session = desk::session();
    let takes_features = |call: &str| call.contains("{'age': age");
    let calls: Vec<_> = calls().into_iter().filter(|(_, call)| takes_features(call.call)).collect();
    assert!(calls.len() > 4);
    for (name, call) in calls {
        for value in ["'nan'::DOUBLE", "'-inf'::DOUBLE"] {
            let bad = call.call.replacen("{'age': age", &format!("{{'age': CASE WHEN age > 60 THEN {value} ELSE age END"), 1);
            let told = error(&session, &name, &bad, call.from).unwrap_or_default();
            assert!(told.contains("feature 'age' is NaN or infinite") && told.contains("remove or impute"), "{name}: {told}");
        }
        // Constant and collinear features are told in the model's warnings, or refused in words.
        for extra in ["'one': 1", "'twice': 2 * age"] {
            let more = call.call.replacen("{'age': age", &format!("{{'age': age, {extra}"), 1);
            error(&session, &name, &more, call.from);
        }
    }
}
