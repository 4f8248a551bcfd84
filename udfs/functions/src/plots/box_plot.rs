//! Boxes or violins of values by group.

use esccsql_plots::{BoxGroup, BoxKind, BoxPlot};

use super::labels::{distinct, rows_of};
use super::style::figure_options;
use crate::shape::{Function, Kind, Problem, collect};

figure_options! {
    /// 'box' (quartiles, Tukey's whiskers) or 'violin' (kernel density).
    kind: String = "box".into(),
    /// Draw the values too, where a group has at most 500.
    points: bool = true,
    /// Groups from left to right.
    order: Vec<String> = Vec::new();
    check |options| kind(&options.kind).map(|_| ())
}

fn kind(name: &str) -> Result<BoxKind, String> {
    match name {
        "box" => Ok(BoxKind::Box),
        "violin" => Ok(BoxKind::Violin),
        other => Err(format!("`kind` is '{other}'; expected 'box' or 'violin'")),
    }
}

pub fn box_plot() -> Function {
    collect("box_plot", "Box plot or violin plot of values by group as SVG, with the values themselves.")
        .arg("group", Kind::Label, "the group")
        .arg("value", Kind::Number, "the value")
        .options::<Options>()
        .source("Tukey, Exploratory Data Analysis, 1977; R boxplot with quantile type 7")
        .example("SELECT box_plot(stage, volume, {'kind': 'violin', 'x_label': 'Stage', 'y_label': 'Volume (ml)'}) FROM patients")
        .returns(|rows, options| {
            let texts = rows.texts(0);
            let group = |(label, places): (&String, Vec<usize>)| BoxGroup {
                label: label.clone(),
                values: places.iter().map(|&row| rows.numbers(1)[row]).collect(),
            };
            let groups = rows_of(texts, &distinct(texts, &options.order)).map(group).collect();
            let kind = kind(&options.kind).map_err(Problem::user)?;
            esccsql_plots::box_plot(&BoxPlot { groups, kind, points: options.points, style: options.style(rows) }).map_err(Problem::user)
        })
}
