//! plotters' drawing as a document: the theme's colours for light and dark paper, dashes, a title and a description.

use std::fmt::Write;

use crate::canvas::{FINENESS, Ink};
use crate::style::{DASHES, Style, Theme};

/// What a figure says of itself to those who cannot see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub title: String,
    pub description: String,
}

/// Inks other than series: class, and colour on light and dark paper.
fn plain(ink: Ink) -> Option<(&'static str, &'static str, &'static str)> {
    match ink {
        Ink::Quiet => Some(("quiet", "#59626B", "#A3ACB5")),
        Ink::Axis => Some(("axis", "#59626B", "#A3ACB5")),
        Ink::Grid => Some(("grid", "#E3E7EB", "#30373E")),
        Ink::Paper => Some(("paper", "#FFFFFF", "#16191D")),
        Ink::Reference => Some(("reference", "#59626B", "#A3ACB5")),
        _ => None,
    }
}

/// The document. `drawing` has an element a line, but for texts, which have three.
pub fn finish(drawing: &str, style: &Style, (width, height): (f64, f64), told: &Told) -> String {
    let mut lines = drawing.lines().skip(1);
    let mut body = String::with_capacity(drawing.len() + 1024);
    let mut series = 0;
    while let Some(line) = lines.next() {
        if line.starts_with("<text") {
            let content = lines.next().unwrap_or_default();
            let _ = writeln!(body, "{}{content}</text>", element(line, style, &mut series));
            lines.next();
        } else {
            let _ = writeln!(body, "{}", element(line, style, &mut series));
        }
    }
    let missing = match style.dropped {
        0 => String::new(),
        1 => " 1 row with a missing value is not shown.".into(),
        rows => format!(" {rows} rows with a missing value are not shown."),
    };
    let mut document = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"esccsql-plot\" role=\"img\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {} {}\" font-family=\"Helvetica, Arial, sans-serif\" stroke-linejoin=\"round\">\n\
         <title>{}</title>\n<desc>{}{missing}</desc>\n",
        width * FINENESS,
        height * FINENESS,
        escape(&told.title),
        escape(&told.description),
    );
    document.push_str(&sheet(style, series));
    document.push_str(&body);
    document
}

/// One element with the theme's attributes in place of the colour that stands for an ink.
fn element(line: &str, style: &Style, series: &mut usize) -> String {
    let line = round_font_size(&line.replace(" font-family=\"sans-serif\"", "").replace(" opacity=\"1\"", "").replace(" \"", "\""))
        .replace("dy=\"0.5ex\"", "dy=\"0.35em\"");
    let Some((start, attribute)) = ["fill=\"#", "stroke=\"#"].iter().find_map(|name| Some((line.find(name)?, name.len()))) else {
        return line;
    };
    let Some(hex) = line.get(start + attribute..start + attribute + 6) else { return line };
    let part = |from: usize| u8::from_str_radix(&hex[from..from + 2], 16).unwrap_or_default();
    let name = line[start..start + attribute].trim_end_matches("=\"#");
    let is_line = name == "stroke";
    let themed = match Ink::of(part(0), part(2), part(4)) {
        Ink::Colour(..) => return line,
        Ink::Text => format!("{name}=\"currentColor\""),
        ink @ (Ink::Series(index) | Ink::Solid(index)) => {
            *series = (*series).max(index + 1);
            let dashes = if is_line && ink == Ink::Series(index) { dashes(index, style) } else { String::new() };
            format!("class=\"{}{}\" {name}=\"{}\"{dashes}", &name[..1], index % style.colours(), style.colour(index).0)
        }
        ink => {
            let (class, colour, _) = plain(ink).unwrap_or(("", "currentColor", ""));
            let dash = if ink == Ink::Reference && is_line { " stroke-dasharray=\"40 30\"" } else { "" };
            format!("class=\"{class}{}\" {name}=\"{colour}\"{dash}", if is_line { "" } else { "-fill" })
        }
    };
    format!("{}{themed}{}", &line[..start], &line[start + attribute + 7..])
}

/// The dash pattern of a series' line; colours that come again get the next one.
fn dashes(index: usize, style: &Style) -> String {
    let pattern = DASHES[(index + index / style.colours()) % DASHES.len()];
    if pattern.is_empty() {
        return String::new();
    }
    let units: Vec<String> = pattern.iter().map(|pixels| (pixels * FINENESS).to_string()).collect();
    format!(" stroke-dasharray=\"{}\"", units.join(" "))
}

/// 130.00000000000003 is 130.
fn round_font_size(line: &str) -> String {
    let name = "font-size=\"";
    let Some(start) = line.find(name).map(|at| at + name.len()) else { return line.into() };
    let Some(end) = line[start..].find('"').map(|length| start + length) else { return line.into() };
    let size: f64 = line[start..end].parse().unwrap_or(12.0 * FINENESS);
    format!("{}{}{}", &line[..start], size.round(), &line[end..])
}

/// The style sheet: paper and text, and what changes on dark paper.
fn sheet(style: &Style, series: usize) -> String {
    let mut sheet = String::from("<style>\n.esccsql-plot{background:#FFFFFF;color:#1C2126}\n");
    if style.theme == Theme::Auto {
        sheet.push_str("@media screen and (prefers-color-scheme:dark){\n.esccsql-plot{background:#16191D;color:#E6E9EC}\n");
        for ink in [Ink::Quiet, Ink::Axis, Ink::Grid, Ink::Paper, Ink::Reference] {
            if let Some((class, _, dark)) = plain(ink) {
                let _ = writeln!(sheet, ".esccsql-plot .{class}{{stroke:{dark}}}.esccsql-plot .{class}-fill{{fill:{dark}}}");
            }
        }
        for index in 0..series.min(style.colours()) {
            let (light, dark) = style.colour(index);
            if light != dark {
                let _ = writeln!(sheet, ".esccsql-plot .s{index}{{stroke:{dark}}}.esccsql-plot .f{index}{{fill:{dark}}}");
            }
        }
        sheet.push_str("}\n");
    }
    sheet.push_str("</style>\n");
    sheet
}

/// Text as XML holds it.
pub(crate) fn escape(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') { ' ' } else { c }).collect();
    [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")].iter().fold(text, |text, (character, entity)| text.replace(character, entity))
}
