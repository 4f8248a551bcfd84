//! SHAP values as a beeswarm, as bars or over time.

use esccsql_plots::{ShapFeature, ShapKind, ShapPlot};

use super::labels::{distinct, rows_of};
use super::style::figure_options;
use crate::shape::{Function, Kind, Problem, collect};

figure_options! {
    /// 'beeswarm' (a point per patient), 'bar' (mean of |SHAP|) or 'time' (SHAP over time, or the mean of |SHAP| where a
    /// time has several).
    kind: String = "beeswarm".into(),
    /// The most important features are drawn: 15, or 8 over time.
    max_features: Option<usize> = None,
    /// Unit of the times, for 'time'.
    time_unit: Option<String> = None;
    check |options| kind(&options.kind).map(|_| ())
}

fn kind(name: &str) -> Result<ShapKind, String> {
    match name {
        "beeswarm" => Ok(ShapKind::Beeswarm),
        "bar" => Ok(ShapKind::Bar),
        "time" => Ok(ShapKind::Time),
        other => Err(format!("`kind` is '{other}'; expected 'beeswarm', 'bar' or 'time'")),
    }
}

pub fn shap_plot() -> Function {
    collect("shap_plot", "SHAP values as SVG, features by their mean |SHAP|: a beeswarm, bars, or lines over time.")
        .arg("feature", Kind::Label, "the feature's name")
        .arg("value", Kind::Number, "its SHAP value")
        .optional(
            "feature_value",
            Kind::Number,
            "the feature's value, which colours the points; for 'kind': 'time' the time; bars need none",
        )
        .options::<Options>()
        .source("Lundberg & Lee, NeurIPS 2017; Krzyzinski et al., Knowledge-Based Systems 2023;262:110234")
        .example("SELECT shap_plot(feature, value - 6, value, {'title': 'SHAP values'}) FROM readings")
        .returns(|rows, options| {
            let kind = kind(&options.kind).map_err(Problem::user)?;
            if kind != ShapKind::Bar && !rows.has(2) {
                let needed = if kind == ShapKind::Time { "the time" } else { "the feature's value" };
                return Err(Problem::user(format!("'{}' needs {needed} as third argument", options.kind)));
            }
            let texts = rows.texts(0);
            let pick = |argument: usize, places: &[usize]| places.iter().map(|&row| rows.numbers(argument)[row]).collect::<Vec<f64>>();
            let feature = |(name, places): (&String, Vec<usize>)| ShapFeature {
                name: name.clone(),
                values: pick(1, &places),
                at: if rows.has(2) { pick(2, &places) } else { Vec::new() },
            };
            let features = rows_of(texts, &distinct(texts, &[])).map(feature).collect();
            let max_features = options.max_features.unwrap_or(if kind == ShapKind::Time { 8 } else { 15 });
            let figure = ShapPlot { features, kind, max_features, time_unit: options.time_unit.clone(), style: options.style(rows) };
            esccsql_plots::shap_plot(&figure).map_err(Problem::user)
        })
}
