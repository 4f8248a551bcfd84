//! Kaplan-Meier curves with numbers at risk.

use crate::axes::{self, Key, LEGEND_ROW, MARGIN, Panel, SMALL, Scale};
use crate::canvas::{Align, Canvas, Ink, Point, draw};
use crate::document::Told;
use crate::error::{PlotError, finite, same_length};
use crate::measure::{shorten, width};
use crate::number::{p_value, short};
use crate::style::Style;
use crate::ticks::{self, Ticks};

/// A group's curve: one entry per distinct time, ascending.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KmCurve {
    pub label: String,
    pub time: Vec<f64>,
    pub survival: Vec<f64>,
    /// Pointwise limits; `None` where there are none.
    pub lower: Vec<Option<f64>>,
    pub upper: Vec<Option<f64>>,
    /// At risk just before the time.
    pub n_risk: Vec<usize>,
    pub n_event: Vec<usize>,
    pub n_censor: Vec<usize>,
    /// Median survival with its limits.
    pub median: Option<f64>,
    pub median_lower: Option<f64>,
    pub median_upper: Option<f64>,
}

/// The figure.
#[derive(Debug, Clone, PartialEq)]
pub struct KmPlot {
    pub curves: Vec<KmCurve>,
    /// P of the log-rank test.
    pub p: Option<f64>,
    /// Level of the limits, for the legend.
    pub conf_level: f64,
    pub time_unit: Option<String>,
    /// Last time drawn; by default the last of the data.
    pub max_time: Option<f64>,
    /// Time between two ticks.
    pub time_step: Option<f64>,
    pub band: bool,
    pub median_lines: bool,
    pub risk_table: bool,
    pub style: Style,
}

impl Default for KmPlot {
    fn default() -> Self {
        KmPlot {
            curves: Vec::new(),
            p: None,
            conf_level: 0.95,
            time_unit: None,
            max_time: None,
            time_step: None,
            band: true,
            median_lines: true,
            risk_table: true,
            style: Style::default(),
        }
    }
}

const MOST_GROUPS: usize = 12;
const TABLE_ROW: f64 = 17.0;

impl KmCurve {
    pub fn n(&self) -> usize {
        self.n_risk.first().copied().unwrap_or(0)
    }

    pub fn events(&self) -> usize {
        self.n_event.iter().sum()
    }

    /// Patients at risk just before `t`: those whose time is not shorter.
    pub fn at_risk(&self, t: f64) -> usize {
        self.n_risk.get(self.time.partition_point(|&time| time < t)).copied().unwrap_or(0)
    }

    fn survival_at(&self, t: f64) -> f64 {
        match self.time.partition_point(|&time| time <= t) {
            0 => 1.0,
            steps => self.survival[steps - 1],
        }
    }

    fn check(&self) -> Result<(), PlotError> {
        let n = self.time.len();
        if n == 0 {
            return Err(PlotError::Empty);
        }
        let columns = [("survival", self.survival.len()), ("lower", self.lower.len()), ("upper", self.upper.len())];
        same_length(n, &columns)?;
        same_length(n, &[("n_risk", self.n_risk.len()), ("n_event", self.n_event.len()), ("n_censor", self.n_censor.len())])?;
        let place = |row: usize| format!("in row {} of group '{}'", row + 1, self.label);
        finite("time", &self.time, place)?;
        finite("survival", &self.survival, place)
    }

    /// `n = 60, 31 events`, and the median in the words that `detail` asks for.
    fn told(&self, figure: &KmPlot, detail: usize) -> String {
        let mut text = format!("{}: n = {}, {} event{}", self.label, self.n(), self.events(), if self.events() == 1 { "" } else { "s" });
        if self.label.is_empty() {
            text = text.trim_start_matches(": ").into();
        }
        let limit = |value: Option<f64>| value.map_or("not reached".into(), short);
        match (detail, self.median) {
            (0, _) => {}
            (1, median) => text += &format!(", median {}", limit(median)),
            (_, None) => text += ", median not reached",
            (_, Some(median)) => {
                let unit = figure.time_unit.as_ref().map_or(String::new(), |unit| format!(" {unit}"));
                let level = short(figure.conf_level * 100.0);
                let limits = format!("{} to {}", limit(self.median_lower), limit(self.median_upper));
                text += &format!(", median {}{unit} ({level}% CI {limits})", short(median));
            }
        }
        text
    }
}

