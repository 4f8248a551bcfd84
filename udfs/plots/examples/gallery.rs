//! Draws every figure from made-up data, wide and narrow, to be looked at: `cargo run --example gallery FOLDER`.

use std::path::PathBuf;

use esccsql_plots::{
    BoxGroup, BoxKind, BoxPlot, CalibrationPlot, CalibrationPoint, DecisionCurvePlot, ForestPlot, ForestRow, HeatmapPlot, KmCurve, KmPlot,
    Line, LinePlot, PlotError, ShapFeature, ShapKind, ShapPlot, Style, box_plot, calibration_plot, decision_curve_plot, forest_plot,
    heatmap_plot, km_plot, line_plot, shap_plot,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("give the folder to write to")?);
    for width in [800, 640, 375] {
        for (name, figure) in figures(width) {
            std::fs::write(folder.join(format!("{name}_{width}.svg")), figure?)?;
        }
    }
    Ok(())
}

fn figures(width: u32) -> Vec<(&'static str, Result<String, PlotError>)> {
    let style = |title: &str| Style { title: Some(title.into()), width: Some(width), ..Style::default() };
    let groups = |labels: &[&str]| labels.iter().enumerate().map(|(k, label)| kaplan_meier(label, k as u64)).collect::<Vec<_>>();
    let months = Some("months".to_string());
    vec![
        (
            "km",
            km_plot(&KmPlot {
                curves: groups(&["High risk", "Low risk"]),
                p: Some(0.0124),
                time_unit: months.clone(),
                style: style("Overall survival by delta-radiomics risk group"),
                ..KmPlot::default()
            }),
        ),
        (
            "km_stages",
            km_plot(&KmPlot {
                curves: groups(&["I", "II", "III, a label that is much too long for its row", "IVA"]),
                p: Some(1e-7),
                time_unit: months.clone(),
                style: style("Overall survival by stage"),
                ..KmPlot::default()
            }),
        ),
        (
            "line",
            line_plot(&LinePlot {
                lines: ["Clinical", "Radiomics", "CrossFormer", "All"]
                    .iter()
                    .enumerate()
                    .map(|(k, label)| over_time(label, k as f64))
                    .collect(),
                time_unit: months.clone(),
                reference: Some(0.5),
                style: Style { y_label: Some("Time-dependent AUC".into()), ..style("Discrimination over time") },
                ..LinePlot::default()
            }),
        ),
        (
            "forest",
            forest_plot(&ForestPlot {
                rows: forest(),
                style: style("Multivariable Cox model of overall survival"),
                ..ForestPlot::default()
            }),
        ),
        (
            "calibration",
            calibration_plot(&CalibrationPlot {
                points: (0..5)
                    .map(|k| 0.12 + 0.17 * f64::from(k))
                    .map(|p| CalibrationPoint {
                        predicted: p,
                        observed: p * 0.9 + 0.03,
                        lower: (p * 0.9 - 0.1).max(0.0),
                        upper: (p * 0.9 + 0.15).min(1.0),
                    })
                    .collect(),
                style: style("Calibration at 24 months"),
                ..CalibrationPlot::default()
            }),
        ),
        (
            "shap",
            shap_plot(&ShapPlot { features: shap(), max_features: 12, style: style("Random survival forest"), ..ShapPlot::default() }),
        ),
        ("shap_bar", shap_plot(&ShapPlot { features: shap(), kind: ShapKind::Bar, style: style(""), ..ShapPlot::default() })),
        (
            "shap_time",
            shap_plot(&ShapPlot {
                features: shap_time(),
                kind: ShapKind::Time,
                max_features: 6,
                time_unit: months,
                style: style("SurvSHAP(t), one patient"),
            }),
        ),
        ("heatmap", heatmap_plot(&heatmap(8, style("Correlation of the kept features")))),
        ("heatmap_large", heatmap_plot(&heatmap(40, style("Correlation of all features")))),
        (
            "decision_curve",
            decision_curve_plot(&DecisionCurvePlot {
                lines: decisions(),
                style: style("Decision curves at 24 months"),
                ..DecisionCurvePlot::default()
            }),
        ),
        (
            "box",
            box_plot(&BoxPlot {
                groups: boxes(),
                style: Style { y_label: Some("Tumour volume (cm³)".into()), ..style("Volume by stage") },
                ..BoxPlot::default()
            }),
        ),
        (
            "violin",
            box_plot(&BoxPlot {
                groups: boxes(),
                kind: BoxKind::Violin,
                style: Style { x_label: Some("Stage".into()), ..style("Volume by stage") },
                ..BoxPlot::default()
            }),
        ),
        ("km_all", km_plot(&KmPlot { curves: groups(&[""]), style: style(""), ..KmPlot::default() })),
    ]
}

