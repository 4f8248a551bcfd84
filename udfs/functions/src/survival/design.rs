//! What a row of a Cox model has beside its outcome and features: weight, stratum, offset, cluster.

use crate::shape::{Collect, Kind, Options, Rows};

/// Lets a fit take `{'weight': ..., 'strata': ..., 'offset': ...}` per row.
pub fn weighted<O: Options>(function: Collect<O>) -> Collect<O> {
    function
        .row_option("weight", Kind::Number, "case weight above 0")
        .row_option("strata", Kind::Label, "stratum, with risk sets and a baseline of its own")
        .row_option("offset", Kind::Number, "known part of the linear predictor")
}

/// What rows give, as the kernels take it.
pub struct Design<'a> {
    pub weights: Option<&'a [f64]>,
    pub strata: Option<Vec<u32>>,
    pub offset: Option<&'a [f64]>,
    pub cluster: Option<Vec<u32>>,
    /// Labels of the strata by their codes.
    pub levels: Vec<String>,
}

impl<'a> Design<'a> {
    pub fn of(rows: &'a Rows) -> Self {
        let codes = |option: &str| rows.given(option).map(|at| codes(rows.texts(at)));
        let (strata, levels) = codes("strata").unzip();
        Design {
            weights: rows.given("weight").map(|at| rows.numbers(at)),
            strata,
            offset: rows.given("offset").map(|at| rows.numbers(at)),
            cluster: codes("cluster").map(|(codes, _)| codes),
            levels: levels.unwrap_or_default(),
        }
    }
}

/// Codes of labels, and the labels by code in alphabetical order.
pub fn codes(labels: &[String]) -> (Vec<u32>, Vec<String>) {
    let mut levels = labels.to_vec();
    levels.sort();
    levels.dedup();
    let code = |label: &String| levels.binary_search(label).unwrap_or_default() as u32;
    (labels.iter().map(code).collect(), levels)
}
