//! What was made of what, as boxes and arrows.

use esccsql_plots::LineagePlot;

use super::style::figure_options;
use crate::shape::{Function, Kind, Problem, collect};

figure_options! {
    ;
    check |_options| Ok(())
}

pub fn lineage_plot() -> Function {
    collect("lineage_plot", "What was made of what, as SVG: each thing in a box below those that it was made from.")
        .arg("name", Kind::Label, "what was made")
        .arg("sources", Kind::Names, "what it was made from; an empty list for nothing that is drawn")
        .options::<Options>()
        .example("SELECT lineage_plot(made, sources) FROM (VALUES ('features', ['scans']), ('model', ['features', 'patients'])) AS t(made, sources)")
        .source("the layered drawing of Sugiyama, Tagawa & Toda 1981")
        .returns(|rows, options| {
            let things = rows.texts(0).iter().cloned().zip(rows.name_lists(1).iter().cloned()).collect();
            esccsql_plots::lineage_plot(&LineagePlot { things, style: options.style(rows) }).map_err(Problem::user)
        })
}
