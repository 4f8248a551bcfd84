//! Forest plot of hazard ratios with their limits, on a logarithmic axis.

use crate::axes::{self, LABEL, MARGIN, Panel, SMALL, Scale};
use crate::canvas::{Align, Canvas, Ink, draw};
use crate::document::Told;
use crate::error::PlotError;
use crate::measure::{shorten, width};
use crate::number::{fixed, p_number, p_value, ratio};
use crate::style::Style;
use crate::ticks;

/// A term of a model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ForestRow {
    pub term: String,
    pub ratio: f64,
    pub lower: f64,
    pub upper: f64,
    /// NaN where there is none, as for a reference level.
    pub p: f64,
}

/// The figure, rows from top to bottom.
#[derive(Debug, Clone, PartialEq)]
pub struct ForestPlot {
    pub rows: Vec<ForestRow>,
    /// Above the column of numbers.
    pub ratio_label: String,
    pub style: Style,
}

impl Default for ForestPlot {
    fn default() -> Self {
        ForestPlot { rows: Vec::new(), ratio_label: "HR (95% CI)".into(), style: Style::default() }
    }
}

const MOST_ROWS: usize = 200;
/// An interval that reaches further than this from 1 ends in an arrow.
const FURTHEST: f64 = 50.0;

/// Draws the figure. Where it is narrow, each term's numbers stand above its interval instead of beside it.
///
/// # Errors
/// No row, more than two hundred, ratios and limits that are not positive or not in order.
pub fn forest_plot(figure: &ForestPlot) -> Result<String, PlotError> {
    let style = &figure.style;
    style.check()?;
    check(&figure.rows)?;
    let is_narrow = style.width() < 520.0;
    let row = if is_narrow { 40.0 } else { 25.0 };
    let title = crate::measure::wrap(style.title.as_deref().unwrap_or_default(), 15.0, style.width() - 24.0).len() as f64 * 20.0;
    let height = style.height_or(figure.rows.len() as f64 * row + 100.0 + title);
    let told = Told {
        title: style.title.clone().unwrap_or_else(|| "Forest plot".into()),
        description: format!("{} by term. {}.", figure.ratio_label, figure.rows.iter().map(told).collect::<Vec<_>>().join("; ")),
    };
    draw(style, height, &told, |canvas| paint(canvas, figure, is_narrow))
}

fn check(rows: &[ForestRow]) -> Result<(), PlotError> {
    if rows.is_empty() {
        return Err(PlotError::Empty);
    }
    if rows.len() > MOST_ROWS {
        return Err(PlotError::TooMany {
            what: "terms",
            found: rows.len(),
            most: MOST_ROWS,
            instead: "filter the terms, for example by p",
        });
    }
    for row in rows {
        let place = || format!("for '{}'", row.term);
        for (what, value) in [("hr", row.ratio), ("lower", row.lower), ("upper", row.upper)] {
            if value.is_nan() || value < 0.0 || (what == "hr" && !(value > 0.0 && value.is_finite())) {
                return Err(PlotError::OutOfRange { what, value, place: place(), expected: "a ratio above 0 (exp of a coefficient)" });
            }
        }
        let slack = 1e-9 * row.ratio;
        if row.lower > row.ratio + slack || row.upper < row.ratio - slack {
            let (what, value) = if row.upper < row.ratio { ("upper", row.upper) } else { ("lower", row.lower) };
            return Err(PlotError::OutOfRange { what, value, place: place(), expected: "lower <= hr <= upper" });
        }
    }
    Ok(())
}

impl ForestRow {
    fn is_reference(&self) -> bool {
        self.p.is_nan() && self.ratio == 1.0 && self.lower == 1.0 && self.upper == 1.0
    }

    fn numbers(&self) -> String {
        if self.is_reference() {
            return "1 (reference)".into();
        }
        // A limit that rounds to 1.00 does not say on which side of 1 it lies.
        let is_close = |limit: f64| limit != 1.0 && (limit - 1.0).abs() < 0.005;
        let needs_three = is_close(self.lower) || is_close(self.upper);
        let told = |value: f64| if needs_three && value < 100.0 { fixed(value, 3) } else { ratio(value) };
        format!("{} ({} to {})", told(self.ratio), told(self.lower), told(self.upper))
    }
}

fn told(row: &ForestRow) -> String {
    let p = if row.p.is_nan() { String::new() } else { format!(", {}", p_value(row.p)) };
    format!("{}: {}{p}", row.term, row.numbers())
}

