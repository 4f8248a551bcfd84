//! Comparison of two risk scores' C on the same rows.

use esccsql_survival::concordance_inference::{c_index_compare as joint, c_index_compare_survcomp};

use crate::shape::{Function, Kind, Problem, collect, options, record};

options! {
    struct Options {
        /// 'survcomp' (Student's t on the correlation of the scores, as cindex.comp) or 'joint' (joint covariance, as R survival).
        method: String = "survcomp".into(),
        /// Alternative: 'two_sided', or 'greater' for a C of a that is larger than b's. 'joint' is two-sided only.
        alternative: String = "two_sided".into(),
    }
    check |options| match (options.method.as_str(), options.alternative.as_str()) {
        ("survcomp", "two_sided" | "greater") | ("joint", "two_sided") => Ok(()),
        ("survcomp" | "joint", other) => Err(format!("`alternative` is '{other}'; expected 'two_sided', or 'greater' with 'survcomp'")),
        (other, _) => Err(format!("`method` is '{other}'; expected 'survcomp' or 'joint'")),
    }
}

record! {
    /// Two concordance indices and whether they differ.
    struct Comparison {
        c_a: f64,
        c_b: f64,
        difference: f64,
        statistic: f64,
        p: f64,
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
                return Ok(Comparison { c_a: found.c_a, c_b: found.c_b, difference: found.difference, statistic: found.z, p: found.p });
            }
            let found = c_index_compare_survcomp(time, event, a, b, 0.95).map_err(Problem::user)?;
            Ok(Comparison {
                c_a: found.a.c_index,
                c_b: found.b.c_index,
                difference: found.a.c_index - found.b.c_index,
                statistic: found.t,
                p: if options.alternative == "greater" { found.p_greater } else { found.p_two_sided },
            })
        })
}