/// Numbers in [0, 1) that look drawn at random.
fn unit(row: u64, column: u64) -> f64 {
    let mut x = (row + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (column + 1).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    x = (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((x ^ (x >> 32)) >> 11) as f64 / (1u64 << 53) as f64
}

fn kaplan_meier(label: &str, seed: u64) -> KmCurve {
    let n = 70;
    let mut patients: Vec<(f64, bool)> = (0..n)
        .map(|row| {
            let survival = -(1.0 - unit(row, seed)).ln() * (18.0 + 22.0 * seed as f64);
            let censoring = 20.0 + 50.0 * unit(row, seed + 50);
            (survival.min(censoring), survival <= censoring)
        })
        .collect();
    patients.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut curve = KmCurve { label: label.into(), ..KmCurve::default() };
    let (mut survival, mut greenwood) = (1.0f64, 0.0f64);
    for (row, (time, event)) in patients.iter().enumerate() {
        let risk = (patients.len() - row) as f64;
        if *event {
            survival *= (risk - 1.0) / risk;
            greenwood += 1.0 / (risk * (risk - 1.0).max(1e-9));
        }
        curve.time.push(*time);
        curve.survival.push(survival);
        curve.n_risk.push(patients.len() - row);
        curve.n_event.push(usize::from(*event));
        curve.n_censor.push(usize::from(!event));
        let spread = 1.96 * greenwood.sqrt();
        curve.lower.push((survival > 0.0).then(|| survival * (-spread).exp()));
        curve.upper.push((survival > 0.0).then(|| (survival * spread.exp()).min(1.0)));
    }
    curve.median = curve.survival.iter().position(|&s| s <= 0.5).map(|step| curve.time[step]);
    curve.median_lower = curve.median.map(|median| median * 0.8);
    curve.median_upper = curve.median.map(|median| median * 1.3);
    curve
}

fn over_time(label: &str, k: f64) -> Line {
    let x: Vec<f64> = (1..=10).map(|month| f64::from(month) * 6.0).collect();
    let y: Vec<f64> = x.iter().map(|t| 0.62 + 0.05 * k + 0.03 * (t / 9.0 + k).sin()).collect();
    let limits = (k == 0.0 || k == 3.0).then(|| (y.iter().map(|y| y - 0.05).collect(), y.iter().map(|y| y + 0.05).collect()));
    Line { label: label.into(), x, y, limits }
}

fn forest() -> Vec<ForestRow> {
    let row = |term: &str, ratio: f64, spread: f64, p: f64| ForestRow {
        term: term.into(),
        ratio,
        lower: ratio / spread,
        upper: ratio * spread,
        p,
    };
    vec![
        row("Age, per 10 years", 1.12, 1.2, 0.24),
        row("Stage III vs II", 1.0, 1.0, f64::NAN),
        row("Stage IV vs II", 2.41, 1.7, 0.0011),
        row("Male vs female", 0.87, 1.5, 0.456),
        row("original_glcm_ClusterProminence, delta, per standard deviation", 1.78, 1.25, 0.0000003),
        row("Radiomics score", 5.4, 30.0, 0.12),
    ]
}

fn shap() -> Vec<ShapFeature> {
    (0..18)
        .map(|feature| {
            let at: Vec<f64> = (0..150).map(|row| unit(row, feature)).collect();
            let size = 6.0 / (1.0 + feature as f64);
            let values = at.iter().enumerate().map(|(row, v)| size * ((v - 0.5) + 0.4 * (unit(row as u64, feature + 90) - 0.5))).collect();
            ShapFeature { name: format!("wavelet-LLH_glszm_Feature{feature}"), values, at }
        })
        .collect()
}

fn shap_time() -> Vec<ShapFeature> {
    (0..9)
        .map(|feature| {
            let at: Vec<f64> = (0..60).map(f64::from).collect();
            let values =
                at.iter().map(|t| (t / 60.0).powi(2) * (unit(feature, 3) - 0.5) + 0.02 * (t / (5.0 + feature as f64)).sin()).collect();
            ShapFeature { name: format!("feature_{feature}"), values, at }
        })
        .collect()
}

fn heatmap(size: usize, style: Style) -> HeatmapPlot {
    let names: Vec<String> = (0..size).map(|k| format!("{}_{k}", if size < 10 { "Feature" } else { "wavelet-HLL_glcm_Long" })).collect();
    let values = (0..size * size).map(|cell| {
        let (i, j) = (cell / size, cell % size);
        let (low, high) = (i.min(j) as u64, i.max(j) as u64);
        (cell != 1).then_some(if i == j { 1.0 } else { 2.0 * unit(low, high) - 1.0 })
    });
    HeatmapPlot {
        rows: names.clone(),
        columns: names,
        values: values.collect(),
        value_label: Some("Spearman rho".into()),
        style,
        ..HeatmapPlot::default()
    }
}

fn decisions() -> Vec<Line> {
    let x: Vec<f64> = (1..=90).map(|k| f64::from(k) / 100.0).collect();
    let benefit = |label: &str, gain: f64| {
        let y = x.iter().map(|t| (0.4 + gain) * (1.0 - t).powf(0.6) - (0.35 - gain) * t / (1.0 - t)).collect();
        Line { label: label.into(), x: x.clone(), y, limits: None }
    };
    vec![
        benefit("Treat all", 0.0),
        benefit("Clinical", 0.05),
        benefit("Combined", 0.12),
        Line { label: "Treat none".into(), y: vec![0.0; x.len()], x, limits: None },
    ]
}

fn boxes() -> Vec<BoxGroup> {
    let group = |label: &str, n: u64, shift: f64| BoxGroup {
        label: label.into(),
        values: (0..n).map(|row| shift + 40.0 * unit(row, shift as u64).powi(3)).collect(),
    };
    vec![group("I", 3, 5.0), group("II", 40, 8.0), group("III", 120, 12.0), group("IVA", 700, 20.0)]
}
