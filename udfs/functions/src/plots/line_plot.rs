//! Lines of y over x by series, such as C-index and AUC over time.

use esccsql_plots::LinePlot;

use super::lines::{lines, range};
use super::style::figure_options;
use crate::shape::{Function, Kind, Problem, collect};

figure_options! {
    /// Unit of x where x is a time, such as 'months', which names the axis and sets its ticks.
    time_unit: Option<String> = None,
    /// [from, to] of the vertical axis; what lies beyond is cut off.
    y_range: Option<[f64; 2]> = None,
    /// A dashed line across, such as 0.5 for a C-index.
    reference: Option<f64> = None,
    /// Series in the order of the legend.
    order: Vec<String> = Vec::new();
    check |options| range("y_range", options.y_range)
}

pub fn line_plot() -> Function {
    collect("line_plot", "Lines of y over x by series as SVG, with a band between `lower` and `upper` if they are given.")
        .arg("x", Kind::Number, "the horizontal value, such as a time")
        .arg("y", Kind::Number, "the vertical value")
        .arg("series", Kind::Label, "the line that the point belongs to")
        .optional("lower", Kind::Number, "lower limit of y")
        .optional("upper", Kind::Number, "upper limit of y")
        .options::<Options>()
        .example(
            "SELECT line_plot(time, survival, cohort, lower, upper, {'time_unit': 'months', 'y_label': 'Survival'})
 FROM (SELECT cohort, site, unnest(km_fit(months, died), recursive := true) FROM patients\nGROUP BY cohort, site)",
        )
        .returns(|rows, options| {
            esccsql_plots::line_plot(&LinePlot {
                lines: lines(rows, &options.order)?,
                time_unit: options.time_unit.clone(),
                y_range: options.y_range.map(|[from, to]| (from, to)),
                reference: options.reference,
                style: options.style(rows),
            })
            .map_err(Problem::user)
        })
}
