//! SHAP values: of each patient (beeswarm), on average (bar) and over time.
//!
//! Lundberg & Lee, NeurIPS 2017. Over time: Krzyzinski et al., Knowledge-Based Systems 2023;262:110234 (SurvSHAP(t)).

use crate::axes::{self, MARGIN, Panel, SMALL, Scale};
use crate::canvas::{Align, Canvas, Ink, draw};
use crate::document::Told;
use crate::error::{PlotError, finite, same_length};
use crate::heatmap::blend;
use crate::line::{Chart, Line};
use crate::measure::{shorten, width, wrap};
use crate::number::short;
use crate::style::Style;
use crate::ticks;

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShapKind {
    /// A point per patient and feature, coloured by the feature's value.
    #[default]
    Beeswarm,
    /// A bar per feature: the mean of |SHAP|.
    Bar,
    /// A line per feature: the SHAP value over time, or the mean of |SHAP| where a time has several.
    Time,
}

/// A feature's SHAP values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShapFeature {
    pub name: String,
    pub values: Vec<f64>,
    /// The feature's value (beeswarm) or the time, one per SHAP value; not read for bars.
    pub at: Vec<f64>,
}

/// The figure; features are put in order of their mean |SHAP|.
#[derive(Debug, Clone, PartialEq)]
pub struct ShapPlot {
    pub features: Vec<ShapFeature>,
    pub kind: ShapKind,
    /// The most important features are drawn, and the figure says how many are not.
    pub max_features: usize,
    pub time_unit: Option<String>,
    pub style: Style,
}

impl Default for ShapPlot {
    fn default() -> Self {
        ShapPlot { features: Vec::new(), kind: ShapKind::Beeswarm, max_features: 15, time_unit: None, style: Style::default() }
    }
}

const ROW: f64 = 26.0;
/// From low to high: brighter in grey print too, and to be seen on light and dark paper.
const STOPS: [(f64, f64, f64); 3] = [(75.0, 63.0, 196.0), (196.0, 66.0, 130.0), (248.0, 161.0, 63.0)];

impl ShapFeature {
    /// Mean of |SHAP|.
    pub fn importance(&self) -> f64 {
        self.values.iter().map(|value| value.abs()).sum::<f64>() / self.values.len().max(1) as f64
    }
}

/// Draws the figure.
///
/// # Errors
/// No value, values that are not finite, `max_features` of 0 (or above 20 lines over time).
pub fn shap_plot(figure: &ShapPlot) -> Result<String, PlotError> {
    let style = &figure.style;
    style.check()?;
    let mut features: Vec<&ShapFeature> = figure.features.iter().filter(|feature| !feature.values.is_empty()).collect();
    if features.is_empty() {
        return Err(PlotError::Empty);
    }
    for feature in &features {
        let place = |row: usize| format!("in row {} of feature '{}'", row + 1, feature.name);
        finite("value", &feature.values, place)?;
        if figure.kind != ShapKind::Bar {
            let what = if figure.kind == ShapKind::Time { "time" } else { "feature_value" };
            same_length(feature.values.len(), &[(what, feature.at.len())])?;
            finite(what, &feature.at, place)?;
        }
    }
    let most = if figure.kind == ShapKind::Time { crate::line::MOST_SERIES } else { 60 };
    if figure.max_features == 0 || figure.max_features > most {
        let expected = if figure.kind == ShapKind::Time { "1 to 20 lines" } else { "1 to 60 features" };
        return Err(PlotError::BadOption { option: "max_features", found: figure.max_features.to_string(), expected });
    }
    features.sort_by(|a, b| b.importance().total_cmp(&a.importance()).then_with(|| a.name.cmp(&b.name)));
    let all = features.len();
    features.truncate(figure.max_features);
    let note = (features.len() < all).then(|| format!("{} of {all} features, by mean |SHAP|", features.len()));
    let order: Vec<String> = features.iter().map(|f| format!("{} {}", f.name, short(f.importance()))).collect();
    let told = Told {
        title: style.title.clone().unwrap_or_else(|| "SHAP values".into()),
        description: format!("Features by mean absolute SHAP value: {}.", order.join(", ")),
    };
    let title = wrap(style.title.as_deref().unwrap_or_default(), 15.0, style.width() - 24.0).len() as f64 * 20.0;
    let rows = features.len() as f64 * ROW + 74.0 + title + if note.is_some() { 18.0 } else { 0.0 };
    match figure.kind {
        ShapKind::Beeswarm => draw(style, style.height_or(rows), &told, |canvas| beeswarm(canvas, figure, &features, note.as_deref())),
        ShapKind::Bar => draw(style, style.height_or(rows), &told, |canvas| bars(canvas, figure, &features, note.as_deref())),
        ShapKind::Time => {
            let height = style.height_or((style.width() * 0.68).clamp(320.0, 480.0));
            draw(style, height, &told, |canvas| over_time(canvas, figure, &features, note.as_deref()))
        }
    }
}

