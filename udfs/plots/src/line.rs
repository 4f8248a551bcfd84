//! Lines of y over x by series, with bands: C-index and AUC over time.

use crate::axes::{self, Key, MARGIN, Panel, Scale};
use crate::canvas::{Canvas, Ink, Point, draw};
use crate::document::Told;
use crate::error::{PlotError, finite, same_length};
use crate::number::short;
use crate::style::Style;
use crate::ticks::{self, Ticks};

/// A series: points by ascending x, with or without limits.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Line {
    pub label: String,
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    /// Lower and upper limit at each x.
    pub limits: Option<(Vec<f64>, Vec<f64>)>,
}

/// The figure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LinePlot {
    pub lines: Vec<Line>,
    /// Makes x a time in this unit.
    pub time_unit: Option<String>,
    /// Limits of the vertical axis; what lies beyond is cut off.
    pub y_range: Option<(f64, f64)>,
    /// A dashed line across, such as the 0.5 of a C-index that knows nothing.
    pub reference: Option<f64>,
    pub style: Style,
}

pub(crate) const MOST_SERIES: usize = 20;

/// Draws the figure; series of few points have markers too.
///
/// # Errors
/// No point, more than twenty series, columns of different lengths, values that are not finite, limits that are none.
pub fn line_plot(figure: &LinePlot) -> Result<String, PlotError> {
    figure.style.check()?;
    check(&figure.lines)?;
    if let Some((from, to)) = figure.y_range
        && !(from.is_finite() && to.is_finite() && from < to)
    {
        return Err(PlotError::BadOption {
            option: "y_range",
            found: format!("[{from}, {to}]"),
            expected: "two numbers, the smaller first",
        });
    }
    let told = Told {
        title: figure.style.title.clone().unwrap_or_else(|| "Line chart".into()),
        description: format!("Lines by series. {}.", figure.lines.iter().map(told).collect::<Vec<_>>().join("; ")),
    };
    let x_label = figure.style.x_label.clone().unwrap_or_else(|| axes::time_label(figure.time_unit.as_deref()));
    let chart = Chart {
        lines: &figure.lines,
        x_label,
        y_label: figure.style.y_label.clone().unwrap_or_default(),
        time_unit: figure.time_unit.as_deref(),
        y_range: figure.y_range,
        references: figure.reference.into_iter().collect(),
        markers: true,
    };
    draw(&figure.style, figure.style.height_or((figure.style.width() * 0.62).clamp(300.0, 460.0)), &told, |canvas| {
        let top = axes::title(canvas, &figure.style);
        chart.paint(canvas, top);
    })
}

pub(crate) fn check(lines: &[Line]) -> Result<(), PlotError> {
    if lines.iter().all(|line| line.x.is_empty()) {
        return Err(PlotError::Empty);
    }
    if lines.len() > MOST_SERIES {
        let instead = "filter the series";
        return Err(PlotError::TooMany { what: "series", found: lines.len(), most: MOST_SERIES, instead });
    }
    for line in lines {
        let place = |row: usize| format!("in row {} of series '{}'", row + 1, line.label);
        same_length(line.x.len(), &[("y", line.y.len())])?;
        finite("x", &line.x, place)?;
        finite("y", &line.y, place)?;
        if let Some((lower, upper)) = &line.limits {
            same_length(line.x.len(), &[("lower", lower.len()), ("upper", upper.len())])?;
            finite("lower", lower, place)?;
            finite("upper", upper, place)?;
        }
    }
    Ok(())
}

/// Where a series begins and ends, in words.
pub(crate) fn told(line: &Line) -> String {
    match (line.x.first(), line.y.first(), line.x.last(), line.y.last()) {
        (Some(&x0), Some(&y0), Some(&x1), Some(&y1)) if x1 > x0 => {
            format!("{}: {} at {} to {} at {}", line.label, short(y0), short(x0), short(y1), short(x1))
        }
        (Some(&x), Some(&y), ..) => format!("{}: {} at {}", line.label, short(y), short(x)),
        _ => format!("{}: no points", line.label),
    }
}

/// Lines in axes: what the line plot, the decision curve and SHAP over time have in common.
pub(crate) struct Chart<'a> {
    pub lines: &'a [Line],
    pub x_label: String,
    pub y_label: String,
    pub time_unit: Option<&'a str>,
    pub y_range: Option<(f64, f64)>,
    pub references: Vec<f64>,
    /// Marks the points of series that have few.
    pub markers: bool,
}

/// Up to so many points a series has markers.
const FEW: usize = 30;