/// Draws the figure: a step curve per group with its band, censoring marks and median, and below the axis how many are at risk.
///
/// # Errors
/// No curve, more than twelve, columns of different lengths, values that are not finite, a style that cannot be drawn.
pub fn km_plot(figure: &KmPlot) -> Result<String, PlotError> {
    let style = &figure.style;
    style.check()?;
    if figure.curves.is_empty() {
        return Err(PlotError::Empty);
    }
    if figure.curves.len() > MOST_GROUPS {
        let instead = "group the values into fewer classes";
        return Err(PlotError::TooMany { what: "groups", found: figure.curves.len(), most: MOST_GROUPS, instead });
    }
    figure.curves.iter().try_for_each(KmCurve::check)?;
    for (option, value) in [("max_time", figure.max_time), ("time_step", figure.time_step)] {
        if let Some(value) = value.filter(|value| !(value.is_finite() && *value > 0.0)) {
            return Err(PlotError::BadOption { option, found: value.to_string(), expected: "a time above 0" });
        }
    }
    let table = if figure.risk_table { TABLE_ROW * (figure.curves.len() + 1) as f64 + 10.0 } else { 0.0 };
    let legend = LEGEND_ROW * (figure.curves.len() + usize::from(figure.p.is_some())) as f64;
    let height = style.height_or((style.width() * 0.56).clamp(270.0, 420.0) + table + legend);
    draw(style, height, &told(figure), |canvas| paint(canvas, figure, table))
}

fn told(figure: &KmPlot) -> Told {
    let groups: Vec<String> = figure.curves.iter().map(|curve| curve.told(figure, 2)).collect();
    let test = figure.p.map_or(String::new(), |p| format!(" Log-rank {}.", p_value(p)));
    Told {
        title: figure.style.title.clone().unwrap_or_else(|| "Kaplan-Meier survival curves".into()),
        description: format!("Kaplan-Meier curves. {}.{test}", groups.join("; ")),
    }
}

fn paint(canvas: &mut Canvas, figure: &KmPlot, table: f64) {
    let style = &figure.style;
    let x_label = style.x_label.clone().unwrap_or_else(|| axes::time_label(figure.time_unit.as_deref()));
    let y_label = style.y_label.clone().unwrap_or_else(|| "Survival probability".into());
    let y_ticks = ticks::every(0.2, 0.0, 1.0);
    let names = figure.curves.iter().map(|curve| width(name(curve), SMALL) + 34.0).fold(width("No. at risk", SMALL), f64::max);
    let name_room = if figure.risk_table { MARGIN + names.min(canvas.width * 0.28) + 14.0 } else { 0.0 };
    let left = axes::left_room(&y_ticks, &y_label).max(name_room);

    let top = axes::title(canvas, style);
    let top = legend(canvas, figure, top, if canvas.width - left < 420.0 { MARGIN } else { left });
    let bottom = (canvas.height - axes::bottom_room(&x_label) - table - MARGIN / 2.0).max(top + 60.0);
    let last = figure.curves.iter().filter_map(|curve| curve.time.last()).fold(0.0f64, |last, &time| last.max(time));
    let last = figure.max_time.unwrap_or(if last > 0.0 { last } else { 1.0 });
    let right = canvas.width - MARGIN - 8.0;
    let x = Scale::new((0.0, last), (left, right));
    let x_ticks = match figure.time_step {
        Some(step) => ticks::every(step.max(last / 50.0), 0.0, last),
        None => ticks::time(last, figure.time_unit.as_deref(), axes::tick_count(right - left)),
    };
    let panel = Panel { x, y: Scale::new((0.0, 1.0), (bottom, top + 4.0)) };

    axes::y_axis(canvas, &panel, &y_ticks, &y_label);
    if figure.band {
        for (series, curve) in figure.curves.iter().enumerate() {
            canvas.area(band(curve, &panel, last), Ink::Solid(series), 0.15);
        }
    }
    if figure.median_lines {
        medians(canvas, figure, &panel, last);
    }
    for (series, curve) in figure.curves.iter().enumerate() {
        canvas.line(steps(&curve.time, &curve.survival, last).into_iter().map(|(t, s)| panel.at(t, s)), Ink::Series(series), 2.0);
        censoring(canvas, curve, series, &panel, last);
    }
    axes::x_axis(canvas, &panel, &x_ticks, &x_label);
    if figure.risk_table {
        risk_table(canvas, figure, &panel, &x_ticks, bottom + axes::bottom_room(&x_label) + 8.0);
    }
}

/// A group's name in the table; all patients where there are no groups.
fn name(curve: &KmCurve) -> &str {
    if curve.label.is_empty() { "All" } else { &curve.label }
}

