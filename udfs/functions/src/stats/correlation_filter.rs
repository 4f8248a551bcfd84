//! Features that are left when one of each highly correlated pair is dropped.

use esccsql_stats::correlation::CorrelationMethod;
use esccsql_stats::correlation_filter::{CorrelationRule, correlation_filter as filter};
use esccsql_stats::correlation_matrix::correlation_matrix;

use crate::shape::{Function, Kind, Problem, collect, options};

options! {
    struct Options {
        /// 'pearson', 'spearman' or 'kendall'.
        method: CorrelationMethod = CorrelationMethod::Pearson,
        /// Which of a pair goes: 'caret' drops the one that correlates more with all others, 'keep_first' keeps the first in column order.
        rule: CorrelationRule = CorrelationRule::Caret,
    }
}

pub fn correlation_filter() -> Function {
    collect("correlation_filter", "Names of the features left when of each pair with an absolute correlation above the threshold one is dropped. Constant features are dropped.")
        .arg("x", Kind::Features, "features")
        .arg("threshold", Kind::Number, "largest absolute correlation that may stay, the same in every row")
        .options::<Options>()
        .source("R caret::findCorrelation(exact = TRUE)")
        .example("SELECT correlation_filter({'age': age, 'volume': volume, 'volume2': 2 * volume + age}, 0.8) FROM patients")
        .returns(|rows, options| {
            let x = rows.features(0);
            let thresholds = rows.numbers(1);
            if thresholds.iter().any(|threshold| *threshold != thresholds[0]) {
                return Err(Problem::user("threshold must be the same in every row of a group"));
            }
            let matrix = correlation_matrix(x.values.view(), options.method).map_err(Problem::user)?;
            let kept = filter(&matrix, &x.names, thresholds[0], options.rule).map_err(Problem::user)?.kept;
            Ok(kept.into_iter().map(|column| x.names[column].clone()).collect::<Vec<_>>())
        })
}