/// The title and what is left out; returns where the figure goes on.
fn head(canvas: &mut Canvas, figure: &ShapPlot, note: Option<&str>) -> f64 {
    let top = axes::title(canvas, &figure.style);
    let Some(note) = note else { return top };
    canvas.text(note, (MARGIN, top + SMALL / 2.0), SMALL, Align::Start, Ink::Quiet);
    top + 18.0
}

/// The features' names, and the panel beside them.
fn rows(canvas: &mut Canvas, figure: &ShapPlot, features: &[&ShapFeature], top: f64, range: (f64, f64), right: f64) -> Panel {
    let names = features.iter().map(|feature| width(&feature.name, SMALL)).fold(0.0, f64::max).min(canvas.width * 0.36);
    let left = MARGIN + names + 10.0;
    let bottom = canvas.height - axes::bottom_room("label") - MARGIN;
    let panel = Panel {
        x: Scale::new(range, (left, canvas.width - MARGIN - right)),
        y: Scale::new((features.len() as f64, 0.0), (bottom, top.min(bottom - 20.0))),
    };
    for (k, feature) in features.iter().enumerate() {
        let y = panel.y.at(k as f64 + 0.5);
        canvas.line([(panel.left(), y), (panel.right(), y)], Ink::Grid, 1.0);
        canvas.text(&shorten(&feature.name, SMALL, names + 1.0), (left - 8.0, y), SMALL, Align::End, Ink::Text);
    }
    let label = match figure.kind {
        ShapKind::Bar => "Mean |SHAP value|",
        _ => "SHAP value (impact on the prediction)",
    };
    let ticks = ticks::linear(range.0, range.1, axes::tick_count(panel.right() - panel.left()).max(4));
    axes::x_axis(canvas, &panel, &ticks, figure.style.x_label.as_deref().unwrap_or(label));
    panel
}

fn beeswarm(canvas: &mut Canvas, figure: &ShapPlot, features: &[&ShapFeature], note: Option<&str>) {
    let top = head(canvas, figure, note);
    let values = || features.iter().flat_map(|feature| feature.values.iter().copied());
    let (low, high) = (values().fold(0.0, f64::min), values().fold(0.0, f64::max));
    let panel = rows(canvas, figure, features, top, ticks::widen(low, high, 0.05), 46.0);
    canvas.line([(panel.x.at(0.0), panel.top()), (panel.x.at(0.0), panel.bottom())], Ink::Reference, 1.2);
    let row = (panel.bottom() - panel.top()) / features.len() as f64;
    let radius = (row / 9.0).clamp(1.2, 2.6);
    for (k, feature) in features.iter().enumerate() {
        let colours = colours(&feature.at);
        let x: Vec<f64> = feature.values.iter().map(|&value| panel.x.at(value)).collect();
        let offsets = swarm(&x, radius, row * 0.42);
        for ((x, offset), (red, green, blue)) in x.into_iter().zip(offsets).zip(colours) {
            canvas.disc((x, panel.y.at(k as f64 + 0.5) + offset), radius, Ink::Colour(red, green, blue), 0.85);
        }
    }
    // The colours' meaning, beside the rows.
    let height = (panel.bottom() - panel.top() - 30.0).clamp(20.0, 160.0);
    let (x, middle) = (panel.right() + 16.0, (panel.top() + panel.bottom()) / 2.0);
    let slices = 40;
    for slice in 0..slices {
        let at = |slice: i32| middle + height / 2.0 - height * f64::from(slice) / f64::from(slices);
        let (red, green, blue) = blend(&STOPS, (f64::from(slice) + 0.5) / f64::from(slices));
        canvas.rectangle((x, at(slice) + 0.1), (x + 8.0, at(slice + 1)), Ink::Colour(red, green, blue), 1.0);
    }
    canvas.text("High", (x + 4.0, middle - height / 2.0 - 9.0), SMALL * 0.92, Align::Middle, Ink::Text);
    canvas.text("Low", (x + 4.0, middle + height / 2.0 + 9.0), SMALL * 0.92, Align::Middle, Ink::Text);
    canvas.upright(&shorten("Feature value", SMALL, height), (x + 20.0, middle), SMALL * 0.92, Align::Middle, Ink::Quiet);
}

