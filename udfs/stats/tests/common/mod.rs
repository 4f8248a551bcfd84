//! Reference values made with R, beside the repository; each case carries its own tolerance.

use serde_json::Value;

/// The cases of `<kind>.json`, or none with a word about it when the folder is not there.
pub fn cases(kind: &str) -> Vec<Value> {
    let path = format!("../../../shared/reference/survival/{}.json", kind);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: ../shared is not here");
        return Vec::new();
    };
    let json: Value = serde_json::from_str(&text).unwrap();
    let cases = json["cases"].as_array().unwrap().clone();
    assert!(!cases.is_empty(), "{kind}.json holds no case");
    cases
}

/// R writes numbers as words where JSON has none.
pub fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some("Inf") => f64::INFINITY,
        Some("-Inf") => f64::NEG_INFINITY,
        Some(word) => panic!("{word} is no number"),
        None => value.as_f64().unwrap_or_else(|| panic!("{value} is no number")),
    }
}

#[allow(dead_code)]
pub fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

/// Compares with the tolerance of the case and names what differs.
#[track_caller]
pub fn check(case: &Value, name: &str, got: f64, want: &Value) {
    let want = number(want);
    let (rel, abs) = (number(&case["tol"]["rel"]), number(&case["tol"]["abs"]));
    let close = got == want || (got - want).abs() <= abs + rel * want.abs();
    assert!(close, "{} {name}: got {got:e}, reference {want:e}, relative difference {:e}", case["id"], (got - want).abs() / want.abs());
}