fn paint(canvas: &mut Canvas, figure: &ForestPlot, is_narrow: bool) {
    let rows = &figure.rows;
    let top = axes::title(canvas, &figure.style);
    let x_label = figure.style.x_label.clone().unwrap_or_else(|| "Hazard ratio (log scale)".into());
    let widest = |texts: &mut dyn Iterator<Item = String>| texts.map(|text| width(&text, SMALL)).fold(0.0, f64::max);
    let numbers = widest(&mut rows.iter().map(ForestRow::numbers).chain([figure.ratio_label.clone()]));
    let p = widest(&mut rows.iter().map(|row| p_number(row.p)).chain(["P".into()])).max(36.0);
    let terms = widest(&mut rows.iter().map(|row| row.term.clone())).min(canvas.width * 0.34);
    let (left, right) = if is_narrow {
        (MARGIN + 4.0, canvas.width - MARGIN - 4.0)
    } else {
        (MARGIN + terms + 18.0, canvas.width - MARGIN - p - 16.0 - numbers - 18.0)
    };
    let header = top + 12.0;
    let (p_right, numbers_right) = (canvas.width - MARGIN, canvas.width - MARGIN - p - 16.0);
    canvas.text(&figure.ratio_label, (numbers_right, header), SMALL, Align::End, Ink::Quiet);
    canvas.text("P", (p_right, header), SMALL, Align::End, Ink::Quiet);
    let first = header + 14.0;
    canvas.line([(MARGIN, first), (canvas.width - MARGIN, first)], Ink::Grid, 1.0);

    let bottom = (canvas.height - axes::bottom_room(&x_label) - MARGIN).max(first + 20.0);
    let within = |value: f64| value.clamp(1.0 / FURTHEST, FURTHEST);
    let low = rows.iter().map(|row| within(row.lower)).fold(0.9, f64::min);
    let high = rows.iter().map(|row| within(row.upper)).fold(1.1, f64::max);
    let (from, to) = ticks::widen(low.ln(), high.ln(), 0.04);
    let panel = Panel { x: Scale::new((from, to), (left, right)), y: Scale::new((rows.len() as f64, 0.0), (bottom - 6.0, first + 3.0)) };
    let one = panel.x.at(0.0);
    if !is_narrow {
        canvas.line([(one, first), (one, bottom)], Ink::Reference, 1.2);
    }
    let step = (panel.bottom() - panel.top()) / rows.len() as f64;
    for (k, row) in rows.iter().enumerate() {
        let middle = panel.top() + (k as f64 + 0.5) * step;
        let (text, mark) = if is_narrow { (middle - step * 0.2, middle + step * 0.24) } else { (middle, middle) };
        let room = if is_narrow { numbers_right - numbers - 8.0 - MARGIN } else { terms + 2.0 };
        canvas.text(&shorten(&row.term, SMALL, room), (MARGIN, text), SMALL, Align::Start, Ink::Text);
        canvas.text(&row.numbers(), (numbers_right, text), SMALL, Align::End, Ink::Text);
        if !row.p.is_nan() {
            canvas.text(&p_number(row.p), (p_right, text), SMALL, Align::End, Ink::Text);
        }
        if is_narrow {
            // Between the lines of text only.
            canvas.line([(one, mark - step * 0.24), (one, mark + step * 0.26)], Ink::Reference, 1.2);
        }
        interval(canvas, &panel, row, mark);
    }
    let mut ticks = ticks::ratio(from.exp(), to.exp(), axes::tick_count(right - left));
    ticks.places.iter_mut().for_each(|place| *place = place.ln());
    let lower = Panel { y: Scale::new((0.0, 1.0), (bottom, first)), ..panel };
    axes::x_axis(canvas, &lower, &ticks, &shorten(&x_label, LABEL, canvas.width - 2.0 * MARGIN));
}

/// The limits as a line with a square at the ratio; an arrow where a limit lies beyond the axis.
fn interval(canvas: &mut Canvas, panel: &Panel, row: &ForestRow, y: f64) {
    let (from, to) = panel.x.data;
    let x = |value: f64| panel.x.at(value.ln().clamp(from, to));
    let (lower, upper) = (x(row.lower), x(row.upper));
    canvas.line([(lower, y), (upper, y)], Ink::Solid(0), 1.6);
    for (limit, at, is_beyond, out) in [(row.lower, lower, row.lower < 1.0 / FURTHEST, -1.0), (row.upper, upper, row.upper > FURTHEST, 1.0)]
    {
        if is_beyond {
            canvas.area([(at + out * 2.0, y), (at - out * 6.0, y - 4.0), (at - out * 6.0, y + 4.0)], Ink::Solid(0), 1.0);
        } else if limit != row.ratio {
            canvas.line([(at, y - 3.5), (at, y + 3.5)], Ink::Solid(0), 1.6);
        }
    }
    let centre = x(row.ratio);
    canvas.rectangle((centre - 4.0, y - 4.0), (centre + 4.0, y + 4.0), Ink::Solid(0), 1.0);
}
