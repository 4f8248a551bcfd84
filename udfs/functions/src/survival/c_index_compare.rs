//! Comparison of two risk scores' C on the same rows.

use esccsql_survival::bootstrap::BootstrapOptions;
use esccsql_survival::concordance::Ties;
use esccsql_survival::concordance_inference::{c_index_compare as joint, c_index_compare_bootstrap, c_index_compare_survcomp};
use esccsql_survival::km::confidence_z;

use crate::shape::{Function, Kind, Problem, collect, options, record};

options! {
    struct Options {
        /// 'survcomp' (Student's t on the correlation of the scores, as cindex.comp), 'joint' (joint covariance, as R survival) or
        /// 'bootstrap' (of the rows, both scores on the same resamples). 'survcomp' drops pairs tied in risk or in time, so that
        /// c_a may differ from c_index of the same score; the others count them as c_index does.
        method: String = "survcomp".into(),
        /// Alternative: 'two_sided', or 'greater' for a C of a that is larger than b's ('survcomp' only).
        alternative: String = "two_sided".into(),
        /// 'bootstrap': resamples.
        resamples: usize = 1000,
        /// 'bootstrap': seed of the resamples.
        seed: u64 = 1,
        /// 'joint' and 'bootstrap': level of the interval.
        conf_level: f64 = 0.95,
    }
    check |options| match (options.method.as_str(), options.alternative.as_str()) {
        ("survcomp", "two_sided" | "greater") | ("joint" | "bootstrap", "two_sided") => Ok(()),
        ("survcomp" | "joint" | "bootstrap", other) => Err(format!("`alternative` is '{other}'; expected 'two_sided', or 'greater' with 'survcomp'")),
        (other, _) => Err(format!("`method` is '{other}'; expected 'survcomp', 'joint' or 'bootstrap'")),
    }
}

record! {
    /// Two concordance indices and whether they differ; NULL where a score ties all pairs and 'survcomp' has none left. The interval
    /// is the difference's: normal for 'joint', of percentiles for 'bootstrap', NULL for 'survcomp', which has none.
    struct Comparison {
        c_a: Option<f64>,
        c_b: Option<f64>,
        difference: Option<f64>,
        lower: Option<f64>,
        upper: Option<f64>,
        statistic: Option<f64>,
        p: Option<f64>,
    }
}

pub fn c_index_compare() -> Function {
    collect("c_index_compare", "Do two risk scores differ in their concordance on the same rows?")
        .outcome()
        .arg("risk_a", Kind::Number, "a risk score")
        .arg("risk_b", Kind::Number, "another")
        .options::<Options>()
        .source("Haibe-Kains et al., Bioinformatics 2008;24:2200 (R survcomp::cindex.comp); R survival::concordance")
        .example("SELECT c_index_compare(months, died, risk, age) FROM patients")
        .returns(|rows, options| {
            let (time, event, a, b) = (rows.numbers(0), rows.events(1), rows.numbers(2), rows.numbers(3));
            if options.method == "joint" {
                let found = joint(time, event, a, b).map_err(Problem::user)?;
                let half = confidence_z(options.conf_level).map_err(Problem::user)? * found.std_err;
                return Ok(Comparison {
                    c_a: Some(found.c_a),
                    c_b: Some(found.c_b),
                    difference: Some(found.difference),
                    lower: Some(found.difference - half),
                    upper: Some(found.difference + half),
                    statistic: Some(found.z),
                    p: Some(found.p),
                });
            }
            if options.method == "bootstrap" {
                let chosen = BootstrapOptions { resamples: options.resamples, seed: options.seed, level: options.conf_level };
                let found = c_index_compare_bootstrap(time, event, a, b, Ties::Half, &chosen).map_err(Problem::user)?;
                return Ok(Comparison {
                    c_a: Some(found.a),
                    c_b: Some(found.b),
                    difference: Some(found.difference.estimate),
                    lower: Some(found.difference.lower),
                    upper: Some(found.difference.upper),
                    statistic: None,
                    p: Some(found.p),
                });
            }
            let found = c_index_compare_survcomp(time, event, a, b, 0.95).map_err(Problem::user)?;
            let known = |value: f64| (!value.is_nan()).then_some(value);
            Ok(Comparison {
                c_a: known(found.a.c_index),
                c_b: known(found.b.c_index),
                difference: known(found.a.c_index - found.b.c_index),
                lower: None,
                upper: None,
                statistic: known(found.t),
                p: known(if options.alternative == "greater" { found.p_greater } else { found.p_two_sided }),
            })
        })
}
