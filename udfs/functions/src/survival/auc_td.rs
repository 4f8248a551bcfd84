//! Time-dependent AUC.
//!
//! At each time, cases had the event by then and weigh 1 / G(t_i), G the censoring curve; controls are still free of it. Ties in
//! risk count one half. The mean over the times is weighted by the fall of the Kaplan-Meier curve.

use esccsql_survival::auc::auc_td as kernel;
use esccsql_survival::brier::CensoringFrom;

use super::censoring::Options;
use crate::shape::{Function, Kind, Problem, collect, record};

record! {
    /// The area at one time; NULL without cases or without controls.
    struct Area {
        time: f64,
        auc: Option<f64>,
    }
}

record! {
    /// The areas and their mean.
    struct DynamicAuc {
        mean: Option<f64>,
        areas: Vec<Area>,
    }
}

pub fn auc_td() -> Function {
    collect("auc_td", "Cumulative/dynamic AUC of a risk score at each time, and their mean.")
        .outcome()
        .arg("risk", Kind::Number, "risk score (higher risk, shorter survival)")
        .arg("times", Kind::Numbers, "ascending times, the same in every row")
        .options::<Options>()
        .source("Uno et al., JASA 2007;102:527; scikit-survival cumulative_dynamic_auc")
        .example("SELECT auc_td(months, died, risk, [12, 24, 36]).mean FROM patients")
        .returns(|rows, options| {
            let times = rows.shared_list(3, "times")?;
            let training = options.censoring()?;
            let censoring = training.as_ref().map_or(CensoringFrom::SameRows, CensoringFrom::Training);
            let found = kernel(rows.numbers(0), rows.events(1), rows.numbers(2), times, censoring, options.side).map_err(Problem::user)?;
            let areas = found.times.into_iter().zip(found.auc).map(|(time, auc)| Area { time, auc }).collect();
            Ok(DynamicAuc { mean: found.mean, areas })
        })
}
