//! Shapes and texts in pixels, drawn by plotters.
//!
//! plotters' SVG backend rounds to whole units, so the drawing is ten times as large as the figure, which its viewBox takes
//! back. Inks are drawn in colours that stand for them; [`crate::document`] puts the theme in their place.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontDesc, FontStyle, FontTransform};

use crate::document::{self, Told};
use crate::error::PlotError;
use crate::style::Style;

/// Units of the drawing per pixel of the figure.
pub const FINENESS: f64 = 10.0;

/// What a shape is drawn with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ink {
    Text,
    /// Secondary text.
    Quiet,
    Axis,
    Grid,
    Paper,
    /// A reference, dashed as a line.
    Reference,
    /// A series, with its dash pattern as a line.
    Series(usize),
    /// A series' colour without dashes.
    Solid(usize),
    /// A colour of a continuous scale, the same on light and dark paper.
    Colour(u8, u8, u8),
}

impl Ink {
    /// The colour that stands for the ink; [`Ink::of`] reads it back.
    fn colour(self) -> RGBColor {
        let series = |role: u8, index: usize| RGBColor(1, role, (index % 256) as u8);
        match self {
            Ink::Text => RGBColor(1, 0, 0),
            Ink::Quiet => RGBColor(1, 0, 1),
            Ink::Axis => RGBColor(1, 0, 2),
            Ink::Grid => RGBColor(1, 0, 3),
            Ink::Paper => RGBColor(1, 0, 4),
            Ink::Reference => RGBColor(1, 0, 5),
            Ink::Series(index) => series(1, index),
            Ink::Solid(index) => series(2, index),
            // Red 1 is taken by the inks above.
            Ink::Colour(1, green, blue) => RGBColor(0, green, blue),
            Ink::Colour(red, green, blue) => RGBColor(red, green, blue),
        }
    }

    pub fn of(red: u8, green: u8, blue: u8) -> Ink {
        match (red, green, blue) {
            (1, 0, 0) => Ink::Text,
            (1, 0, 1) => Ink::Quiet,
            (1, 0, 2) => Ink::Axis,
            (1, 0, 3) => Ink::Grid,
            (1, 0, 4) => Ink::Paper,
            (1, 0, 5) => Ink::Reference,
            (1, 1, index) => Ink::Series(index.into()),
            (1, 2, index) => Ink::Solid(index.into()),
            (red, green, blue) => Ink::Colour(red, green, blue),
        }
    }
}

/// Where a text stands relative to its point; it is centred vertically.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// The point is at its beginning.
    Start,
    Middle,
    End,
}

pub type Point = (f64, f64);

/// The figure being drawn. Failures are kept and told at the end.
pub struct Canvas<'a> {
    root: DrawingArea<SVGBackend<'a>, plotters::coord::Shift>,
    failure: Option<PlotError>,
    pub width: f64,
    pub height: f64,
}

/// Draws a figure of this height.
pub fn draw(style: &Style, height: f64, told: &Told, paint: impl FnOnce(&mut Canvas)) -> Result<String, PlotError> {
    let (width, mut drawing) = (style.width(), String::new());
    let units = |pixels: f64| (pixels * FINENESS).round() as u32;
    let root = SVGBackend::with_string(&mut drawing, (units(width), units(height))).into_drawing_area();
    let mut canvas = Canvas { root, failure: None, width, height };
    paint(&mut canvas);
    let presented = canvas.root.present().map_err(|error| PlotError::Drawing(error.to_string()));
    if let Some(failure) = canvas.failure.take() {
        return Err(failure);
    }
    presented?;
    drop(canvas);
    Ok(document::finish(&drawing, style, (width, height), told))
}

fn unit(pixels: f64) -> i32 {
    (pixels * FINENESS).round() as i32
}

fn units(points: impl IntoIterator<Item = Point>) -> Vec<(i32, i32)> {
    let mut units: Vec<(i32, i32)> = points.into_iter().map(|(x, y)| (unit(x), unit(y))).collect();
    units.dedup();
    units
}

