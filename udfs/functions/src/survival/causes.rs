//! Causes of events as numbers.

use crate::shape::Problem;

/// 0 for a censored row, else the number of its cause.
pub fn causes(numbers: &[f64]) -> Result<Vec<u32>, Problem> {
    numbers.iter().map(|&number| cause(number, 0.0)).collect()
}

/// The number of one cause.
pub fn one_cause(number: f64) -> Result<u32, Problem> {
    cause(number, 1.0)
}

fn cause(number: f64, least: f64) -> Result<u32, Problem> {
    if number >= least && number.fract() == 0.0 && number < f64::from(u32::MAX) {
        return Ok(number as u32);
    }
    let censored = if least == 0.0 { "0 for a censored row, " } else { "" };
    Err(Problem::user(format!("cause is {number}; expected {censored}1, 2, ... for the causes")))
}
