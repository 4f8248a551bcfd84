//! Net benefit over the threshold probability.

use esccsql_plots::DecisionCurvePlot;

use super::lines::{lines, range};
use super::style::figure_options;
use crate::shape::{Function, Kind, Problem, collect};

figure_options! {
    /// [from, to] of the vertical axis; by default from a little below 0 to the best benefit.
    y_range: Option<[f64; 2]> = None,
    /// Series in the order of the legend.
    order: Vec<String> = Vec::new();
    check |options| range("y_range", options.y_range)
}

pub fn decision_curve_plot() -> Function {
    collect("decision_curve_plot", "Decision curves as SVG: net benefit over threshold probability, a line per model or strategy.")
        .arg("threshold", Kind::Number, "threshold probability, 0 to 1")
        .arg("net_benefit", Kind::Number, "net benefit at the threshold")
        .arg("series", Kind::Label, "model or strategy, such as 'treat all'")
        .options::<Options>()
        .source("Vickers & Elkin, Medical Decision Making 2006;26:565")
        .example("SELECT decision_curve_plot(volume / 110, 0.4 - volume / 110, cohort) FROM patients")
        .returns(|rows, options| {
            esccsql_plots::decision_curve_plot(&DecisionCurvePlot {
                lines: lines(rows, &options.order)?,
                y_range: options.y_range.map(|[from, to]| (from, to)),
                style: options.style(rows),
            })
            .map_err(Problem::user)
        })
}
