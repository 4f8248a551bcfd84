//! A forest's out-of-bag performance.

use esccsql_survival::rsf::Forest;

use crate::shape::{Function, Kind, each, record};

record! {
    /// What the rows that a tree did not see say of the forest.
    struct OutOfBag {
        c_index: Option<f64>,
        error: Option<f64>,
        rows: u64,
        events: u64,
        trees: u64,
    }
}

pub fn rsf_oob() -> Function {
    each("rsf_oob", "Out-of-bag C-index and error (1 - C) of a forest: an honest estimate from the training rows alone.")
        .arg("model", Kind::Model, "made by rsf_fit")
        .source("R randomForestSRC")
        .example("SELECT rsf_oob(rsf_fit(months, died, {'age': age, 'stage': stage}, {'trees': 50})).c_index FROM patients")
        .returns(|row, _| {
            let trained = row.model::<Forest>(0)?;
            let forest = &trained.model;
            Ok(OutOfBag {
                c_index: forest.oob_c_index,
                error: forest.oob_c_index.map(|c| 1.0 - c),
                rows: forest.rows as u64,
                events: forest.events as u64,
                trees: forest.trees.len() as u64,
            })
        })
}
