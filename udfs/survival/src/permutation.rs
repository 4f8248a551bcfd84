//! Permutation importance of any model on any rows: how much Harrell's C falls when a feature is shuffled among the rows.
//!
//! Unlike [`crate::rsf::Forest`]'s own importance it takes the rows as they come, so that it can be computed on a test cohort
//! and compared between models. It is negative where the shuffled feature ranks the rows better. Breiman, Mach Learn 2001;45:5;
//! Fisher, Rudin & Dominici, JMLR 2019;20:177.

use ndarray::ArrayView2;
use rayon::prelude::*;

use crate::concordance::{ConcordanceOptions, concordance};
use crate::error::SurvivalError;
use crate::outcome::check_rows;
use crate::rng::{shuffle, stream};

/// Importance of one feature over the repeats.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    /// Mean fall of the C-index.
    pub mean: f64,
    /// Standard deviation between the repeats; NaN for a single one.
    pub std_dev: f64,
    /// Fall in each repeat.
    pub falls: Vec<f64>,
}

/// C-index of the rows as they are, and each feature's importance. `risk` predicts from rows x features; higher is riskier.
///
/// Repeat r of feature j shuffles with its own random stream of `seed`, so that threads do not matter.
///
/// # Errors
/// No repeats, those of [`concordance`] and those of `risk`.
pub fn permutation_importance(
    time: &[f64],
    event: &[bool],
    x: ArrayView2<f64>,
    risk: impl Fn(ArrayView2<f64>) -> Result<Vec<f64>, SurvivalError> + Sync,
    repeats: usize,
    seed: u64,
) -> Result<(f64, Vec<Importance>), SurvivalError> {
    if repeats == 0 {
        return Err(SurvivalError::BadOption { option: "repeats", expected: "a whole number of at least 1", found: "0".into() });
    }
    check_rows("x", time.len(), x.nrows())?;
    let options = ConcordanceOptions { std_err: false, ..Default::default() };
    let c_index = |x: ArrayView2<f64>| Ok::<f64, SurvivalError>(concordance(time, event, &risk(x)?, None, &options)?.c_index);
    let whole = c_index(x)?;
    let of_feature = |feature: usize| {
        let mut shuffled = x.to_owned();
        let mut donors: Vec<usize> = Vec::new();
        let falls = (0..repeats).map(|repeat| {
            donors.clear();
            donors.extend(0..x.nrows());
            shuffle(&mut stream(seed, (feature * repeats + repeat) as u64), &mut donors);
            shuffled.column_mut(feature).iter_mut().zip(&donors).for_each(|(value, &donor)| *value = x[(donor, feature)]);
            Ok(whole - c_index(shuffled.view())?)
        });
        Ok(Importance::of(falls.collect::<Result<_, SurvivalError>>()?))
    };
    let all: Result<Vec<Importance>, SurvivalError> = (0..x.ncols()).into_par_iter().map(of_feature).collect();
    Ok((whole, all?))
}

impl Importance {
    fn of(falls: Vec<f64>) -> Self {
        let count = falls.len() as f64;
        let mean = falls.iter().sum::<f64>() / count;
        let squares: f64 = falls.iter().map(|fall| (fall - mean).powi(2)).sum();
        Self { mean, std_dev: (squares / (count - 1.0)).sqrt(), falls }
    }
}
