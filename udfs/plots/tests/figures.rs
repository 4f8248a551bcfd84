//! The figures as documents: what is in them, that they are the same each time, and what is said of input that cannot be drawn.

use esccsql_plots::{
    BoxGroup, BoxKind, BoxPlot, CalibrationPlot, CalibrationPoint, DecisionCurvePlot, ForestPlot, ForestRow, HeatmapPlot, KmCurve, KmPlot,
    Line, LinePlot, PlotError, ShapFeature, ShapKind, ShapPlot, Style, Theme, box_plot, calibration_plot, decision_curve_plot, forest_plot,
    heatmap_plot, km_plot, line_plot, shap_plot,
};
use roxmltree::{Document, Node};

/// The document's elements of a name.
fn elements<'a>(document: &'a Document, name: &str) -> Vec<Node<'a, 'a>> {
    document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", name))).collect()
}

/// All that is written in the figure.
fn texts(svg: &str) -> Vec<String> {
    let document = Document::parse(svg).unwrap();
    elements(&document, "text").iter().map(|node| node.text().unwrap_or_default().to_string()).collect()
}

/// Points of the polylines of a class that have at least `points` corners.
fn curves(svg: &str, class: &str, points: usize) -> usize {
    let document = Document::parse(svg).unwrap();
    let corners = |node: &Node| node.attribute("points").map_or(0, |points| points.split_whitespace().count());
    elements(&document, "polyline").iter().filter(|node| node.attribute("class") == Some(class) && corners(node) >= points).count()
}

const HOSTILE: &str = "Stage <IV> & \"rest\" \u{1}\n'";

fn styled(title: &str) -> Style {
    Style { title: Some(title.into()), ..Style::default() }
}

fn curve(label: &str, shift: f64) -> KmCurve {
    // Six patients: events at 1, 2 and 4, one censored at 3 and two at 5.
    KmCurve {
        label: label.into(),
        time: [1.0, 2.0, 3.0, 4.0, 5.0].map(|time| time + shift).to_vec(),
        survival: vec![5.0 / 6.0, 4.0 / 6.0, 4.0 / 6.0, 4.0 / 9.0, 4.0 / 9.0],
        lower: vec![Some(0.58), Some(0.38), Some(0.38), Some(0.17), Some(0.17)],
        upper: vec![Some(1.0); 5],
        n_risk: vec![6, 5, 4, 3, 2],
        n_event: vec![1, 1, 0, 1, 0],
        n_censor: vec![0, 0, 1, 0, 2],
        median: Some(4.0 + shift),
        median_lower: Some(2.0 + shift),
        median_upper: None,
    }
}

fn km(labels: &[&str]) -> KmPlot {
    let curves = labels.iter().enumerate().map(|(k, label)| curve(label, k as f64)).collect();
    KmPlot { curves, p: Some(0.0124), time_unit: Some("months".into()), style: styled("Survival"), ..KmPlot::default() }
}

fn line(label: &str, y: &[f64]) -> Line {
    Line { label: label.into(), x: (0..y.len()).map(|x| x as f64).collect(), y: y.to_vec(), limits: None }
}

fn row(term: &str, ratio: f64, lower: f64, upper: f64, p: f64) -> ForestRow {
    ForestRow { term: term.into(), ratio, lower, upper, p }
}

fn feature(name: &str, values: &[f64]) -> ShapFeature {
    ShapFeature { name: name.into(), values: values.to_vec(), at: (0..values.len()).map(|k| k as f64).collect() }
}

fn group(label: &str, values: &[f64]) -> BoxGroup {
    BoxGroup { label: label.into(), values: values.to_vec() }
}

fn square(values: [Option<f64>; 4], style: Style) -> HeatmapPlot {
    let names = vec!["first".to_string(), HOSTILE.to_string()];
    HeatmapPlot { rows: names.clone(), columns: names, values: values.to_vec(), style, ..HeatmapPlot::default() }
}

