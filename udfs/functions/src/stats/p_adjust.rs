//! P values adjusted for their number.

use esccsql_stats::p_adjust::{PAdjust, p_adjust as adjust};

use crate::shape::{Function, Kind, Problem, each, options};

options! {
    struct Options {
        /// 'benjamini_hochberg' (false discovery rate), 'holm' or 'bonferroni'.
        method: PAdjust = PAdjust::BenjaminiHochberg,
    }
}

pub fn p_adjust() -> Function {
    each("p_adjust", "A list of P values adjusted for multiple testing, in the order given. Over a column: unnest(p_adjust(list(p) FILTER (p IS NOT NULL))).")
        .arg("p", Kind::Numbers, "the P values of all tests; a NULL among them gives NULL: leave tests without one out")
        .options::<Options>()
        .source("Benjamini & Hochberg, JRSS B 1995;57:289; R p.adjust")
        .example("SELECT p_adjust([0.01, 0.04, 0.03, 0.5], {'method': 'holm'})")
        .returns(|row, options| adjust(row.list(0), options.method).map_err(Problem::user))
}
