//! What surrounds the data: title, legend, axes.

use crate::canvas::{Align, Canvas, Ink, Point};
use crate::measure::{shorten, width, wrap};
use crate::style::Style;
use crate::ticks::Ticks;

/// Text sizes in pixels.
pub const TITLE: f64 = 15.0;
pub const LABEL: f64 = 13.0;
pub const SMALL: f64 = 12.0;
/// Room around a figure.
pub const MARGIN: f64 = 12.0;
/// Height of a row of a legend.
pub const LEGEND_ROW: f64 = 19.0;

/// Data to pixels.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    pub data: (f64, f64),
    pub pixels: (f64, f64),
}

impl Scale {
    pub fn new(data: (f64, f64), pixels: (f64, f64)) -> Self {
        Scale { data, pixels }
    }

    pub fn at(&self, value: f64) -> f64 {
        self.pixels.0 + (value - self.data.0) / (self.data.1 - self.data.0) * (self.pixels.1 - self.pixels.0)
    }
}

/// Where the data lie.
#[derive(Debug, Clone, Copy)]
pub struct Panel {
    pub x: Scale,
    /// Upwards: its first pixel is the lower one.
    pub y: Scale,
}

impl Panel {
    pub fn at(&self, x: f64, y: f64) -> Point {
        (self.x.at(x), self.y.at(y))
    }

    pub fn left(&self) -> f64 {
        self.x.pixels.0
    }

    pub fn right(&self) -> f64 {
        self.x.pixels.1
    }

    pub fn bottom(&self) -> f64 {
        self.y.pixels.0
    }

    pub fn top(&self) -> f64 {
        self.y.pixels.1
    }
}

/// Writes the title, if there is one; returns where the figure goes on.
pub fn title(canvas: &mut Canvas, style: &Style) -> f64 {
    let mut top = MARGIN;
    for line in wrap(style.title.as_deref().unwrap_or_default(), TITLE * 1.05, canvas.width - 2.0 * MARGIN) {
        canvas.bold(&line, (MARGIN, top + TITLE * 0.55), TITLE, Align::Start);
        top += TITLE * 1.3;
    }
    if top > MARGIN { top + 4.0 } else { top }
}

/// What stands before a label in a legend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Line,
    LineAndMarker,
}

/// Writes the legend in rows from left to right; returns where the figure goes on.
pub fn legend(canvas: &mut Canvas, top: f64, left: f64, key: Key, labels: &[(usize, String)]) -> f64 {
    let (sample, gap, row) = (26.0, 18.0, LEGEND_ROW);
    let room = canvas.width - left - MARGIN;
    let (mut x, mut y) = (left, top + row / 2.0);
    for (series, label) in labels {
        let label = shorten(label, SMALL, room - sample - 6.0);
        let needed = sample + 6.0 + width(&label, SMALL);
        if x > left && x + needed > left + room {
            (x, y) = (left, y + row);
        }
        canvas.line([(x, y), (x + sample, y)], Ink::Series(*series), 2.0);
        if key == Key::LineAndMarker {
            canvas.marker(*series, (x + sample / 2.0, y), 3.5);
        }
        canvas.text(&label, (x + sample + 6.0, y), SMALL, Align::Start, Ink::Text);
        x += needed + gap;
    }
    y + row / 2.0 + 8.0
}

/// Room that the labels of a vertical axis need left of it: its ticks and, turned, its name.
pub fn left_room(ticks: &Ticks, label: &str) -> f64 {
    let widest = ticks.labels.iter().map(|label| width(label, SMALL)).fold(0.0, f64::max);
    MARGIN + if label.is_empty() { 0.0 } else { LABEL + 8.0 } + widest + 9.0
}

/// Room that the labels of a horizontal axis need below it.
pub fn bottom_room(label: &str) -> f64 {
    9.0 + SMALL + if label.is_empty() { 0.0 } else { 8.0 + LABEL }
}

/// As many ticks as fit on a horizontal axis.
pub fn tick_count(pixels: f64) -> usize {
    (pixels / 50.0).floor().clamp(2.0, 10.0) as usize
}

/// The horizontal axis with its name.
pub fn x_axis(canvas: &mut Canvas, panel: &Panel, ticks: &Ticks, label: &str) {
    let bottom = panel.bottom();
    canvas.line([(panel.left(), bottom), (panel.right(), bottom)], Ink::Axis, 1.0);
    for (&place, text) in ticks.places.iter().zip(&ticks.labels) {
        let x = panel.x.at(place);
        canvas.line([(x, bottom), (x, bottom + 4.0)], Ink::Axis, 1.0);
        canvas.text(text, (x, bottom + 9.0 + SMALL / 2.0), SMALL, Align::Middle, Ink::Text);
    }
    let room = canvas.width - 2.0 * MARGIN;
    let label = shorten(label, LABEL, room);
    let half = width(&label, LABEL) / 2.0;
    let middle = ((panel.left() + panel.right()) / 2.0).clamp(MARGIN + half, (canvas.width - MARGIN - half).max(MARGIN + half));
    canvas.text(&label, (middle, bottom + 17.0 + SMALL + LABEL / 2.0), LABEL, Align::Middle, Ink::Text);
}

/// The vertical axis with its name and a faint line across at each tick.
pub fn y_axis(canvas: &mut Canvas, panel: &Panel, ticks: &Ticks, label: &str) {
    for (&place, text) in ticks.places.iter().zip(&ticks.labels) {
        let y = panel.y.at(place);
        canvas.line([(panel.left(), y), (panel.right(), y)], Ink::Grid, 1.0);
        canvas.line([(panel.left() - 4.0, y), (panel.left(), y)], Ink::Axis, 1.0);
        canvas.text(text, (panel.left() - 8.0, y), SMALL, Align::End, Ink::Text);
    }
    canvas.line([(panel.left(), panel.bottom()), (panel.left(), panel.top())], Ink::Axis, 1.0);
    let widest = ticks.labels.iter().map(|label| width(label, SMALL)).fold(0.0, f64::max);
    let x = panel.left() - 9.0 - widest - 6.0 - LABEL / 2.0;
    let label = shorten(label, LABEL, panel.bottom() - panel.top() + 40.0);
    canvas.upright(&label, (x, (panel.top() + panel.bottom()) / 2.0), LABEL, Align::Middle, Ink::Text);
}

/// `Time (months)`.
pub fn time_label(unit: Option<&str>) -> String {
    unit.map_or("Time".into(), |unit| format!("Time ({unit})"))
}
