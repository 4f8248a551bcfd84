//! All correlations of a set of features.

use esccsql_stats::correlation::CorrelationMethod;

use crate::shape::{Function, Kind, Problem, collect, options, record};

options! {
    struct Options {
        /// 'pearson', 'spearman' or 'kendall'.
        method: CorrelationMethod = CorrelationMethod::Pearson,
    }
}

record! {
    /// One pair.
    struct Pair {
        a: String,
        b: String,
        r: f64,
    }
}

pub fn correlation_matrix() -> Function {
    collect("correlation_matrix", "The correlation of each pair of features (a before b), NaN where one is constant.")
        .arg("x", Kind::Features, "features")
        .options::<Options>()
        .source("R cor")
        .example("SELECT unnest(correlation_matrix({'age': age, 'volume': volume, 'marker': marker}, {'method': 'spearman'}), recursive := true) FROM patients")
        .returns(|rows, options| {
            let x = rows.features(0);
            let matrix = esccsql_stats::correlation_matrix::correlation_matrix(x.values.view(), options.method).map_err(Problem::user)?;
            let r = matrix.view();
            let columns = 0..x.names.len();
            let pairs = columns.clone().flat_map(|a| columns.clone().skip(a + 1).map(move |b| (a, b)));
            Ok(pairs.map(|(a, b)| Pair { a: x.names[a].clone(), b: x.names[b].clone(), r: r[(a, b)] }).collect::<Vec<_>>())
        })
}
