//! Figures: aggregates that return SVG text.

mod box_plot;
mod calibration_plot;
mod decision_curve_plot;
mod forest_plot;
mod heatmap_plot;
mod km_plot;
mod labels;
mod line_plot;
mod lineage_plot;
mod lines;
mod shap_plot;
mod style;

use crate::shape::Function;

pub fn functions() -> Vec<Function> {
    vec![
        box_plot::box_plot(),
        calibration_plot::calibration_plot(),
        decision_curve_plot::decision_curve_plot(),
        forest_plot::forest_plot(),
        heatmap_plot::heatmap_plot(),
        km_plot::km_plot(),
        line_plot::line_plot(),
        lineage_plot::lineage_plot(),
        shap_plot::shap_plot(),
    ]
}
