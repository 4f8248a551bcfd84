//! Figures of a clinical paper as SVG text.
//!
//! Plain values and a [`Style`] go in, one SVG document comes out: the same bytes for the same input. The figures share
//! one theme: the Okabe-Ito palette, which people with colour-blindness can tell apart, with a dash pattern or a marker
//! beside each colour for print in grey; light and dark mode; a title and a description for screen readers; no fonts, no
//! scripts, nothing to fetch.

mod axes;
mod box_plot;
mod calibration;
mod canvas;
mod decision_curve;
mod document;
mod error;
mod forest;
mod heatmap;
mod km;
mod line;
mod lineage;
mod measure;
mod number;
mod shap;
mod style;
mod ticks;

pub use box_plot::{BoxGroup, BoxKind, BoxPlot, box_plot};
pub use calibration::{CalibrationPlot, CalibrationPoint, calibration_plot};
pub use decision_curve::{DecisionCurvePlot, decision_curve_plot};
pub use error::PlotError;
pub use forest::{ForestPlot, ForestRow, forest_plot};
pub use heatmap::{HeatmapPlot, heatmap_plot};
pub use km::{KmCurve, KmPlot, km_plot};
pub use line::{Line, LinePlot, line_plot};
pub use lineage::{LineagePlot, lineage_plot};
pub use shap::{ShapFeature, ShapKind, ShapPlot, shap_plot};
pub use style::{Style, Theme};
