//! Decision curves: the net benefit of acting on a model over the threshold probability.
//!
//! Vickers & Elkin, Medical Decision Making 2006;26:565.

use crate::axes;
use crate::canvas::draw;
use crate::document::Told;
use crate::error::PlotError;
use crate::line::{Chart, Line, check, told};
use crate::style::Style;

/// The figure: x is the threshold probability, y the net benefit, a line per model or strategy.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DecisionCurvePlot {
    pub lines: Vec<Line>,
    /// Limits of the vertical axis; by default from a little below 0, where no strategy is worth reading, to the best one.
    pub y_range: Option<(f64, f64)>,
    pub style: Style,
}

/// Draws the figure; what lies below the axis is cut off.
///
/// # Errors
/// Those of [`crate::line_plot`], and a threshold outside 0 to 1.
pub fn decision_curve_plot(figure: &DecisionCurvePlot) -> Result<String, PlotError> {
    figure.style.check()?;
    check(&figure.lines)?;
    for line in &figure.lines {
        if let Some(row) = line.x.iter().position(|x| !(0.0..=1.0).contains(x)) {
            let place = format!("in row {} of series '{}'", row + 1, line.label);
            return Err(PlotError::OutOfRange { what: "threshold", value: line.x[row], place, expected: "a probability between 0 and 1" });
        }
    }
    let best = figure.lines.iter().flat_map(|line| line.y.iter().copied()).fold(0.0, f64::max);
    let top = if best > 0.0 { best * 1.08 } else { 0.1 };
    let y_range = figure.y_range.filter(|(from, to)| from < to).unwrap_or((-0.15 * top, top));
    let words = Told {
        title: figure.style.title.clone().unwrap_or_else(|| "Decision curves".into()),
        description: format!("Net benefit over threshold probability. {}.", figure.lines.iter().map(told).collect::<Vec<_>>().join("; ")),
    };
    let chart = Chart {
        lines: &figure.lines,
        x_label: figure.style.x_label.clone().unwrap_or_else(|| "Threshold probability".into()),
        y_label: figure.style.y_label.clone().unwrap_or_else(|| "Net benefit".into()),
        time_unit: None,
        y_range: Some(y_range),
        references: vec![0.0],
        markers: false,
    };
    draw(&figure.style, figure.style.height_or((figure.style.width() * 0.62).clamp(300.0, 460.0)), &words, |canvas| {
        let top = axes::title(canvas, &figure.style);
        chart.paint(canvas, top);
    })
}