/// One row per group, in as much detail as fits.
fn legend(canvas: &mut Canvas, figure: &KmPlot, top: f64, left: f64) -> f64 {
    let room = canvas.width - left - MARGIN - 32.0;
    let rows = |detail: usize| figure.curves.iter().map(move |curve| curve.told(figure, detail)).enumerate().collect::<Vec<_>>();
    let fits = |rows: &[(usize, String)]| rows.iter().all(|(_, text)| width(text, SMALL) <= room);
    let chosen = [2, 1, 0].into_iter().map(rows).find(|rows| fits(rows)).unwrap_or_else(|| rows(0));
    let mut top = top;
    for row in chosen {
        top = axes::legend(canvas, top, left, Key::Line, &[row]) - 8.0;
    }
    if let Some(p) = figure.p {
        canvas.text(&format!("Log-rank {}", p_value(p)), (left + 32.0, top + LEGEND_ROW / 2.0), SMALL, Align::Start, Ink::Text);
        top += LEGEND_ROW;
    }
    top + 8.0
}

/// Corners of a step curve that starts at 1, up to time `last`.
fn steps(time: &[f64], value: &[f64], last: f64) -> Vec<Point> {
    let mut corners = vec![(0.0, 1.0)];
    let mut level = 1.0;
    for (&t, &v) in time.iter().zip(value).take_while(|(t, _)| **t <= last) {
        if v != level {
            corners.extend([(t, level), (t, v)]);
            level = v;
        }
    }
    let end = time.last().map_or(0.0, |&t| t.min(last));
    corners.push((end, level));
    corners
}

/// Outline of the band between the limits; it ends where there are none any more.
fn band(curve: &KmCurve, panel: &Panel, last: f64) -> Vec<Point> {
    let known: Vec<usize> = (0..curve.time.len()).filter(|&k| curve.survival[k] > 0.0).collect();
    let side = |limits: &[Option<f64>]| {
        // While S is 1 there may be no limits yet.
        let value: Vec<f64> = known.iter().map(|&k| limits[k].unwrap_or(curve.survival[k])).collect();
        let mut time: Vec<f64> = known.iter().map(|&k| curve.time[k]).collect();
        let mut value = value;
        // Up to the time at which S falls to 0.
        if let (Some(&t), Some(&v)) = (curve.time.get(known.len()), value.last()) {
            time.push(t);
            value.push(v);
        }
        steps(&time, &value, last)
    };
    let (upper, lower) = (side(&curve.upper), side(&curve.lower));
    upper.into_iter().chain(lower.into_iter().rev()).map(|(t, s)| panel.at(t, s)).collect()
}

/// From the axis at one half to the curve and down to its median.
fn medians(canvas: &mut Canvas, figure: &KmPlot, panel: &Panel, last: f64) {
    let shown: Vec<f64> = figure.curves.iter().filter_map(|curve| curve.median).filter(|&median| median <= last).collect();
    let Some(furthest) = shown.iter().copied().reduce(f64::max) else { return };
    canvas.line([panel.at(0.0, 0.5), panel.at(furthest, 0.5)], Ink::Reference, 1.0);
    for median in shown {
        canvas.line([panel.at(median, 0.5), panel.at(median, 0.0)], Ink::Reference, 1.0);
    }
}

/// A short upright mark where patients left; marks closer than a tenth of a pixel are one.
fn censoring(canvas: &mut Canvas, curve: &KmCurve, series: usize, panel: &Panel, last: f64) {
    let mut drawn = f64::NEG_INFINITY;
    for (&t, _) in curve.time.iter().zip(&curve.n_censor).filter(|(t, n)| **n > 0 && **t <= last) {
        let (x, y) = panel.at(t, curve.survival_at(t));
        if x - drawn >= 0.1 {
            canvas.line([(x, y - 4.0), (x, y + 4.0)], Ink::Solid(series), 1.2);
            drawn = x;
        }
    }
}

/// How many are at risk at each tick, below the tick.
fn risk_table(canvas: &mut Canvas, figure: &KmPlot, panel: &Panel, ticks: &Ticks, top: f64) {
    let mut y = top + TABLE_ROW / 2.0;
    canvas.text("No. at risk", (MARGIN, y), SMALL, Align::Start, Ink::Quiet);
    for (series, curve) in figure.curves.iter().enumerate() {
        y += TABLE_ROW;
        canvas.line([(MARGIN, y), (MARGIN + 22.0, y)], Ink::Series(series), 2.0);
        let text = shorten(name(curve), SMALL, panel.left() - MARGIN - 28.0 - 14.0);
        canvas.text(&text, (MARGIN + 28.0, y), SMALL, Align::Start, Ink::Text);
        for &tick in &ticks.places {
            canvas.text(&curve.at_risk(tick).to_string(), (panel.x.at(tick), y), SMALL, Align::Middle, Ink::Text);
        }
    }
}