impl Canvas<'_> {
    fn keep<E: std::fmt::Display>(&mut self, outcome: Result<(), E>) {
        if let Err(error) = outcome {
            self.failure.get_or_insert_with(|| PlotError::Drawing(error.to_string()));
        }
    }

    /// A line through points.
    pub fn line(&mut self, points: impl IntoIterator<Item = Point>, ink: Ink, width: f64) {
        let points = units(points);
        if points.len() > 1 {
            let style = ShapeStyle { color: ink.colour().to_rgba(), filled: false, stroke_width: unit(width) as u32 };
            let outcome = self.root.draw(&PathElement::new(points, style)).map_err(|error| error.to_string());
            self.keep(outcome);
        }
    }

    /// A filled polygon.
    pub fn area(&mut self, points: impl IntoIterator<Item = Point>, ink: Ink, opacity: f64) {
        let points = units(points);
        if points.len() > 2 {
            let outcome = self.root.draw(&Polygon::new(points, ink.colour().mix(opacity).filled())).map_err(|error| error.to_string());
            self.keep(outcome);
        }
    }

    /// A filled rectangle between two corners.
    pub fn rectangle(&mut self, from: Point, to: Point, ink: Ink, opacity: f64) {
        let corners = [(unit(from.0.min(to.0)), unit(from.1.min(to.1))), (unit(from.0.max(to.0)), unit(from.1.max(to.1)))];
        let outcome = self.root.draw(&Rectangle::new(corners, ink.colour().mix(opacity).filled())).map_err(|error| error.to_string());
        self.keep(outcome);
    }

    pub fn disc(&mut self, (x, y): Point, radius: f64, ink: Ink, opacity: f64) {
        let disc = Circle::new((unit(x), unit(y)), unit(radius), ink.colour().mix(opacity).filled());
        let outcome = self.root.draw(&disc).map_err(|error| error.to_string());
        self.keep(outcome);
    }

    /// A marker that tells series apart by its shape.
    pub fn marker(&mut self, series: usize, (x, y): Point, radius: f64) {
        let ink = Ink::Solid(series);
        let corners = |corners: &[Point]| corners.iter().map(|(dx, dy)| (x + dx * radius, y + dy * radius)).collect::<Vec<_>>();
        match series % 5 {
            0 => self.disc((x, y), radius, ink, 1.0),
            1 => self.area(corners(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]), ink, 1.0),
            2 => self.area(corners(&[(0.0, -1.2), (1.1, 0.9), (-1.1, 0.9)]), ink, 1.0),
            3 => self.area(corners(&[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)]), ink, 1.0),
            _ => self.area(corners(&[(0.0, 1.2), (1.1, -0.9), (-1.1, -0.9)]), ink, 1.0),
        }
    }

    pub fn text(&mut self, text: &str, at: Point, size: f64, align: Align, ink: Ink) {
        self.write(text, at, size, align, ink, FontStyle::Normal, FontTransform::None);
    }

    pub fn bold(&mut self, text: &str, at: Point, size: f64, align: Align) {
        self.write(text, at, size, align, Ink::Text, FontStyle::Bold, FontTransform::None);
    }

    /// From below to above.
    pub fn upright(&mut self, text: &str, at: Point, size: f64, align: Align, ink: Ink) {
        self.write(text, at, size, align, ink, FontStyle::Normal, FontTransform::Rotate270);
    }

    #[allow(clippy::too_many_arguments)]
    fn write(&mut self, text: &str, at: Point, size: f64, align: Align, ink: Ink, weight: FontStyle, turn: FontTransform) {
        // A line of its own in the document, without characters that XML forbids.
        let text: String = text.chars().map(|c| if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') { ' ' } else { c }).collect();
        if text.trim().is_empty() {
            return;
        }
        let position = match align {
            Align::Start => HPos::Left,
            Align::Middle => HPos::Center,
            Align::End => HPos::Right,
        };
        // plotters writes 1 / 1.24 of the size.
        let font = FontDesc::new(FontFamily::SansSerif, size * FINENESS * 1.24, weight).transform(turn);
        let colour = ink.colour();
        let style = TextStyle::from(font).color(&colour).pos(Pos::new(position, VPos::Center));
        let outcome = self.root.draw_text(&text, &style, (unit(at.0), unit(at.1))).map_err(|error| error.to_string());
        self.keep(outcome);
    }
}
