//! What all figures have in common: labels, size and colours.

use crate::error::PlotError;

/// Labels, size and colours of a figure; what is not given, the figure chooses.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Style {
    /// Above the figure, and its name for screen readers.
    pub title: Option<String>,
    pub x_label: Option<String>,
    pub y_label: Option<String>,
    /// Pixels.
    pub width: Option<u32>,
    /// Pixels.
    pub height: Option<u32>,
    /// Series' colours as `#RRGGBB`, in place of Okabe and Ito's.
    pub palette: Vec<String>,
    pub theme: Theme,
    /// Rows that the figure does not show because a value was missing; told in the description.
    pub dropped: usize,
}

/// On which paper a figure is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// Light or dark, as the reader's screen is.
    #[default]
    Auto,
    /// For a manuscript.
    Light,
}

/// Okabe & Ito 2008 in an order that keeps neighbours apart, on white paper and, lightened, on dark; black is the text's
/// colour, and yellow is left out because it cannot be seen on white.
const OKABE_ITO: [(&str, &str); 7] = [
    ("#0072B2", "#3D9BDC"),
    ("#D55E00", "#EE7733"),
    ("#009E73", "#1FBF92"),
    ("#CC79A7", "#DB93BC"),
    ("#E69F00", "#F0B429"),
    ("#56B4E9", "#9AD4F5"),
    ("currentColor", "currentColor"),
];

const WIDTHS: std::ops::RangeInclusive<u32> = 240..=4000;
const HEIGHTS: std::ops::RangeInclusive<u32> = 160..=8000;

impl Style {
    /// # Errors
    /// A size that cannot be drawn on, a colour that is none.
    pub(crate) fn check(&self) -> Result<(), PlotError> {
        let size = |option, value: Option<u32>, range: std::ops::RangeInclusive<u32>, expected| match value {
            Some(value) if !range.contains(&value) => Err(PlotError::BadOption { option, found: value.to_string(), expected }),
            _ => Ok(()),
        };
        size("width", self.width, WIDTHS, "240 to 4000 pixels")?;
        size("height", self.height, HEIGHTS, "160 to 8000 pixels")?;
        let is_colour = |text: &str| text.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.chars().all(|c| c.is_ascii_hexdigit()));
        match self.palette.iter().find(|colour| !is_colour(colour)) {
            Some(colour) => {
                Err(PlotError::BadOption { option: "palette", found: format!("'{colour}'"), expected: "colours such as '#0072B2'" })
            }
            None => Ok(()),
        }
    }

    pub(crate) fn width(&self) -> f64 {
        f64::from(self.width.unwrap_or(640))
    }

    /// The height given, or else this one.
    pub(crate) fn height_or(&self, height: f64) -> f64 {
        self.height.map_or(height, f64::from)
    }

    /// Number of colours before they come again.
    pub(crate) fn colours(&self) -> usize {
        if self.palette.is_empty() { OKABE_ITO.len() } else { self.palette.len() }
    }

    /// A series' colour on light and on dark paper.
    pub(crate) fn colour(&self, series: usize) -> (&str, &str) {
        let place = series % self.colours();
        self.palette.get(place).map_or(OKABE_ITO[place % OKABE_ITO.len()], |colour| (colour, colour))
    }
}

/// Dash patterns in pixels, so that series differ in grey print too.
pub(crate) const DASHES: [&[f64]; 5] = [&[], &[8.0, 4.0], &[2.0, 3.0], &[9.0, 3.0, 2.0, 3.0], &[14.0, 4.0]];
