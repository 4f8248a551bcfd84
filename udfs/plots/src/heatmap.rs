//! Heat map of a matrix, such as correlations, in diverging colours around 0.

use crate::axes::{self, MARGIN, SMALL};
use crate::canvas::{Align, Canvas, Ink, draw};
use crate::document::Told;
use crate::error::PlotError;
use crate::measure::{shorten, width, wrap};
use crate::number::{fixed, short};
use crate::style::Style;

/// The figure: rows from top to bottom, columns from left to right.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HeatmapPlot {
    pub rows: Vec<String>,
    pub columns: Vec<String>,
    /// rows x columns, by row; `None` where there is no value.
    pub values: Vec<Option<f64>>,
    /// The colours' end, on both sides of 0; by default 1 for correlations, else the largest value.
    pub limit: Option<f64>,
    /// Beside the colours: what the values are.
    pub value_label: Option<String>,
    pub style: Style,
}

const MOST_CELLS: usize = 40_000;

/// Red and blue of ColorBrewer's RdBu, which the colour-blind can tell apart.
const STOPS: [(f64, f64, f64); 9] = [
    (33.0, 102.0, 172.0),
    (67.0, 147.0, 195.0),
    (146.0, 197.0, 222.0),
    (209.0, 229.0, 240.0),
    (247.0, 247.0, 247.0),
    (253.0, 219.0, 199.0),
    (244.0, 165.0, 130.0),
    (214.0, 96.0, 77.0),
    (178.0, 24.0, 43.0),
];

/// Draws the figure; cells that are large enough show their value.
///
/// # Errors
/// No cell, more than forty thousand, values that are not finite, a limit that is not above 0.
pub fn heatmap_plot(figure: &HeatmapPlot) -> Result<String, PlotError> {
    let style = &figure.style;
    style.check()?;
    let (rows, columns) = (figure.rows.len(), figure.columns.len());
    if rows == 0 || columns == 0 {
        return Err(PlotError::Empty);
    }
    crate::error::same_length(rows * columns, &[("value", figure.values.len())])?;
    if rows * columns > MOST_CELLS {
        let instead = "filter the features, for example with correlation_filter";
        return Err(PlotError::TooMany { what: "cells", found: rows * columns, most: MOST_CELLS, instead });
    }
    if let Some((cell, value)) = figure.values.iter().enumerate().find_map(|(k, v)| v.filter(|v| !v.is_finite()).map(|v| (k, v))) {
        let place = format!("at '{}', '{}'", figure.rows[cell / columns], figure.columns[cell % columns]);
        return Err(PlotError::NotFinite { what: "value", value, place });
    }
    if let Some(limit) = figure.limit.filter(|limit| !(limit.is_finite() && *limit > 0.0)) {
        return Err(PlotError::BadOption { option: "limit", found: limit.to_string(), expected: "a number above 0" });
    }
    let layout = Layout::new(figure);
    draw(style, layout.height, &told(figure), |canvas| paint(canvas, figure, &layout))
}

fn told(figure: &HeatmapPlot) -> Told {
    let largest = figure.values.iter().enumerate().filter_map(|(k, v)| v.map(|v| (k, v)));
    let off = largest.filter(|(k, _)| figure.rows[k / figure.columns.len()] != figure.columns[k % figure.columns.len()]);
    let strongest = off.reduce(|best, next| if next.1.abs() > best.1.abs() { next } else { best });
    let strongest = strongest.map_or(String::new(), |(cell, value)| {
        let (row, column) = (&figure.rows[cell / figure.columns.len()], &figure.columns[cell % figure.columns.len()]);
        format!(" Strongest: {row} and {column}, {}.", short(value))
    });
    Told {
        title: figure.style.title.clone().unwrap_or_else(|| "Heat map".into()),
        description: format!("Heat map of {} rows and {} columns.{strongest}", figure.rows.len(), figure.columns.len()),
    }
}

/// Sizes in pixels.
struct Layout {
    height: f64,
    cell: (f64, f64),
    left: f64,
    /// Room for the columns' names.
    names: f64,
    upright: bool,
    label: f64,
}

/// Width of the colours' bar with its numbers.
const BAR: f64 = 62.0;

impl Layout {
    fn new(figure: &HeatmapPlot) -> Layout {
        let style = &figure.style;
        let widest = |names: &[String]| names.iter().map(|name| width(name, SMALL)).fold(0.0, f64::max);
        let left = MARGIN + widest(&figure.rows).min(style.width() * 0.3) + 8.0;
        let wide = (style.width() - left - MARGIN - BAR) / figure.columns.len() as f64;
        let title = wrap(style.title.as_deref().unwrap_or_default(), 15.0, style.width() - 24.0).len() as f64 * 20.0 + 8.0;
        let upright = widest(&figure.columns) > wide - 4.0;
        let names = if upright { widest(&figure.columns).min(150.0) + 12.0 } else { SMALL + 12.0 };
        let rest = MARGIN * 2.0 + title + names;
        let height = style.height_or((wide.clamp(1.0, 44.0) * figure.rows.len() as f64 + rest).clamp(220.0, 8000.0));
        let high = (height - rest) / figure.rows.len() as f64;
        Layout {
            height,
            cell: (wide, high.max(0.5)),
            left,
            names,
            upright,
            label: SMALL.min(high.max(1.0)).min(if upright { wide } else { SMALL }),
        }
    }
}

