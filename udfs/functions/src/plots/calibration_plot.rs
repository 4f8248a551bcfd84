//! Observed against predicted probability.

use esccsql_plots::{CalibrationPlot, CalibrationPoint};

use super::style::figure_options;
use crate::shape::{Function, Kind, Problem, collect};

figure_options! {
    /// Both axes from 0 to 1, however small the probabilities are.
    whole: bool = false;
    check |_options| Ok(())
}

pub fn calibration_plot() -> Function {
    collect("calibration_plot", "Calibration as SVG: observed against predicted probability with intervals, and the diagonal.")
        .arg("predicted", Kind::Number, "mean predicted probability of a group of patients")
        .arg("observed", Kind::Number, "observed probability of the group")
        .arg("lower", Kind::Number, "lower limit of the observed")
        .arg("upper", Kind::Number, "upper limit of the observed")
        .options::<Options>()
        .example(
            "SELECT calibration_plot(volume / 100, volume / 110, volume / 130, volume / 100, {'title': 'Two-year survival'}) FROM patients",
        )
        .returns(|rows, options| {
            let point = |row: usize| CalibrationPoint {
                predicted: rows.numbers(0)[row],
                observed: rows.numbers(1)[row],
                lower: rows.numbers(2)[row],
                upper: rows.numbers(3)[row],
            };
            let points = (0..rows.len()).map(point).collect();
            esccsql_plots::calibration_plot(&CalibrationPlot { points, whole: options.whole, style: options.style(rows) })
                .map_err(Problem::user)
        })
}
