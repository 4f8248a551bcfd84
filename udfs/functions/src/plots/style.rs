//! The options that all figures take.

use esccsql_plots::{Style, Theme};

use crate::shape::Rows;

/// Declares a figure's options: those of all figures, then its own. `options.style(rows)` gives the kernel's style.
macro_rules! figure_options {
    (
        $( $(#[doc = $text:literal])+ $key:ident : $type:ty = $default:expr ),* $(,)?
        ; check |$options:ident| $check:expr
    ) => {
        $crate::shape::options! {
            struct Options {
                /// Above the figure, and its name for screen readers.
                title: Option<String> = None,
                /// Name of the horizontal axis.
                x_label: Option<String> = None,
                /// Name of the vertical axis.
                y_label: Option<String> = None,
                /// Pixels, 240 to 4000.
                width: Option<u32> = None,
                /// Pixels, 160 to 8000; by default as high as the figure needs.
                height: Option<u32> = None,
                /// Colours such as ['#0072B2', '#D55E00'], in place of Okabe and Ito's.
                palette: Vec<String> = Vec::new(),
                /// 'auto' (light or dark, as the reader's screen is) or 'light'.
                theme: String = "auto".into(),
                $( $(#[doc = $text])+ $key: $type = $default, )*
            }
            check |$options| $crate::plots::style::theme(&$options.theme).and_then(|_| $check)
        }

        impl Options {
            fn style(&self, rows: &$crate::shape::Rows) -> esccsql_plots::Style {
                let labels = (self.title.clone(), self.x_label.clone(), self.y_label.clone());
                $crate::plots::style::style(labels, (self.width, self.height), &self.palette, &self.theme, rows)
            }
        }
    };
}
pub(super) use figure_options;

type Labels = (Option<String>, Option<String>, Option<String>);

pub(super) fn style(
    (title, x_label, y_label): Labels,
    (width, height): (Option<u32>, Option<u32>),
    palette: &[String],
    name: &str,
    rows: &Rows,
) -> Style {
    let theme = theme(name).unwrap_or_default();
    Style { title, x_label, y_label, width, height, palette: palette.to_vec(), theme, dropped: rows.dropped() }
}

pub(super) fn theme(name: &str) -> Result<Theme, String> {
    match name {
        "auto" => Ok(Theme::Auto),
        "light" => Ok(Theme::Light),
        other => Err(format!("`theme` is '{other}'; expected 'auto' or 'light'")),
    }
}
