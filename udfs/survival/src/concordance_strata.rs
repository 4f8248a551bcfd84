//! Concordance of rows in strata and clusters: pairs are formed within a stratum and added up over them; rows of one cluster may
//! depend on each other, which the standard error takes into account. As R `survival::concordance(y ~ x + strata(s), cluster = c)`.

use crate::concordance::{Concordance, ConcordanceOptions, Influence, Pairs, Ranked, arranged_weights, time_weights};
use crate::error::SurvivalError;
use crate::outcome::{Outcome, check_rows};

/// What a row has beside its outcome and risk.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConcordanceDesign<'a> {
    /// None negative; 1 when absent.
    pub weights: Option<&'a [f64]>,
    /// Codes of the strata.
    pub strata: Option<&'a [u32]>,
    /// Codes of the clusters; every row is its own when absent.
    pub cluster: Option<&'a [u32]>,
}

/// [`crate::concordance::concordance`] within strata, with the grouped jackknife of clusters. A time weight is that of the stratum.
///
/// # Errors
/// Those of [`crate::concordance::concordance`], and codes of another number than rows.
pub fn concordance_in_strata(
    time: &[f64],
    event: &[bool],
    risk: &[f64],
    design: &ConcordanceDesign,
    options: &ConcordanceOptions,
) -> Result<Concordance, SurvivalError> {
    let n = time.len();
    check_rows("event", n, event.len())?;
    check_rows("risk", n, risk.len())?;
    for (what, codes) in [("strata", design.strata), ("cluster", design.cluster)] {
        codes.map_or(Ok(()), |codes| check_rows(what, n, codes.len()))?;
    }
    design.weights.map_or(Ok(()), |weights| check_rows("weights", n, weights.len()))?;
    let stratum = |row: usize| design.strata.map_or(0, |codes| codes[row]);
    let mut by_stratum: Vec<usize> = (0..n).collect();
    by_stratum.sort_by_key(|&row| stratum(row));

    let mut total = Pairs::default();
    // Rows and weights in the order of the influences.
    let (mut order, mut weights, mut own) = (Vec::with_capacity(n), Vec::with_capacity(n), Influence::default());
    for rows in by_stratum.chunk_by(|&a, &b| stratum(a) == stratum(b)) {
        let pick = |values: &[f64]| -> Vec<f64> { rows.iter().map(|&row| values[row]).collect() };
        let events: Vec<bool> = rows.iter().map(|&row| event[row]).collect();
        let outcome = Outcome::new(&pick(time), &events)?;
        let of_rows = arranged_weights(&outcome, design.weights.map(pick).as_deref())?;
        let ranked = Ranked::new(&outcome, &pick(risk), options.tied_tolerance)?;
        let by_time = time_weights(&outcome, of_rows.as_deref(), options);
        let pairs = ranked.count(&outcome, of_rows.as_deref(), &by_time, options.tied_times, options.std_err);
        total.concordant += pairs.concordant;
        total.discordant += pairs.discordant;
        total.tied_risk += pairs.tied_risk;
        total.tied_time += pairs.tied_time;
        total.tied_both += pairs.tied_both;
        order.extend(outcome.order().iter().map(|&at| rows[at as usize]));
        weights.extend(of_rows.unwrap_or_else(|| vec![1.0; rows.len()]));
        if let Some(pairs) = pairs.influence {
            own.concordant.extend(pairs.concordant);
            own.discordant.extend(pairs.discordant);
            own.tied_risk.extend(pairs.tied_risk);
        }
    }
    let c_index = total.c_index(options.ties).ok_or(SurvivalError::NoComparablePairs)?;
    let std_err = options.std_err.then(|| {
        let residuals = own.residuals(&total, options.ties, Some(&weights));
        let Some(cluster) = design.cluster else { return residuals.iter().map(|d| d * d).sum::<f64>().sqrt() };
        let mut by_cluster: Vec<(u32, f64)> = order.iter().map(|&row| cluster[row]).zip(residuals).collect();
        by_cluster.sort_by_key(|&(cluster, _)| cluster);
        let sums = by_cluster.chunk_by(|a, b| a.0 == b.0).map(|rows| rows.iter().map(|&(_, d)| d).sum::<f64>());
        sums.map(|d| d * d).sum::<f64>().sqrt()
    });
    Ok(Concordance {
        c_index,
        std_err,
        concordant: total.concordant,
        discordant: total.discordant,
        tied_risk: total.tied_risk,
        tied_time: total.tied_time,
        tied_both: total.tied_both,
        n,
        events: event.iter().filter(|&&e| e).count(),
    })
}
