//! Rows of (x, y, series[, lower, upper]) as a figure's lines.

use esccsql_plots::Line;

use super::labels::{distinct, rows_of};
use crate::shape::{Problem, Rows};

/// The lines by series, each by ascending x (the rows' canonical order).
pub(super) fn lines(rows: &Rows, order: &[String]) -> Result<Vec<Line>, Problem> {
    if rows.has(3) && !rows.has(4) {
        return Err(Problem::user("`lower` needs `upper` behind it"));
    }
    let texts = rows.texts(2);
    let pick = |argument: usize, places: &[usize]| places.iter().map(|&row| rows.numbers(argument)[row]).collect::<Vec<f64>>();
    let line = |(label, places): (&String, Vec<usize>)| Line {
        label: label.clone(),
        x: pick(0, &places),
        y: pick(1, &places),
        limits: rows.has(4).then(|| (pick(3, &places), pick(4, &places))),
    };
    Ok(rows_of(texts, &distinct(texts, order)).map(line).collect())
}

/// [from, to] with from < to.
pub(super) fn range(name: &str, range: Option<[f64; 2]>) -> Result<(), String> {
    match range {
        Some([from, to]) if from >= to => Err(format!("`{name}` is [{from}, {to}]; expected two numbers, the smaller first")),
        _ => Ok(()),
    }
}
