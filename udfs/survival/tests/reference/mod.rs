//! Reading the reference values beside the repository.
#![allow(dead_code)] // Each test file uses its own part.

use serde_json::Value;
use std::path::PathBuf;

pub fn folder() -> PathBuf {
    PathBuf::from("../../../shared/reference/survival")
}

/// A reference file, or `None` (said aloud) where the references are not installed.
pub fn load(name: &str) -> Option<Value> {
    let path = folder().join(name);
    if !path.exists() {
        println!("skipped: ../shared is not here");
        return None;
    }
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

/// A data set: names and columns, with the outcome apart.
pub struct Data {
    pub time: Vec<f64>,
    pub event: Vec<bool>,
    pub names: Vec<String>,
    pub columns: Vec<Vec<f64>>,
}

impl Data {
    pub fn read(name: &str) -> Self {
        let text = std::fs::read_to_string(folder().join("data").join(name)).unwrap();
        let mut lines = text.lines();
        let header: Vec<String> = lines.next().unwrap().split(',').map(|n| n.trim_matches('"').to_string()).collect();
        let mut columns = vec![Vec::new(); header.len()];
        for line in lines {
            for (column, cell) in columns.iter_mut().zip(line.split(',')) {
                column.push(cell.parse::<f64>().unwrap());
            }
        }
        let take = |name: &str| columns[header.iter().position(|h| h == name).unwrap()].clone();
        let (time, status) = (take("time"), take("status"));
        let keep: Vec<usize> = (0..header.len()).filter(|&j| header[j] != "time" && header[j] != "status").collect();
        Self {
            time,
            event: status.iter().map(|&s| s == 1.0).collect(),
            names: keep.iter().map(|&j| header[j].clone()).collect(),
            columns: keep.iter().map(|&j| columns[j].clone()).collect(),
        }
    }

    pub fn column(&self, name: &str) -> &[f64] {
        let at = self.names.iter().position(|n| n == name);
        &self.columns[at.unwrap_or_else(|| panic!("no column {name}"))]
    }

    pub fn rows(&self, rows: &[usize]) -> Self {
        Self {
            time: rows.iter().map(|&i| self.time[i]).collect(),
            event: rows.iter().map(|&i| self.event[i]).collect(),
            names: self.names.clone(),
            columns: self.columns.iter().map(|c| rows.iter().map(|&i| c[i]).collect()).collect(),
        }
    }

    /// n x p.
    pub fn matrix(&self) -> ndarray::Array2<f64> {
        ndarray::Array2::from_shape_fn((self.time.len(), self.columns.len()), |(i, j)| self.columns[j][i])
    }

    /// The risk expressions of the reference cases.
    pub fn risk(&self, expression: &str) -> Vec<f64> {
        let row = |i: usize| {
            let x = |name: &str| self.column(name)[i];
            match expression {
                "-karno" => -x("karno"),
                "round(-karno/20)" => (-x("karno") / 20.0).round_ties_even(),
                "age/10 - ph.karno/100" => x("age") / 10.0 - x("ph.karno") / 100.0,
                "log(bili)" => x("bili").ln(),
                "-bmi" => -x("bmi"),
                "-progrec" => -x("progrec"),
                "x1 - x2 + x3" => x("x1") - x("x2") + x("x3"),
                "x1 - x2" => x("x1") - x("x2"),
                "x1 + 0.1*x5" => x("x1") + 0.1 * x("x5"),
                name => x(name),
            }
        };
        (0..self.time.len()).map(row).collect()
    }
}

pub fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

pub fn indices(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

/// Numbers with "Inf", "-Inf" and null.
pub fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some("Inf") => f64::INFINITY,
        Some("-Inf") => f64::NEG_INFINITY,
        Some(other) => panic!("not a number: {other}"),
        None => value.as_f64().unwrap_or(f64::NAN),
    }
}

pub struct Tolerance {
    pub relative: f64,
    pub absolute: f64,
}

impl Tolerance {
    pub fn of(case: &Value) -> Self {
        Self { relative: number(&case["tol"]["rel"]), absolute: number(&case["tol"]["abs"]) }
    }

    #[track_caller]
    pub fn check(&self, what: &str, found: f64, expected: f64) {
        if found == expected || (found.is_nan() && expected.is_nan()) {
            return;
        }
        let allowed = self.absolute + self.relative * expected.abs();
        assert!((found - expected).abs() <= allowed, "{what}: found {found:e}, expected {expected:e}");
    }

    #[track_caller]
    pub fn check_all(&self, what: &str, found: &[f64], expected: &Value) {
        let expected = numbers(expected);
        assert_eq!(found.len(), expected.len(), "{what}: length");
        for (k, (&found, &expected)) in found.iter().zip(&expected).enumerate() {
            self.check(&format!("{what}[{k}]"), found, expected);
        }
    }
}