/// Colours by value between the feature's 5th and 95th percentile; the middle one for a feature without spread.
fn colours(values: &[f64]) -> Vec<(u8, u8, u8)> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |p: f64| sorted[(p * (sorted.len() - 1) as f64).round() as usize];
    let (mut low, mut high) = (at(0.05), at(0.95));
    if high <= low {
        (low, high) = (at(0.0), at(1.0));
    }
    values.iter().map(|value| blend(&STOPS, if high > low { (value - low) / (high - low) } else { 0.5 })).collect()
}

/// How far each point moves from its row's middle so that points side by side do not hide each other: first come, next to
/// the middle, then alternating up and down, squeezed where a row is not high enough.
fn swarm(x: &[f64], radius: f64, most: f64) -> Vec<f64> {
    let bin = |x: f64| (x / (radius * 1.6)).floor() as i64;
    let mut filled: std::collections::BTreeMap<i64, usize> = std::collections::BTreeMap::new();
    let places: Vec<usize> = x
        .iter()
        .map(|&x| {
            let count = filled.entry(bin(x)).or_default();
            *count += 1;
            *count - 1
        })
        .collect();
    let steps = |place: usize| place.div_ceil(2) as f64 * if place % 2 == 1 { 1.0 } else { -1.0 };
    let deepest = filled.values().map(|count| count / 2).max().unwrap_or(0) as f64;
    let step = if deepest > 0.0 { (radius * 1.7).min(most / deepest) } else { 0.0 };
    places.into_iter().map(|place| steps(place) * step).collect()
}

fn bars(canvas: &mut Canvas, figure: &ShapPlot, features: &[&ShapFeature], note: Option<&str>) {
    let top = head(canvas, figure, note);
    let largest = features[0].importance();
    let panel = rows(canvas, figure, features, top, (0.0, if largest > 0.0 { largest } else { 1.0 }), 52.0);
    let row = (panel.bottom() - panel.top()) / features.len() as f64;
    for (k, feature) in features.iter().enumerate() {
        let (y, end) = (panel.y.at(k as f64 + 0.5), panel.x.at(feature.importance()));
        canvas.rectangle((panel.left(), y - row * 0.32), (end, y + row * 0.32), Ink::Solid(0), 1.0);
        canvas.text(&short(feature.importance()), (end + 6.0, y), SMALL, Align::Start, Ink::Text);
    }
    canvas.line([(panel.left(), panel.top()), (panel.left(), panel.bottom())], Ink::Axis, 1.0);
}

fn over_time(canvas: &mut Canvas, figure: &ShapPlot, features: &[&ShapFeature], note: Option<&str>) {
    let top = head(canvas, figure, note);
    let single = features.iter().all(|feature| {
        let mut times = feature.at.clone();
        times.sort_by(f64::total_cmp);
        times.windows(2).all(|pair| pair[0] != pair[1])
    });
    let lines: Vec<Line> = features.iter().map(|feature| course(feature, single)).collect();
    let chart = Chart {
        lines: &lines,
        x_label: figure.style.x_label.clone().unwrap_or_else(|| axes::time_label(figure.time_unit.as_deref())),
        y_label: figure.style.y_label.clone().unwrap_or_else(|| if single { "SHAP value".into() } else { "Mean |SHAP value|".into() }),
        time_unit: figure.time_unit.as_deref(),
        y_range: None,
        references: vec![0.0],
        markers: true,
    };
    chart.paint(canvas, top);
}

/// A feature's value at each time; the mean of |SHAP| where a time has several.
fn course(feature: &ShapFeature, single: bool) -> Line {
    let mut pairs: Vec<(f64, f64)> = feature.at.iter().copied().zip(feature.values.iter().copied()).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut line = Line { label: feature.name.clone(), ..Line::default() };
    for same in pairs.chunk_by(|a, b| a.0 == b.0) {
        line.x.push(same[0].0);
        line.y.push(if single { same[0].1 } else { same.iter().map(|(_, value)| value.abs()).sum::<f64>() / same.len() as f64 });
    }
    line
}
