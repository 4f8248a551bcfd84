//! Concordance with its standard error and the pairs behind it.
//!
//! As `c_index`, with weights of rows and of times, a limit of the follow-up, strata, and the infinitesimal jackknife standard error
//! of R, for rows that depend on each other by their cluster.

use esccsql_survival::concordance::{ConcordanceOptions, TiedTimes, Ties, TimeWeight};
use esccsql_survival::concordance_strata::{ConcordanceDesign, concordance_in_strata};
use esccsql_survival::km::confidence_z;

use super::design::codes;
use crate::shape::{Function, Kind, Problem, collect, options, record};

options! {
    struct Options {
        /// How pairs tied in risk count: 'half' (R) or 'drop' (survcomp).
        ties: Ties = Ties::Half,
        /// Of an event and a censoring at one time: 'censored_outlives' (R) or 'drop' (survcomp).
        tied_times: TiedTimes = TiedTimes::CensoredOutlives,
        /// Weight of a pair by its shorter time: 'n' (Harrell), 'S' (Peto-Wilcoxon), 'S/G' (Schemper), 'n/G2' (Uno) or 'I'.
        time_weight: TimeWeight = TimeWeight::Count,
        /// Pairs whose shorter time is beyond it do not count.
        tau: Option<f64> = None,
        /// Level of the interval.
        conf_level: f64 = 0.95,
    }
}

record! {
    /// The index with its normal interval, and sums of pair weights.
    struct Concordance {
        c_index: f64,
        std_err: Option<f64>,
        lower: Option<f64>,
        upper: Option<f64>,
        concordant: f64,
        discordant: f64,
        tied_risk: f64,
        tied_time: f64,
        tied_both: f64,
        n: u64,
        events: u64,
    }
}

pub fn concordance() -> Function {
    collect("concordance", "Concordance index of a risk score with its standard error, normal interval and counts of pairs.")
        .outcome()
        .arg("risk", Kind::Number, "risk score (higher risk, shorter survival)")
        .options::<Options>()
        .row_option("weight", Kind::Number, "case weight, 0 or more")
        .row_option("strata", Kind::Label, "stratum: pairs are formed within it, as for a Cox model with strata")
        .row_option("cluster", Kind::Label, "rows that may depend on each other, such as lesions of a patient; for the standard error")
        .source("Therneau & Watson, Mayo Clinic technical report 85, 2017; R survival::concordance(reverse = TRUE)")
        .example("SELECT concordance(months, died, risk, {'time_weight': 'n/G2', 'weight': stage}).std_err FROM patients")
        .returns(|rows, options| {
            let z = confidence_z(options.conf_level).map_err(Problem::user)?;
            let chosen = ConcordanceOptions {
                ties: options.ties,
                tied_times: options.tied_times,
                time_weight: options.time_weight,
                tau: options.tau,
                ..ConcordanceOptions::default()
            };
            let coded = |option: &str| rows.given(option).map(|at| codes(rows.texts(at)).0);
            let (strata, cluster) = (coded("strata"), coded("cluster"));
            let weights = rows.given("weight").map(|at| rows.numbers(at));
            let design = ConcordanceDesign { weights, strata: strata.as_deref(), cluster: cluster.as_deref() };
            let found = concordance_in_strata(rows.numbers(0), rows.events(1), rows.numbers(2), &design, &chosen).map_err(Problem::user)?;
            Ok(Concordance {
                c_index: found.c_index,
                std_err: found.std_err,
                lower: found.std_err.map(|se| found.c_index - z * se),
                upper: found.std_err.map(|se| found.c_index + z * se),
                concordant: found.concordant,
                discordant: found.discordant,
                tied_risk: found.tied_risk,
                tied_time: found.tied_time,
                tied_both: found.tied_both,
                n: found.n as u64,
                events: found.events as u64,
            })
        })
}
