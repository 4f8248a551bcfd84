//! Log-rank test of two or more groups.

use esccsql_survival::logrank::{LogRankWeight, logrank as test};

use super::design::codes;
use crate::shape::{Function, Kind, Problem, collect, options, record};

options! {
    pub(super) struct Options {
        /// Weight of an event time: 'log_rank', 'gehan', 'tarone_ware' or 'fleming_harrington'.
        weight: String = "log_rank".into(),
        /// Fleming-Harrington's rho; R's survdiff has it.
        rho: f64 = 0.0,
        /// Fleming-Harrington's gamma.
        gamma: f64 = 0.0,
    }
    check |options| weight(options).map(|_| ())
}

pub(super) fn weight(options: &Options) -> Result<LogRankWeight, String> {
    match options.weight.as_str() {
        "log_rank" if options.rho != 0.0 || options.gamma != 0.0 => Err("`rho` and `gamma` need 'weight': 'fleming_harrington'".into()),
        "log_rank" => Ok(LogRankWeight::LogRank),
        "gehan" => Ok(LogRankWeight::Gehan),
        "tarone_ware" => Ok(LogRankWeight::TaroneWare),
        "fleming_harrington" => Ok(LogRankWeight::FlemingHarrington { rho: options.rho, gamma: options.gamma }),
        other => Err(format!("`weight` is '{other}'; expected 'log_rank', 'gehan', 'tarone_ware' or 'fleming_harrington'")),
    }
}

record! {
    /// One group.
    struct Group {
        label: String,
        n: u64,
        observed: f64,
        expected: f64,
    }
}

record! {
    /// The test.
    struct LogRank {
        statistic: f64,
        df: u64,
        p: f64,
        groups: Vec<Group>,
    }
}

pub fn logrank() -> Function {
    collect("logrank", "Log-rank test of the survival of two or more groups, by option weighted.")
        .outcome()
        .arg("group", Kind::Label, "the group")
        .options::<Options>()
        .row_option("strata", Kind::Label, "stratum: groups are compared within it, and the strata add up")
        .source("R survival::survdiff")
        .example("SELECT logrank(months, died, stage).p FROM patients")
        .returns(|rows, options| {
            let (groups, labels) = codes(rows.texts(2));
            let whole = |codes: Vec<u32>| codes.into_iter().map(|code| code as usize).collect::<Vec<_>>();
            let strata = rows.given("strata").map(|at| whole(codes(rows.texts(at)).0));
            let weight = weight(options).map_err(Problem::user)?;
            let found = test(rows.numbers(0), rows.events(1), &whole(groups), strata.as_deref(), weight).map_err(Problem::user)?;
            let groups = found.groups.iter().map(|group| Group {
                label: labels[group.group].clone(),
                n: group.n as u64,
                observed: group.observed,
                expected: group.expected,
            });
            Ok(LogRank { statistic: found.statistic, df: found.df as u64, p: found.p, groups: groups.collect() })
        })
}