fn paint(canvas: &mut Canvas, figure: &HeatmapPlot, layout: &Layout) {
    let top = axes::title(canvas, &figure.style) + 4.0;
    let largest = figure.values.iter().flatten().fold(0.0f64, |largest, value| largest.max(value.abs()));
    let limit = figure.limit.unwrap_or(if largest <= 1.0 + 1e-9 { 1.0 } else { largest });
    let (wide, high) = layout.cell;
    let columns = figure.columns.len();
    let is_annotated = high >= 15.0 && wide >= 30.0;
    for (cell, value) in figure.values.iter().enumerate() {
        let (x, y) = (layout.left + (cell % columns) as f64 * wide, top + (cell / columns) as f64 * high);
        let Some(value) = value else {
            // Nothing is known here: crossed out, not a colour.
            canvas.line([(x, y + high), (x + wide, y)], Ink::Grid, 1.0);
            continue;
        };
        let (red, green, blue) = diverging(value / limit);
        canvas.rectangle((x, y), (x + wide, y + high), Ink::Colour(red, green, blue), 1.0);
        if is_annotated {
            let is_dark = 0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue) < 140.0;
            let ink = if is_dark { Ink::Colour(255, 255, 255) } else { Ink::Colour(28, 33, 38) };
            let size = SMALL.min(wide / 2.9);
            canvas.text(&annotation(*value, limit), (x + wide / 2.0, y + high / 2.0), size, Align::Middle, ink);
        }
    }
    names(canvas, figure, layout, top);
    bar(canvas, figure, limit, layout.left + columns as f64 * wide + 14.0, top, (high * figure.rows.len() as f64).min(180.0));
}

fn annotation(value: f64, limit: f64) -> String {
    if limit <= 1.0 { fixed(value, 2) } else { short(value) }
}

/// Names of rows and columns, where there is room for letters.
fn names(canvas: &mut Canvas, figure: &HeatmapPlot, layout: &Layout, top: f64) {
    const SMALLEST: f64 = 6.0;
    let (wide, high) = layout.cell;
    let bottom = top + high * figure.rows.len() as f64;
    let size = layout.label;
    if size.min(high) >= SMALLEST {
        for (k, name) in figure.rows.iter().enumerate() {
            let text = shorten(name, size, layout.left - MARGIN - 6.0);
            canvas.text(&text, (layout.left - 6.0, top + (k as f64 + 0.5) * high), size, Align::End, Ink::Text);
        }
    }
    if size >= SMALLEST {
        for (k, name) in figure.columns.iter().enumerate() {
            let x = layout.left + (k as f64 + 0.5) * wide;
            if layout.upright {
                canvas.upright(&shorten(name, size, layout.names - 6.0), (x, bottom + 6.0), size, Align::End, Ink::Text);
            } else {
                canvas.text(name, (x, bottom + 6.0 + SMALL / 2.0), size, Align::Middle, Ink::Text);
            }
        }
    }
}

/// The colours with their numbers.
fn bar(canvas: &mut Canvas, figure: &HeatmapPlot, limit: f64, left: f64, top: f64, height: f64) {
    let slices = 60;
    for slice in 0..slices {
        let share = 1.0 - 2.0 * (f64::from(slice) + 0.5) / f64::from(slices);
        let (red, green, blue) = diverging(share);
        let y = |slice: i32| top + height * f64::from(slice) / f64::from(slices);
        canvas.rectangle((left, y(slice)), (left + 12.0, y(slice + 1) + 0.1), Ink::Colour(red, green, blue), 1.0);
    }
    for (share, y) in [(1.0, top + 5.0), (0.0, top + height / 2.0), (-1.0, top + height - 5.0)] {
        canvas.text(&short(share * limit), (left + 16.0, y), SMALL * 0.92, Align::Start, Ink::Text);
    }
    if let Some(label) = &figure.value_label {
        canvas.upright(&shorten(label, SMALL, height), (left + 38.0, top + height / 2.0), SMALL * 0.92, Align::Middle, Ink::Quiet);
    }
}

/// The colour of a share of the limit, from -1 to 1.
fn diverging(share: f64) -> (u8, u8, u8) {
    blend(&STOPS, (share.clamp(-1.0, 1.0) + 1.0) / 2.0)
}

/// Between the stops of a colour scale, at a share of its length.
pub(crate) fn blend(stops: &[(f64, f64, f64)], share: f64) -> (u8, u8, u8) {
    let place = share.clamp(0.0, 1.0) * (stops.len() - 1) as f64;
    let index = (place.floor() as usize).min(stops.len() - 2);
    let (a, b, t) = (stops[index], stops[index + 1], place - index as f64);
    let mix = |from: f64, to: f64| (from + t * (to - from)).round() as u8;
    (mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}
