//! Boxes or violins of values by group, with the values themselves.

use crate::axes::{self, MARGIN, Panel, SMALL, Scale};
use crate::canvas::{Align, Canvas, Ink, Point, draw};
use crate::document::Told;
use crate::error::{PlotError, finite};
use crate::measure::shorten;
use crate::number::short;
use crate::style::Style;
use crate::ticks;

/// What is drawn of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BoxKind {
    /// Quartiles, and whiskers to the furthest value within 1.5 interquartile ranges (Tukey).
    #[default]
    Box,
    /// Gaussian kernel density (Silverman's bandwidth) between the smallest and the largest value, with quartiles.
    Violin,
}

/// A group's values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BoxGroup {
    pub label: String,
    pub values: Vec<f64>,
}

/// The figure, groups from left to right.
#[derive(Debug, Clone, PartialEq)]
pub struct BoxPlot {
    pub groups: Vec<BoxGroup>,
    pub kind: BoxKind,
    /// Draws the values beside each other over the box.
    pub points: bool,
    pub style: Style,
}

impl Default for BoxPlot {
    fn default() -> Self {
        BoxPlot { groups: Vec::new(), kind: BoxKind::Box, points: true, style: Style::default() }
    }
}

const MOST_GROUPS: usize = 40;
/// Of larger groups only the values beyond the whiskers are drawn.
const MOST_POINTS: usize = 500;
/// Fewer values are points without a box: their quartiles would say nothing.
const FEWEST: usize = 5;

/// Draws the figure.
///
/// # Errors
/// No value, more than forty groups, values that are not finite.
pub fn box_plot(figure: &BoxPlot) -> Result<String, PlotError> {
    let style = &figure.style;
    style.check()?;
    let mut groups = figure.groups.clone();
    groups.retain(|group| !group.values.is_empty());
    if groups.is_empty() {
        return Err(PlotError::Empty);
    }
    if groups.len() > MOST_GROUPS {
        return Err(PlotError::TooMany { what: "groups", found: groups.len(), most: MOST_GROUPS, instead: "merge or filter the groups" });
    }
    for group in &mut groups {
        finite("value", &group.values, |_| format!("in group '{}'", group.label))?;
        group.values.sort_by(f64::total_cmp);
    }
    let told = Told {
        title: style.title.clone().unwrap_or_else(|| "Values by group".into()),
        description: format!("Values by group. {}.", groups.iter().map(told).collect::<Vec<_>>().join("; ")),
    };
    let height = style.height_or((style.width() * 0.65).clamp(300.0, 460.0));
    draw(style, height, &told, |canvas| paint(canvas, figure, &groups))
}

fn told(group: &BoxGroup) -> String {
    let [low, median, high] = [0.25, 0.5, 0.75].map(|p| short(quantile(&group.values, p)));
    format!("{}: n = {}, median {median} (Q1 {low}, Q3 {high})", group.label, group.values.len())
}