/// Each figure, with labels that must be escaped.
fn all(style: &Style) -> Vec<(&'static str, Result<String, PlotError>)> {
    let style = || style.clone();
    let lines = || vec![line(HOSTILE, &[0.5, 0.6, 0.4]), line("b", &[0.2, 0.1, -0.2])];
    let thresholds = || vec![Line { x: vec![0.1, 0.5, 0.9], ..line(HOSTILE, &[0.3, 0.1, -2.0]) }];
    let features = || vec![feature(HOSTILE, &[0.1, -0.2, 0.3]), feature("b", &[1.0, -2.0, 3.0])];
    let shap = |kind| shap_plot(&ShapPlot { features: features(), kind, style: style(), ..ShapPlot::default() });
    let groups = || vec![group(HOSTILE, &[1.0, 2.0, 3.0, 4.0, 5.0, 30.0]), group("two", &[1.0, 2.0])];
    let boxes = |kind| box_plot(&BoxPlot { groups: groups(), kind, style: style(), ..BoxPlot::default() });
    let point = CalibrationPoint { predicted: 0.4, observed: 0.5, lower: 0.3, upper: 0.7 };
    vec![
        ("km", km_plot(&KmPlot { style: style(), ..km(&[HOSTILE, "low"]) })),
        ("line", line_plot(&LinePlot { lines: lines(), style: style(), ..LinePlot::default() })),
        ("forest", forest_plot(&ForestPlot { rows: vec![row(HOSTILE, 2.0, 1.1, 3.6, 0.02)], style: style(), ..ForestPlot::default() })),
        ("calibration", calibration_plot(&CalibrationPlot { points: vec![point], style: style(), ..CalibrationPlot::default() })),
        ("beeswarm", shap(ShapKind::Beeswarm)),
        ("bar", shap(ShapKind::Bar)),
        ("time", shap(ShapKind::Time)),
        ("heatmap", heatmap_plot(&square([Some(1.0), Some(-0.4), None, Some(1.0)], style()))),
        ("decision", decision_curve_plot(&DecisionCurvePlot { lines: thresholds(), style: style(), ..DecisionCurvePlot::default() })),
        ("box", boxes(BoxKind::Box)),
        ("violin", boxes(BoxKind::Violin)),
    ]
}

#[test]
fn every_figure_is_a_document_that_names_itself() {
    for width in [240, 375, 640, 1440] {
        for (name, svg) in all(&Style { width: Some(width), dropped: 3, ..styled(HOSTILE) }) {
            let svg = svg.unwrap_or_else(|error| panic!("{name}: {error}"));
            let document = Document::parse(&svg).unwrap_or_else(|error| panic!("{name}: {error}\n{svg}"));
            let root = document.root_element();
            assert_eq!((root.attribute("role"), root.attribute("width")), (Some("img"), Some(width.to_string().as_str())), "{name}");
            let words = |tag: &str| elements(&document, tag)[0].text().unwrap_or_default().to_string();
            assert_eq!(words("title"), "Stage <IV> & \"rest\"   '", "{name}");
            assert!(words("desc").ends_with("3 rows with a missing value are not shown."), "{name}: {}", words("desc"));
            // Nothing that is fetched, run or would clash with another figure of the page.
            for forbidden in ["href", "url(", "<script", " id=", "NaN", "inf"] {
                assert!(!svg.contains(forbidden), "{name} has {forbidden}");
            }
            // No ink is left that stands for a colour of the theme.
            assert!(!svg.contains("\"#01"), "{name}");
        }
    }
}

