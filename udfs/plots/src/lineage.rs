//! What was made of what: boxes in layers, each below those that it was made from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use layout::core::base::Orientation;
use layout::core::color::Color;
use layout::core::format::{ClipHandle, RenderBackend};
use layout::core::geometry::Point;
use layout::core::style::StyleAttr;
use layout::std_shapes::shapes::{Arrow, Element, ShapeKind};
use layout::topo::layout::VisualGraph;

use crate::document::{Told, escape, finish};
use crate::error::PlotError;
use crate::style::Style;

/// A thing and what it was made from. Sources that are no thing of their own are drawn too.
#[derive(Debug, Clone, PartialEq)]
pub struct LineagePlot {
    pub things: Vec<(String, Vec<String>)>,
    pub style: Style,
}

const FONT: usize = 13;
/// Pixels round the drawing.
const MARGIN: f64 = 8.0;
/// Points of the drawing to a unit of the document.
const FINENESS: f64 = crate::canvas::FINENESS;

/// Draws the graph as SVG, sources above. An arrow that a longer way says already is left out.
///
/// # Errors
/// Nothing to draw; an option out of its range.
pub fn lineage_plot(plot: &LineagePlot) -> Result<String, PlotError> {
    plot.style.check()?;
    let sources = sources(&plot.things);
    if sources.is_empty() {
        return Err(PlotError::Empty);
    }
    let look = StyleAttr::new(Color::fast("black"), 1, None, 4, FONT);
    let mut graph = VisualGraph::new(Orientation::TopToBottom);
    let place: BTreeMap<&str, _> = (sources.keys())
        .map(|&name| {
            let size = layout::std_shapes::render::get_shape_size(Orientation::TopToBottom, &ShapeKind::new_box(name), FONT, false);
            (name, graph.add_node(Element::create(ShapeKind::new_box(name), look.clone(), Orientation::TopToBottom, size)))
        })
        .collect();
    let mut arrows = 0;
    for (name, from) in &sources {
        for source in from.iter().filter(|source| !is_said_by_another(&sources, source, from)) {
            graph.add_edge(Arrow::simple(""), place[source], place[name]);
            arrows += 1;
        }
    }
    let mut canvas = Canvas { drawing: String::from("<svg>\n"), right: 0.0, bottom: 0.0 };
    graph.do_it(false, false, false, &mut canvas);
    let size = (canvas.right + MARGIN, canvas.bottom + MARGIN);
    canvas.drawing.push_str("</svg>\n");
    let told = Told {
        title: plot.style.title.clone().unwrap_or_else(|| "Lineage".into()),
        description: format!("{} things and {arrows} arrows from what each was made of.", sources.len()),
    };
    Ok(finish(&canvas.drawing, &plot.style, size, &told))
}

type Sources<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Each name once, with its sources; a thing is no source of itself.
fn sources(things: &[(String, Vec<String>)]) -> Sources<'_> {
    let mut all = Sources::new();
    for (name, from) in things {
        for source in from.iter().filter(|source| *source != name) {
            all.entry(source).or_default();
            all.entry(name).or_default().insert(source);
        }
        all.entry(name).or_default();
    }
    all
}

/// Is `source` reached through another of these sources?
fn is_said_by_another(all: &Sources, source: &str, from: &BTreeSet<&str>) -> bool {
    let mut open: Vec<&str> = from.iter().copied().filter(|other| *other != source).collect();
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        if name == source {
            return true;
        }
        if seen.insert(name) {
            open.extend(&all[name]);
        }
    }
    false
}

/// Takes the drawing in the form that [`finish`] reads: an element a line, three for a text.
struct Canvas {
    drawing: String,
    right: f64,
    bottom: f64,
}

impl Canvas {
    fn reach(&mut self, x: f64, y: f64) {
        self.right = self.right.max(x);
        self.bottom = self.bottom.max(y);
    }
}

fn units(pixels: f64) -> String {
    format!("{}", (pixels * FINENESS).round())
}

