//! Calibration: observed against predicted probability, with intervals.

use crate::axes::{self, MARGIN, Panel, SMALL, Scale};
use crate::canvas::{Align, Canvas, Ink, draw};
use crate::document::Told;
use crate::error::PlotError;
use crate::measure::wrap;
use crate::number::short;
use crate::style::Style;
use crate::ticks;

/// A group of patients of like prediction.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CalibrationPoint {
    /// Mean predicted probability.
    pub predicted: f64,
    /// Observed probability (Kaplan-Meier) with its limits.
    pub observed: f64,
    pub lower: f64,
    pub upper: f64,
}

/// The figure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CalibrationPlot {
    pub points: Vec<CalibrationPoint>,
    /// Both axes from 0 to 1; else to a little beyond the largest value.
    pub whole: bool,
    pub style: Style,
}

const MOST_POINTS: usize = 200;

/// Draws the figure, as high as wide, with the diagonal on which a calibrated model lies.
///
/// # Errors
/// No point, more than two hundred, values outside 0 to 1.
pub fn calibration_plot(figure: &CalibrationPlot) -> Result<String, PlotError> {
    let style = &figure.style;
    style.check()?;
    let mut points = figure.points.clone();
    points.sort_by(|a, b| a.predicted.total_cmp(&b.predicted));
    if points.is_empty() {
        return Err(PlotError::Empty);
    }
    if points.len() > MOST_POINTS {
        let instead = "group the patients, for example into tenths, with calibration_curve";
        return Err(PlotError::TooMany { what: "points", found: points.len(), most: MOST_POINTS, instead });
    }
    for (row, point) in points.iter().enumerate() {
        let columns = [("predicted", point.predicted), ("observed", point.observed), ("lower", point.lower), ("upper", point.upper)];
        if let Some((what, value)) = columns.into_iter().find(|(_, value)| !(-1e-9..=1.0 + 1e-9).contains(value)) {
            let place = format!("in row {} by predicted", row + 1);
            return Err(PlotError::OutOfRange { what, value, place, expected: "a probability between 0 and 1" });
        }
    }
    let told = Told {
        title: style.title.clone().unwrap_or_else(|| "Calibration".into()),
        description: format!(
            "Observed against predicted probability. {}.",
            points
                .iter()
                .map(|p| format!("{} predicted, {} observed", short(p.predicted), short(p.observed)))
                .collect::<Vec<_>>()
                .join("; ")
        ),
    };
    let title = wrap(style.title.as_deref().unwrap_or_default(), 15.0, style.width() - 24.0).len() as f64 * 20.0;
    // A figure of its own choice of size is square.
    let mut style = style.clone();
    style.width = Some(style.width.unwrap_or(460));
    let height = style.height_or(style.width().min(520.0) + title);
    draw(&style, height, &told, |canvas| paint(canvas, figure, &points))
}

fn paint(canvas: &mut Canvas, figure: &CalibrationPlot, points: &[CalibrationPoint]) {
    let style = &figure.style;
    let x_label = style.x_label.clone().unwrap_or_else(|| "Predicted probability".into());
    let y_label = style.y_label.clone().unwrap_or_else(|| "Observed probability".into());
    let largest = points.iter().flat_map(|p| [p.predicted, p.observed, p.upper]).fold(0.0, f64::max);
    let step = if figure.whole || largest > 0.5 { 0.2 } else { ticks::step(largest.max(0.01), 5) };
    let end = if figure.whole { 1.0 } else { ((largest / step).ceil() * step).min(1.0) };
    let axis = ticks::every(step, 0.0, end);

    let top = axes::title(canvas, style) + 6.0;
    let left = axes::left_room(&axis, &y_label);
    let bottom = canvas.height - axes::bottom_room(&x_label) - MARGIN;
    let right = canvas.width - MARGIN - 10.0;
    // The diagonal is at 45 degrees.
    let side = (right - left).min(bottom - top);
    let panel = Panel { x: Scale::new((0.0, end), (left, left + side)), y: Scale::new((0.0, end), (bottom, bottom - side)) };
    axes::y_axis(canvas, &panel, &axis, &y_label);
    canvas.line([panel.at(0.0, 0.0), panel.at(end, end)], Ink::Reference, 1.2);
    for point in points {
        let x = panel.x.at(point.predicted);
        let (lower, upper) = (panel.y.at(point.lower.max(0.0)), panel.y.at(point.upper.min(1.0)));
        canvas.line([(x, lower), (x, upper)], Ink::Solid(0), 1.5);
        [lower, upper].into_iter().for_each(|y| canvas.line([(x - 4.0, y), (x + 4.0, y)], Ink::Solid(0), 1.5));
    }
    canvas.line(points.iter().map(|p| panel.at(p.predicted, p.observed)), Ink::Solid(0), 1.8);
    points.iter().for_each(|p| canvas.marker(0, panel.at(p.predicted, p.observed), 4.0));
    axes::x_axis(canvas, &panel, &axis, &x_label);
    // In the corner that the curve of a useful model leaves free.
    let (x, y) = (panel.right() - 8.0, panel.bottom() - 14.0);
    canvas.line([(x - 62.0, y), (x - 36.0, y)], Ink::Reference, 1.2);
    canvas.text("Ideal", (x, y), SMALL, Align::End, Ink::Quiet);
}