#[test]
fn texts_stay_inside_the_figure() {
    for width in [375, 640] {
        for (name, svg) in all(&Style { width: Some(width), ..styled("A title") }) {
            let svg = svg.unwrap();
            let document = Document::parse(&svg).unwrap();
            let size: Vec<f64> = document.root_element().attribute("viewBox").unwrap().split(' ').map(|n| n.parse().unwrap()).collect();
            for text in elements(&document, "text") {
                let at = |key| text.attribute(key).unwrap().parse::<f64>().unwrap();
                assert!((0.0..=size[2]).contains(&at("x")) && (0.0..=size[3]).contains(&at("y")), "{name}, {width}: {:?}", text.text());
            }
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    assert_eq!(all(&styled("Title")), all(&styled("Title")));
}

#[test]
fn light_paper_has_no_dark_rules_and_a_palette_is_taken() {
    let style = Style { theme: Theme::Light, palette: vec!["#123456".into()], ..Style::default() };
    let svg = km_plot(&KmPlot { style, ..km(&["a", "b"]) }).unwrap();
    assert!(!svg.contains("prefers-color-scheme") && svg.contains("stroke=\"#123456\""));
    // The second series has the only colour again, with dashes.
    assert!(svg.contains("stroke=\"#123456\" stroke-dasharray="));
    assert!(km_plot(&km(&["a"])).unwrap().contains("prefers-color-scheme:dark"));
}

#[test]
fn kaplan_meier_has_a_curve_and_a_row_per_group() {
    let figure = km(&["high", "low"]);
    let svg = km_plot(&figure).unwrap();
    assert_eq!((curves(&svg, "s0", 6), curves(&svg, "s1", 6)), (1, 1));
    let written = texts(&svg);
    assert!(written.contains(&"Log-rank P = 0.012".to_string()), "{written:?}");
    assert!(written.iter().any(|text| text == "high: n = 6, 3 events, median 4 months (95% CI 2 to not reached)"), "{written:?}");
    // Ticks 0, 1, ... 6; the table's numbers follow "No. at risk", row by row. Who leaves at a tick is still at risk there.
    let table: Vec<&str> = written.iter().skip_while(|text| *text != "No. at risk").skip(1).map(String::as_str).collect();
    assert_eq!(table, ["high", "6", "6", "5", "4", "3", "2", "0", "low", "6", "6", "6", "5", "4", "3", "2"]);
    let at_risk = |k: usize| (0..7).map(|t| figure.curves[k].at_risk(f64::from(t))).collect::<Vec<_>>();
    assert_eq!((at_risk(0), at_risk(1)), (vec![6, 6, 5, 4, 3, 2, 0], vec![6, 6, 6, 5, 4, 3, 2]));
}

#[test]
fn kaplan_meier_draws_what_is_asked_for() {
    let plain = KmPlot { band: false, median_lines: false, risk_table: false, p: None, ..km(&["high"]) };
    let svg = km_plot(&plain).unwrap();
    assert!(!svg.contains("<polygon") && !svg.contains("class=\"reference\""), "{svg}");
    assert!(texts(&svg).iter().all(|text| text != "No. at risk" && !text.starts_with("Log-rank")));
    // Two censoring times, and the legend's sample.
    assert_eq!(curves(&svg, "s0", 2) - curves(&svg, "s0", 3), 2 + 1);
    let ended = km_plot(&KmPlot { max_time: Some(2.5), time_step: Some(1.0), ..km(&["high"]) }).unwrap();
    let table: Vec<String> = texts(&ended).into_iter().skip_while(|text| *text != "No. at risk").skip(2).collect();
    assert_eq!(table, ["6", "6", "5"]);
}

#[test]
fn one_patient_is_an_honest_curve() {
    let one = KmCurve {
        label: "one".into(),
        time: vec![0.0],
        survival: vec![1.0],
        lower: vec![None],
        upper: vec![None],
        n_risk: vec![1],
        n_event: vec![0],
        n_censor: vec![1],
        ..KmCurve::default()
    };
    let svg = km_plot(&KmPlot { curves: vec![one], ..KmPlot::default() }).unwrap();
    assert!(texts(&svg).contains(&"one: n = 1, 0 events, median not reached".to_string()), "{svg}");
}

#[test]
fn the_forest_says_its_numbers() {
    let rows = vec![
        row("age", 1.234, 1.01, 1.5, 0.0004),
        row("volume", 1.012, 1.0013, 1.023, 0.04),
        row("stage II", 1.0, 1.0, 1.0, f64::NAN),
        row("sex", 4000.0, 0.0, f64::INFINITY, 0.9),
    ];
    for width in [375, 640] {
        let style = Style { width: Some(width), ..Style::default() };
        let written = texts(&forest_plot(&ForestPlot { rows: rows.clone(), style, ..ForestPlot::default() }).unwrap());
        for expected in ["1.23 (1.01 to 1.50)", "1.012 (1.001 to 1.023)", "<0.001", "1 (reference)", ">999 (0.00 to >999)", "0.90"] {
            assert!(written.iter().any(|text| text == expected), "{expected} in {written:?}");
        }
    }
}

#[test]
fn lines_have_bands_and_a_reference() {
    let mut banded = line("a", &[0.6, 0.7, 0.8]);
    banded.limits = Some((vec![0.5, 0.6, 0.7], vec![0.7, 0.8, 0.9]));
    let svg =
        line_plot(&LinePlot { lines: vec![banded, line("b", &[0.9, 0.8, 0.7])], reference: Some(0.5), ..LinePlot::default() }).unwrap();
    assert_eq!((curves(&svg, "s0", 3), curves(&svg, "s1", 3), curves(&svg, "reference", 2)), (1, 1, 1));
    let document = Document::parse(&svg).unwrap();
    let bands = elements(&document, "polygon").into_iter().filter(|node| node.attribute("opacity") == Some("0.15"));
    assert_eq!(bands.count(), 1);
}

#[test]
fn a_heat_map_has_a_cell_per_value_and_crosses_out_the_rest() {
    let svg = heatmap_plot(&square([Some(1.0), Some(-0.4), None, Some(1.0)], Style::default())).unwrap();
    let written = texts(&svg);
    assert_eq!(written.iter().filter(|text| *text == "1.00").count(), 2);
    assert!(written.contains(&"\u{2212}0.40".to_string()), "{written:?}");
    assert_eq!(curves(&svg, "grid", 2), 1);
    let document = Document::parse(&svg).unwrap();
    let cells = elements(&document, "rect").into_iter().filter(|node| node.attribute("width").is_some_and(|width| width != "120"));
    assert_eq!(cells.count(), 3);
}

#[test]
fn a_beeswarm_has_a_point_per_value_and_says_what_it_leaves_out() {
    let features: Vec<ShapFeature> = (1..=4).map(|k| feature(&format!("f{k}"), &[0.1 * f64::from(k); 10])).collect();
    let svg = shap_plot(&ShapPlot { features, max_features: 3, ..ShapPlot::default() }).unwrap();
    let document = Document::parse(&svg).unwrap();
    assert_eq!(elements(&document, "circle").len(), 30);
    let written = texts(&svg);
    assert_eq!(written[0], "3 of 4 features, by mean |SHAP|");
    assert_eq!(&written[1..4], ["f4", "f3", "f2"]);
}

#[test]
fn groups_of_few_values_are_points_without_a_box() {
    for kind in [BoxKind::Box, BoxKind::Violin] {
        let groups = vec![group("few", &[1.0, 2.0]), group("same", &[3.0; 6])];
        let svg = box_plot(&BoxPlot { groups, kind, ..BoxPlot::default() }).unwrap();
        let document = Document::parse(&svg).unwrap();
        assert_eq!(elements(&document, "circle").len(), 8);
        assert_eq!(curves(&svg, "s0", 2), 0);
        assert!(curves(&svg, "s1", 2) > 0 && !svg.contains("NaN"));
    }
}

#[test]
fn input_that_cannot_be_drawn_is_told() {
    let nan = f64::NAN;
    let mut broken = curve("a", 0.0);
    broken.survival[2] = nan;
    let thresholds = vec![Line { x: vec![0.5, 1.5], ..line("a", &[0.1, 0.2]) }];
    let point = CalibrationPoint { predicted: 0.4, observed: 1.5, lower: 0.3, upper: 0.7 };
    let many: Vec<KmCurve> = (0..13).map(|k| curve(&k.to_string(), 0.0)).collect();
    let coloured = Style { palette: vec!["red".into()], ..Style::default() };
    let tiny = Style { width: Some(10), ..Style::default() };
    for (figure, said) in [
        (km_plot(&KmPlot::default()), "nothing to draw"),
        (km_plot(&KmPlot { curves: vec![broken], ..KmPlot::default() }), "survival is NaN in row 3 of group 'a'"),
        (km_plot(&KmPlot { curves: many, ..KmPlot::default() }), "13 groups are too many"),
        (km_plot(&KmPlot { style: coloured, ..km(&["a"]) }), "option `palette` is 'red', expected colours such as '#0072B2'"),
        (km_plot(&KmPlot { style: tiny, ..km(&["a"]) }), "option `width` is 10, expected 240 to 4000 pixels"),
        (km_plot(&KmPlot { max_time: Some(-1.0), ..km(&["a"]) }), "option `max_time`"),
        (line_plot(&LinePlot::default()), "nothing to draw"),
        (line_plot(&LinePlot { lines: vec![line("a", &[0.1, nan])], ..LinePlot::default() }), "y is NaN in row 2 of series 'a'"),
        (line_plot(&LinePlot { lines: vec![line("a", &[0.1])], y_range: Some((1.0, 0.0)), ..LinePlot::default() }), "option `y_range`"),
        (decision_curve_plot(&DecisionCurvePlot { lines: thresholds, ..DecisionCurvePlot::default() }), "threshold is 1.5"),
        (forest_plot(&ForestPlot::default()), "nothing to draw"),
        (
            forest_plot(&ForestPlot { rows: vec![row("age", -0.2, -0.4, 0.1, 0.5)], ..ForestPlot::default() }),
            "hr is -0.2 for 'age', expected a ratio",
        ),
        (forest_plot(&ForestPlot { rows: vec![row("age", 2.0, 3.0, 4.0, 0.5)], ..ForestPlot::default() }), "expected lower <= hr <= upper"),
        (calibration_plot(&CalibrationPlot { points: vec![point], ..CalibrationPlot::default() }), "observed is 1.5"),
        (calibration_plot(&CalibrationPlot::default()), "nothing to draw"),
        (heatmap_plot(&HeatmapPlot::default()), "nothing to draw"),
        (heatmap_plot(&square([Some(nan), None, None, None], Style::default())), "value is NaN at 'first', 'first'"),
        (shap_plot(&ShapPlot::default()), "nothing to draw"),
        (shap_plot(&ShapPlot { features: vec![feature("f", &[1.0, nan])], ..ShapPlot::default() }), "value is NaN in row 2 of feature 'f'"),
        (shap_plot(&ShapPlot { features: vec![feature("f", &[1.0])], max_features: 0, ..ShapPlot::default() }), "option `max_features`"),
        (box_plot(&BoxPlot::default()), "nothing to draw"),
        (box_plot(&BoxPlot { groups: vec![group("a", &[nan])], ..BoxPlot::default() }), "value is NaN in group 'a'"),
    ] {
        let error = figure.expect_err(said).to_string();
        assert!(error.contains(said), "{said}: {error}");
    }
}