impl RenderBackend for Canvas {
    fn draw_rect(&mut self, xy: Point, size: Point, look: &StyleAttr, _: Option<String>, _: Option<ClipHandle>) {
        self.reach(xy.x + size.x, xy.y + size.y);
        let (x, y, width, height) = (units(xy.x), units(xy.y), units(size.x), units(size.y));
        let radius = units(look.rounded as f64);
        let _ = writeln!(
            self.drawing,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\" fill=\"none\" stroke=\"#010002\" stroke-width=\"{}\"/>",
            units(1.0)
        );
    }

    fn draw_line(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn draw_circle(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn draw_text(&mut self, xy: Point, text: &str, look: &StyleAttr) {
        let _ = writeln!(
            self.drawing,
            "<text x=\"{}\" y=\"{}\" dy=\"0.35em\" text-anchor=\"middle\" font-size=\"{}\" fill=\"#010000\">\n{}\n</text>",
            units(xy.x),
            units(xy.y),
            units(look.font_size as f64),
            escape(text)
        );
    }

    fn draw_arrow(&mut self, path: &[(Point, Point)], _: bool, _: (bool, bool), _: &StyleAttr, _: Option<String>, _: &str) {
        let point = |point: Point| format!("{} {}", units(point.x), units(point.y));
        let Some(((start, out), rest)) = path.split_first() else { return };
        let mut line = format!("M {}", point(*start));
        for (at, (first, second)) in rest.iter().enumerate() {
            // The first curve leaves by the start's control point; those that follow go on smoothly.
            line += &match at {
                0 => format!(" C {}, {}, {}", point(*out), point(*first), point(*second)),
                _ => format!(" S {}, {}", point(*first), point(*second)),
            };
        }
        let _ = writeln!(self.drawing, "<path d=\"{line}\" fill=\"none\" stroke=\"#010001\" stroke-width=\"{}\"/>", units(1.0));
        let Some((before, end)) = rest.last() else { return };
        let (dx, dy) = (end.x - before.x, end.y - before.y);
        let length = dx.hypot(dy).max(1e-9);
        let (ux, uy) = (dx / length, dy / length);
        let wing = |side: f64| Point::new(end.x - 7.0 * ux - side * 3.0 * uy, end.y - 7.0 * uy + side * 3.0 * ux);
        let _ = writeln!(self.drawing, "<polygon points=\"{} {} {}\" fill=\"#010001\"/>", point(*end), point(wing(1.0)), point(wing(-1.0)));
    }

    fn create_clip(&mut self, _: Point, _: Point, _: usize) -> ClipHandle {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(things: &[(&str, &[&str])]) -> String {
        let things = things.iter().map(|(name, from)| (name.to_string(), from.iter().map(ToString::to_string).collect())).collect();
        lineage_plot(&LineagePlot { things, style: Style::default() }).unwrap()
    }

    fn top_of(svg: &str, name: &str) -> f64 {
        let at = svg.find(&format!(">{name}<")).unwrap_or_else(|| panic!("{name} is not drawn: {svg}"));
        let (_, rest) = svg[svg[..at].rfind("<text").unwrap()..].split_once(" y=\"").unwrap();
        rest.split_once('"').unwrap().0.parse().unwrap()
    }

    #[test]
    fn sources_stand_above_and_every_name_is_drawn_once() {
        let svg = drawn(&[("features", &["scans"]), ("model", &["features", "patients"]), ("report", &["model"])]);
        for (above, below) in [("scans", "features"), ("features", "model"), ("patients", "model"), ("model", "report")] {
            assert!(top_of(&svg, above) < top_of(&svg, below), "{above} {below}");
        }
        assert_eq!(svg.matches("<text").count(), 5);
        assert_eq!(svg.matches("<polygon").count(), 4);
    }

    #[test]
    fn an_arrow_that_a_longer_way_says_is_left_out() {
        assert_eq!(drawn(&[("b", &["a"]), ("c", &["a", "b"])]).matches("<polygon").count(), 2);
    }

    #[test]
    fn the_same_things_give_the_same_figure() {
        let things: Vec<(String, Vec<String>)> =
            (1..40).map(|i| (format!("t{i}"), vec![format!("t{}", i / 2), format!("t{}", i / 3)])).collect();
        let plot = LineagePlot { things, style: Style::default() };
        assert_eq!(lineage_plot(&plot).unwrap(), lineage_plot(&plot).unwrap());
    }
}
