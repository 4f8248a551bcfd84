//! A forest's out-of-bag performance for each cause.

use esccsql_survival::rsf::competing::CompetingForest;

use crate::shape::{Function, Kind, each, record};

record! {
    /// One cause.
    struct OutOfBag {
        cause: u64,
        c_index: Option<f64>,
        error: Option<f64>,
        rows: u64,
        events: u64,
        trees: u64,
    }
}

pub fn rsf_competing_oob() -> Function {
    each(
        "rsf_competing_oob",
        "Per cause: concordance and error (1 - C) of the out-of-bag years lost. A row with an event of another cause counts as never having this one.",
    )
    .arg("model", Kind::Model, "made by rsf_competing_fit")
    .source("Wolbers et al., Epidemiology 2009;20:555")
    .example("SELECT unnest(rsf_competing_oob(model), recursive := true) FROM (SELECT rsf_competing_fit(months, CASE WHEN NOT died THEN 0 WHEN marker > 0 THEN 2 ELSE 1 END, {'age': age, 'stage': stage}, {'trees': 50}) AS model FROM patients)")
    .returns(|row, _| {
        let trained = row.model::<CompetingForest>(0)?;
        let forest = &trained.model;
        let of_cause = |k: usize| OutOfBag {
            cause: u64::from(forest.causes[k]),
            c_index: forest.oob_c_index[k],
            error: forest.oob_c_index[k].map(|c| 1.0 - c),
            rows: forest.rows as u64,
            events: forest.events[k] as u64,
            trees: forest.trees.len() as u64,
        };
        Ok((0..forest.causes.len()).map(of_cause).collect::<Vec<_>>())
    })
}
