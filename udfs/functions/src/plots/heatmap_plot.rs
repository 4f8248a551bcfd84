//! A matrix of values, such as correlations, as colours.

use esccsql_plots::HeatmapPlot;

use super::labels::distinct;
use super::style::figure_options;
use crate::shape::{Function, Kind, Problem, collect};

figure_options! {
    /// The value at the colours' end on both sides of 0; by default 1 for correlations, else the largest.
    limit: Option<f64> = None,
    /// Beside the colours: what the values are.
    value_label: Option<String> = None,
    /// Each pair is given once: mirror it, with 1 on the diagonal.
    symmetric: bool = false,
    /// Rows from top to bottom and columns from left to right.
    order: Vec<String> = Vec::new();
    check |_options| Ok(())
}

pub fn heatmap_plot() -> Function {
    collect(
        "heatmap_plot",
        "Heat map of a matrix as SVG, in diverging colours around 0; a cell without a value, or with NaN, is crossed out.",
    )
    .arg("row", Kind::Label, "name of the row")
    .arg("column", Kind::Label, "name of the column")
    .arg("value", Kind::Number, "the cell's value")
    .options::<Options>()
    .example(
        "SELECT heatmap_plot(site || ' ' || a, b, r, {'value_label': 'Pearson r'})
 FROM (SELECT site, unnest(correlation_matrix({'age': age, 'stage': stage, 'volume': volume}), recursive := true) FROM patients\nGROUP BY site)",
    )
    .returns(|rows, options| {
        let (from, to) = (rows.texts(0), rows.texts(1));
        let (row_names, column_names) = if options.symmetric {
            let all = distinct(&[from, to].concat(), &options.order);
            (all.clone(), all)
        } else {
            (distinct(from, &options.order), distinct(to, &options.order))
        };
        let place = |names: &[String], name: &String| names.iter().position(|known| known == name).unwrap_or_default();
        let columns = column_names.len();
        let mut values: Vec<Option<Option<f64>>> = vec![None; row_names.len() * columns];
        for (row, value) in rows.numbers(2).iter().enumerate() {
            let (i, j) = (place(&row_names, &from[row]), place(&column_names, &to[row]));
            let value = (!value.is_nan()).then_some(*value);
            let cells = if options.symmetric { vec![i * columns + j, j * columns + i] } else { vec![i * columns + j] };
            for cell in cells {
                if values[cell].is_some_and(|known| known != value) {
                    let told =
                        format!("'{}', '{}' has more than one value: aggregate the rows to one per row and column", from[row], to[row]);
                    return Err(Problem::user(told));
                }
                values[cell] = Some(value);
            }
        }
        if options.symmetric {
            (0..columns).for_each(|k| {
                values[k * columns + k].get_or_insert(Some(1.0));
            });
        }
        esccsql_plots::heatmap_plot(&HeatmapPlot {
            rows: row_names,
            columns: column_names,
            values: values.into_iter().map(Option::flatten).collect(),
            limit: options.limit,
            value_label: options.value_label.clone(),
            style: options.style(rows),
        })
        .map_err(Problem::user)
    })
}