/// Quantile of ascending values, R's type 7.
fn quantile(values: &[f64], p: f64) -> f64 {
    let place = p * (values.len() - 1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    values[below] + (place - below as f64) * (values[above] - values[below])
}

fn paint(canvas: &mut Canvas, figure: &BoxPlot, groups: &[BoxGroup]) {
    let style = &figure.style;
    let top = axes::title(canvas, style) + 4.0;
    let low = groups.iter().map(|group| group.values[0]).fold(f64::INFINITY, f64::min);
    let high = groups.iter().filter_map(|group| group.values.last()).copied().fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = ticks::widen(low, high, 0.05);
    let x_label = style.x_label.clone().unwrap_or_default();
    let y_label = style.y_label.clone().unwrap_or_default();
    let bottom = canvas.height - axes::bottom_room(&x_label) - MARGIN - SMALL - 4.0;
    let y_ticks = ticks::linear(low, high, ((bottom - top) / 38.0).clamp(3.0, 8.0) as usize);
    let left = axes::left_room(&y_ticks, &y_label);
    let panel =
        Panel { x: Scale::new((0.0, groups.len() as f64), (left, canvas.width - MARGIN)), y: Scale::new((low, high), (bottom, top)) };
    axes::y_axis(canvas, &panel, &y_ticks, &y_label);
    let slot = panel.x.at(1.0) - panel.x.at(0.0);
    let half = (slot * 0.32).min(60.0);
    for (k, group) in groups.iter().enumerate() {
        let x = panel.x.at(k as f64 + 0.5);
        if group.values.len() >= FEWEST {
            match figure.kind {
                BoxKind::Box => tukey(canvas, &panel, group, k, x, half),
                BoxKind::Violin => violin(canvas, &panel, group, k, x, half),
            }
        }
        values(canvas, &panel, figure, group, (k, x, half));
        let name = shorten(&group.label, SMALL, slot - 4.0);
        canvas.text(&name, (x, bottom + 8.0 + SMALL / 2.0), SMALL, Align::Middle, Ink::Text);
        let n = shorten(&format!("n = {}", group.values.len()), SMALL, slot);
        canvas.text(&n, (x, bottom + 11.0 + SMALL * 1.5), SMALL * 0.92, Align::Middle, Ink::Quiet);
    }
    let below = Panel { y: Scale::new((0.0, 1.0), (bottom + SMALL + 4.0, top)), ..panel };
    canvas.line([(panel.left(), bottom), (panel.right(), bottom)], Ink::Axis, 1.0);
    if !x_label.is_empty() {
        let y = below.bottom() + 17.0 + SMALL + 6.0;
        canvas.text(&x_label, ((left + panel.right()) / 2.0, y), axes::LABEL, Align::Middle, Ink::Text);
    }
}

/// The furthest values within 1.5 interquartile ranges of the quartiles.
fn whiskers(values: &[f64]) -> (f64, f64) {
    let (q1, q3) = (quantile(values, 0.25), quantile(values, 0.75));
    let reach = 1.5 * (q3 - q1);
    let lower = values.iter().copied().find(|&v| v >= q1 - reach).unwrap_or(q1);
    let upper = values.iter().rev().copied().find(|&v| v <= q3 + reach).unwrap_or(q3);
    (lower, upper)
}

fn tukey(canvas: &mut Canvas, panel: &Panel, group: &BoxGroup, series: usize, x: f64, half: f64) {
    let [q1, median, q3] = [0.25, 0.5, 0.75].map(|p| panel.y.at(quantile(&group.values, p)));
    let (lower, upper) = whiskers(&group.values);
    let (lower, upper) = (panel.y.at(lower), panel.y.at(upper));
    let ink = Ink::Solid(series);
    canvas.rectangle((x - half, q3), (x + half, q1), ink, 0.18);
    canvas.line([(x - half, q1), (x - half, q3), (x + half, q3), (x + half, q1), (x - half, q1)], ink, 1.5);
    canvas.line([(x, q1), (x, lower)], ink, 1.5);
    canvas.line([(x, q3), (x, upper)], ink, 1.5);
    [lower, upper].into_iter().for_each(|y| canvas.line([(x - half / 2.0, y), (x + half / 2.0, y)], ink, 1.5));
    canvas.line([(x - half, median), (x + half, median)], ink, 3.0);
}

fn violin(canvas: &mut Canvas, panel: &Panel, group: &BoxGroup, series: usize, x: f64, half: f64) {
    let values = &group.values;
    let (density, grid) = density(values);
    let widest = density.iter().copied().fold(0.0, f64::max);
    let side = |sign: f64| grid.iter().zip(&density).map(move |(&value, d)| (x + sign * half * d / widest, panel.y.at(value)));
    let outline: Vec<Point> = side(1.0).chain(side(-1.0).collect::<Vec<_>>().into_iter().rev()).collect();
    canvas.area(outline.iter().copied(), Ink::Solid(series), 0.18);
    canvas.line(outline.iter().copied().chain(outline.first().copied()), Ink::Solid(series), 1.5);
    let [q1, median, q3] = [0.25, 0.5, 0.75].map(|p| panel.y.at(quantile(values, p)));
    canvas.line([(x, q1), (x, q3)], Ink::Solid(series), 5.0);
    canvas.line([(x - 9.0, median), (x + 9.0, median)], Ink::Solid(series), 3.0);
}

/// Gaussian kernel density on a grid from the smallest to the largest value. Silverman 1986, equation 3.31.
fn density(values: &[f64]) -> (Vec<f64>, Vec<f64>) {
    const GRID: usize = 96;
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let range = quantile(values, 0.75) - quantile(values, 0.25);
    let spread = if range > 0.0 { deviation.min(range / 1.34) } else { deviation };
    let (low, high) = (values[0], values[values.len() - 1]);
    let bandwidth = if spread > 0.0 { 0.9 * spread * n.powf(-0.2) } else { 1.0 };
    let grid: Vec<f64> = (0..GRID).map(|k| low + (high - low) * k as f64 / (GRID - 1) as f64).collect();
    let density = grid.iter().map(|g| values.iter().map(|v| (-0.5 * ((g - v) / bandwidth).powi(2)).exp()).sum()).collect();
    (density, grid)
}

/// The values, spread sideways by a sequence that fills its range evenly (the golden ratio's multiples).
fn values(canvas: &mut Canvas, panel: &Panel, figure: &BoxPlot, group: &BoxGroup, (series, x, half): (usize, f64, f64)) {
    let n = group.values.len();
    let (lower, upper) = if n >= FEWEST { whiskers(&group.values) } else { (f64::INFINITY, f64::NEG_INFINITY) };
    let is_outside = |v: f64| v < lower || v > upper;
    let shows_all = n < FEWEST || (figure.points && n <= MOST_POINTS);
    for (k, &value) in group.values.iter().enumerate() {
        let share = if n == 1 { 0.5 } else { (k as f64 * 0.618_033_988_749_895).fract() };
        if shows_all || (figure.kind == BoxKind::Box && is_outside(value)) {
            canvas.disc((x + (share - 0.5) * half * 1.2, panel.y.at(value)), 2.0, Ink::Solid(series), 0.55);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_type_7_and_whiskers_tukeys() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 40.0];
        assert_eq!([0.25, 0.5, 0.75].map(|p| quantile(&values, p)), [2.5, 4.0, 5.5]);
        assert_eq!(whiskers(&values), (1.0, 6.0));
    }
}
