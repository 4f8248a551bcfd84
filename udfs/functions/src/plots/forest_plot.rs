//! Hazard ratios with their limits on a logarithmic axis.

use esccsql_plots::{ForestPlot, ForestRow};

use super::labels::{distinct, rows_of};
use super::style::figure_options;
use crate::shape::{Function, Kind, Problem, collect};

figure_options! {
    /// Above the column of numbers.
    ratio_label: String = "HR (95% CI)".into(),
    /// Terms from top to bottom.
    order: Vec<String> = Vec::new();
    check |_options| Ok(())
}

pub fn forest_plot() -> Function {
    collect("forest_plot", "Forest plot of hazard ratios (or other ratios) as SVG: a row per term with its interval, numbers and P.")
        .arg("term", Kind::Label, "the term")
        .arg("hr", Kind::Number, "the ratio; 1 with limits of 1 and a P of NaN is a reference level")
        .arg("lower", Kind::Number, "lower limit")
        .arg("upper", Kind::Number, "upper limit")
        .arg("p", Kind::Number, "P; NaN where there is none")
        .options::<Options>()
        .example(
            "SELECT forest_plot(site || ': ' || term, hr, hr_lower, hr_upper, p, {'title': 'Overall survival'})
 FROM (SELECT site, unnest(cox_summary(cox_fit(months, died, {'age': age, 'stage': stage})), recursive := true) FROM patients\nGROUP BY site)",
        )
        .returns(|rows, options| {
            let texts = rows.texts(0);
            let labels = distinct(texts, &options.order);
            let places = rows_of(texts, &labels).flat_map(|(_, places)| places);
            let row = |row: usize| ForestRow {
                term: texts[row].clone(),
                ratio: rows.numbers(1)[row],
                lower: rows.numbers(2)[row],
                upper: rows.numbers(3)[row],
                p: rows.numbers(4)[row],
            };
            let figure = ForestPlot { rows: places.map(row).collect(), ratio_label: options.ratio_label.clone(), style: options.style(rows) };
            esccsql_plots::forest_plot(&figure).map_err(Problem::user)
        })
}