impl Chart<'_> {
    pub fn paint(&self, canvas: &mut Canvas, top: f64) {
        let values = || self.lines.iter().flat_map(|line| line.x.iter().copied());
        let (low, high) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        // An axis of times starts at 0 unless that would leave it half empty.
        let low = if low > 0.0 && low <= high / 2.0 { 0.0 } else { low };
        let x_range = if high > low { (low, high) } else { ticks::widen(low, high, 0.0) };
        let y_range = self.y_range.unwrap_or_else(|| self.spread());
        let bottom = canvas.height - axes::bottom_room(&self.x_label) - MARGIN;
        let y_ticks = ticks::linear(y_range.0, y_range.1, ((bottom - top) / 38.0).clamp(3.0, 8.0) as usize);
        let left = axes::left_room(&y_ticks, &self.y_label);
        let key = if self.has_markers() { Key::LineAndMarker } else { Key::Line };
        let entries: Vec<(usize, String)> = self.lines.iter().map(|line| line.label.clone()).enumerate().collect();
        let is_named = self.lines.iter().any(|line| !line.label.is_empty());
        let top = if is_named { axes::legend(canvas, top, left.min(MARGIN + 40.0), key, &entries) } else { top + 4.0 };
        let panel = Panel {
            x: Scale::new(x_range, (left + 4.0, canvas.width - MARGIN - 10.0)),
            y: Scale::new(y_range, (bottom, top.min(bottom - 40.0))),
        };
        let x_ticks = self.x_ticks(&panel);
        axes::y_axis(canvas, &panel, &y_ticks, &self.y_label);
        for reference in self.references.iter().filter(|y| (y_range.0..=y_range.1).contains(y)) {
            canvas.line([panel.at(x_range.0, *reference), panel.at(x_range.1, *reference)], Ink::Reference, 1.2);
        }
        for (series, line) in self.lines.iter().enumerate() {
            self.band(canvas, &panel, series, line);
        }
        for (series, line) in self.lines.iter().enumerate() {
            let points: Vec<Point> = line.x.iter().copied().zip(line.y.iter().copied()).collect();
            for piece in cut(&points, y_range) {
                canvas.line(piece.iter().map(|&(x, y)| panel.at(x, y)), Ink::Series(series), 2.0);
            }
            if key == Key::LineAndMarker || points.len() == 1 {
                let inside = points.iter().filter(|(_, y)| (y_range.0..=y_range.1).contains(y));
                inside.for_each(|&(x, y)| canvas.marker(series, panel.at(x, y), 3.5));
            }
        }
        axes::x_axis(canvas, &panel, &x_ticks, &self.x_label);
    }

    fn has_markers(&self) -> bool {
        self.markers && self.lines.iter().all(|line| line.x.len() <= FEW)
    }

    fn x_ticks(&self, panel: &Panel) -> Ticks {
        let (from, to) = panel.x.data;
        let count = axes::tick_count(panel.right() - panel.left());
        if self.time_unit.is_some() && from == 0.0 { ticks::time(to, self.time_unit, count) } else { ticks::linear(from, to, count) }
    }

    fn band(&self, canvas: &mut Canvas, panel: &Panel, series: usize, line: &Line) {
        let Some((lower, upper)) = &line.limits else { return };
        let inside = |y: f64| y.clamp(panel.y.data.0, panel.y.data.1);
        let above = line.x.iter().zip(upper).map(|(&x, &y)| panel.at(x, inside(y)));
        let below = line.x.iter().zip(lower).rev().map(|(&x, &y)| panel.at(x, inside(y)));
        match line.x.as_slice() {
            [x] => canvas.line([panel.at(*x, inside(lower[0])), panel.at(*x, inside(upper[0]))], Ink::Solid(series), 1.5),
            _ => canvas.area(above.chain(below), Ink::Solid(series), 0.15),
        }
    }

    /// All values, limits and references, with a little room.
    fn spread(&self) -> (f64, f64) {
        let limits = self.lines.iter().filter_map(|line| line.limits.as_ref()).flat_map(|(lower, upper)| lower.iter().chain(upper));
        let values = self.lines.iter().flat_map(|line| line.y.iter()).chain(limits).chain(&self.references);
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &y| (low.min(y), high.max(y)));
        ticks::widen(low, high, 0.05)
    }
}

/// The parts of a line whose y lies in a range, cut where it crosses the edge.
fn cut(points: &[Point], (low, high): (f64, f64)) -> Vec<Vec<Point>> {
    let mut pieces = Vec::new();
    let mut piece: Vec<Point> = Vec::new();
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        // Shares of the segment at which it enters and leaves the range.
        let (mut enter, mut leave) = (0.0f64, 1.0f64);
        for (edge, sign) in [(low, 1.0), (high, -1.0)] {
            let (start, end) = (sign * (y0 - edge), sign * (y1 - edge));
            if start < 0.0 && end < 0.0 {
                leave = -1.0;
            } else if start < 0.0 {
                enter = enter.max(start / (start - end));
            } else if end < 0.0 {
                leave = leave.min(start / (start - end));
            }
        }
        if enter > leave {
            pieces.push(std::mem::take(&mut piece));
            continue;
        }
        let at = |share: f64| (x0 + share * (x1 - x0), y0 + share * (y1 - y0));
        if enter > 0.0 {
            pieces.push(std::mem::take(&mut piece));
        }
        if piece.is_empty() {
            piece.push(at(enter));
        }
        piece.push(at(leave));
        if leave < 1.0 {
            pieces.push(std::mem::take(&mut piece));
        }
    }
    pieces.push(piece);
    pieces.retain(|piece| piece.len() > 1);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_where_it_leaves_the_range() {
        let pieces = cut(&[(0.0, 0.5), (1.0, -0.5), (2.0, 0.5), (3.0, 0.5)], (0.0, 1.0));
        assert_eq!(pieces, [vec![(0.0, 0.5), (0.5, 0.0)], vec![(1.5, 0.0), (2.0, 0.5), (3.0, 0.5)]]);
        assert_eq!(cut(&[(0.0, -1.0), (1.0, 2.0)], (0.0, 1.0)).len(), 1);
        assert!(cut(&[(0.0, -1.0), (1.0, -2.0)], (0.0, 1.0)).is_empty());
    }
}
