//! ComBat: harmonisation of features measured by several scanners or centres (batches).
//!
//! `y = a + x b + g_batch + d_batch e` for each feature; the batch's shift g and scale d are shrunk over the features by empirical
//! Bayes, parametric (normal and inverse gamma priors) or not, and taken out. What covariates x explain is kept. Johnson, Li &
//! Rabinovic, Biostatistics 2007;8:118. Fortin et al., NeuroImage 2018;167:104. The conventions are those of R `sva::ComBat`, but
//! the iteration runs to 1e-12 (there 1e-4). A model is fitted on the training rows and applied to any row of a known batch.

use nalgebra::{DMatrix, DVector};
use ndarray::{Array2, ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::error::{Result, StatsError, check_count, check_matrix};

const WHAT: &str = "combat";

/// How a model is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CombatOptions {
    /// Shrink over the features; without it each feature has its own estimates.
    pub empirical_bayes: bool,
    /// Normal and inverse gamma priors, else the empirical distribution over the features.
    pub parametric: bool,
    /// Take out shifts only, not scales.
    pub mean_only: bool,
    /// The batch that the others are brought to; by default their mean.
    pub reference: Option<usize>,
}

impl Default for CombatOptions {
    fn default() -> Self {
        Self { empirical_bayes: true, parametric: true, mean_only: false, reference: None }
    }
}

/// A fitted harmonisation of p features from b batches with c covariates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Combat {
    pub features: usize,
    /// Rows of each batch.
    pub rows: Vec<usize>,
    /// Mean of each feature over the batches, at the covariates' means.
    pub mean: Vec<f64>,
    /// Pooled standard deviation of each feature; 0 where it is constant within batches, which is left as it is.
    pub scale: Vec<f64>,
    pub covariate_means: Vec<f64>,
    /// c x p, row-major.
    pub effects: Vec<f64>,
    /// b x p, row-major: shift and variance of each batch on the standardised scale, as they are taken out.
    pub shift: Vec<f64>,
    pub variance: Vec<f64>,
    pub reference: Option<usize>,
}

impl Combat {
    /// Fits to `x` (n x p), the rows' batches (0..b) and `covariates` (n x c, c may be 0).
    ///
    /// # Errors
    /// Values that are not finite, one batch only, a batch of one row without `mean_only`, fewer than 2 features that vary with
    /// empirical Bayes, and covariates that are collinear with the batches.
    pub fn fit(x: ArrayView2<f64>, batch: &[usize], covariates: ArrayView2<f64>, options: CombatOptions) -> Result<Self> {
        let (n, p) = x.dim();
        check_count(WHAT, "rows", n, 2)?;
        check_matrix(WHAT, x)?;
        check_matrix(WHAT, covariates)?;
        for (first_name, first) in [("batch", batch.len()), ("covariates", covariates.nrows())] {
            if first != n {
                return Err(StatsError::LengthMismatch { what: WHAT, first_name, first, second_name: "x", second: n });
            }
        }
        let batches = batch.iter().max().map_or(0, |b| b + 1);
        let mut rows = vec![0; batches];
        batch.iter().for_each(|&b| rows[b] += 1);
        check_rows(&rows, n, covariates.ncols(), options)?;

        let covariate_means: Vec<f64> = covariates.columns().into_iter().map(|column| column.sum() / n as f64).collect();
        let design = design(batch, batches, covariates, &covariate_means);
        let coefficients = solve(&design, x)?;
        let mean: Vec<f64> = (0..p)
            .map(|j| match options.reference {
                Some(reference) => coefficients[(reference, j)],
                None => (0..batches).map(|b| rows[b] as f64 / n as f64 * coefficients[(b, j)]).sum(),
            })
            .collect();
        let effects: Vec<f64> =
            (batches..coefficients.nrows()).flat_map(|k| coefficients.row(k).iter().copied().collect::<Vec<_>>()).collect();
        let fitted = &design * &coefficients;
        let counted = |i: usize| options.reference.is_none_or(|reference| batch[i] == reference);
        let count = (0..n).filter(|&i| counted(i)).count() as f64;
        let scale: Vec<f64> = (0..p)
            .map(|j| {
                let squares: f64 = (0..n).filter(|&i| counted(i)).map(|i| (x[(i, j)] - fitted[(i, j)]).powi(2)).sum();
                let size = (0..n).map(|i| x[(i, j)].abs()).fold(0.0, f64::max);
                // What is left of a feature that its batch decides is rounding.
                let scale = (squares / count).sqrt();
                if scale > 1e-12 * size { scale } else { 0.0 }
            })
            .collect();

        let mut model = Self {
            features: p,
            rows,
            mean,
            scale,
            covariate_means,
            effects,
            shift: vec![0.0; batches * p],
            variance: vec![1.0; batches * p],
            reference: options.reference,
        };
        let varying: Vec<usize> = (0..p).filter(|&j| model.scale[j] > 0.0).collect();
        if options.empirical_bayes {
            check_count(WHAT, "features that vary within the batches (to borrow strength from each other)", varying.len(), 2)?;
        }
        for b in (0..batches).filter(|&b| options.reference != Some(b)) {
            let members: Vec<usize> = (0..n).filter(|&i| batch[i] == b).collect();
            let standardised = |j: usize| -> Vec<f64> {
                members.iter().map(|&i| (x[(i, j)] - model.expected(j, covariates.row(i))) / model.scale[j]).collect()
            };
            let values: Vec<Vec<f64>> = varying.iter().map(|&j| standardised(j)).collect();
            for (&j, estimate) in varying.iter().zip(estimates(&values, options)) {
                model.shift[b * p + j] = estimate.shift;
                model.variance[b * p + j] = estimate.variance;
            }
        }
        Ok(model)
    }

    /// Mean of feature j at a row's covariates.
    fn expected(&self, j: usize, covariates: ArrayView1<f64>) -> f64 {
        let p = self.features;
        let effect = |(k, value): (usize, &f64)| (value - self.covariate_means[k]) * self.effects[k * p + j];
        self.mean[j] + covariates.iter().enumerate().map(effect).sum::<f64>()
    }

    /// One row without its batch's shift and scale.
    ///
    /// # Errors
    /// Another number of features or covariates than in the fit, and values that are not finite.
    pub fn transform(&self, x: ArrayView1<f64>, batch: usize, covariates: ArrayView1<f64>) -> Result<Vec<f64>> {
        for (expected, got) in [(self.features, x.len()), (self.covariate_means.len(), covariates.len())] {
            if expected != got {
                return Err(StatsError::WrongColumns { what: WHAT, expected, got });
            }
        }
        check_matrix(WHAT, x.insert_axis(ndarray::Axis(0)))?;
        check_matrix(WHAT, covariates.insert_axis(ndarray::Axis(0)))?;
        let p = self.features;
        Ok((0..p)
            .map(|j| {
                let scale = self.scale[j];
                if scale == 0.0 || self.reference == Some(batch) {
                    return x[j];
                }
                let expected = self.expected(j, covariates);
                let (shift, variance) = (self.shift[batch * p + j], self.variance[batch * p + j]);
                ((x[j] - expected) / scale - shift) / variance.sqrt() * scale + expected
            })
            .collect())
    }
}

fn check_rows(rows: &[usize], n: usize, covariates: usize, options: CombatOptions) -> Result<()> {
    check_count(WHAT, "batches", rows.len(), 2)?;
    if let Some(reference) = options.reference.filter(|&reference| reference >= rows.len()) {
        let message = format!("the reference is batch {reference} of {}", rows.len());
        return Err(StatsError::Design { what: WHAT, message });
    }
    if let Some(b) = rows.iter().position(|&count| count < 2).filter(|_| !options.mean_only) {
        let message = format!(
            "batch {} of {} has {} row, and no scale of its own: use 'mean_only', or join it with another",
            b + 1,
            rows.len(),
            rows[b]
        );
        return Err(StatsError::Design { what: WHAT, message });
    }
    check_count(WHAT, "rows (one more than batches and covariates)", n, rows.len() + covariates + 1)
}

/// n x (b + c): indicators of the batches, and centred covariates.
fn design(batch: &[usize], batches: usize, covariates: ArrayView2<f64>, means: &[f64]) -> DMatrix<f64> {
    DMatrix::from_fn(batch.len(), batches + means.len(), |i, k| match k.checked_sub(batches) {
        None => f64::from(u8::from(batch[i] == k)),
        Some(c) => covariates[(i, c)] - means[c],
    })
}

/// Least squares, (b + c) x p, on columns of unit length.
fn solve(design: &DMatrix<f64>, x: ArrayView2<f64>) -> Result<DMatrix<f64>> {
    let confounded = || StatsError::Design {
        what: WHAT,
        message:
            "a covariate is constant, or a combination of the others and the batches: its effect cannot be told from theirs; leave it out"
                .into(),
    };
    let lengths: Vec<f64> = design.column_iter().map(|column| column.norm()).collect();
    if lengths.contains(&0.0) {
        return Err(confounded());
    }
    let unit = DMatrix::from_fn(design.nrows(), design.ncols(), |i, k| design[(i, k)] / lengths[k]);
    let qr = unit.qr();
    let r = qr.r();
    if (0..r.ncols()).any(|k| r[(k, k)].abs() < 1e-9) {
        return Err(confounded());
    }
    let y = DMatrix::from_fn(x.nrows(), x.ncols(), |i, j| x[(i, j)]);
    let mut solved = qr.q().transpose() * y;
    if !r.solve_upper_triangular_mut(&mut solved) {
        return Err(confounded());
    }
    for (k, length) in lengths.iter().enumerate() {
        solved.row_mut(k).scale_mut(1.0 / length);
    }
    Ok(solved)
}

#[derive(Debug, Clone, Copy)]
struct Estimate {
    shift: f64,
    variance: f64,
}

/// Shift and variance of one batch for each feature, `values` being its standardised rows.
fn estimates(values: &[Vec<f64>], options: CombatOptions) -> Vec<Estimate> {
    let n = values[0].len() as f64;
    let own: Vec<Estimate> = values
        .iter()
        .map(|values| {
            let shift = values.iter().sum::<f64>() / n;
            let squares: f64 = values.iter().map(|v| (v - shift) * (v - shift)).sum();
            Estimate { shift, variance: if options.mean_only { 1.0 } else { squares / (n - 1.0) } }
        })
        .collect();
    if !options.empirical_bayes {
        return own;
    }
    if options.parametric { parametric(values, &own, options.mean_only) } else { empirical(values, &own, options.mean_only) }
}

fn mean_and_variance(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    (mean, values.map(|v| (v - mean) * (v - mean)).sum::<f64>() / (count - 1.0))
}

fn parametric(values: &[Vec<f64>], own: &[Estimate], mean_only: bool) -> Vec<Estimate> {
    let (prior_mean, prior_variance) = mean_and_variance(own.iter().map(|e| e.shift));
    if mean_only {
        // Posterior mean of a shift whose variance is known to be 1, from a mean that counts as one observation (as sva).
        let shrink = |e: &Estimate| Estimate { shift: (prior_variance * e.shift + prior_mean) / (prior_variance + 1.0), variance: 1.0 };
        return own.iter().map(shrink).collect();
    }
    let (m, s2) = mean_and_variance(own.iter().map(|e| e.variance));
    // Inverse gamma by its moments; where the variances are all equal the prior is a point.
    let (a, b) = ((2.0 * s2 + m * m) / s2, (m * s2 + m * m * m) / s2);
    let n = values[0].len() as f64;
    values
        .iter()
        .zip(own)
        .map(|(values, own)| {
            let mut at = *own;
            for _ in 0..10_000 {
                let shift = if prior_variance > 0.0 {
                    (prior_variance * n * own.shift + at.variance * prior_mean) / (prior_variance * n + at.variance)
                } else {
                    prior_mean
                };
                let squares: f64 = values.iter().map(|v| (v - shift) * (v - shift)).sum();
                let variance = if s2 > 0.0 { (0.5 * squares + b) / (n / 2.0 + a - 1.0) } else { m };
                let settled =
                    (shift - at.shift).abs() <= 1e-12 * shift.abs().max(1e-3) && (variance - at.variance).abs() <= 1e-12 * variance;
                at = Estimate { shift, variance };
                if settled {
                    break;
                }
            }
            at
        })
        .collect()
}

/// Each feature's posterior mean, the others' estimates being the prior.
fn empirical(values: &[Vec<f64>], own: &[Estimate], mean_only: bool) -> Vec<Estimate> {
    let n = values[0].len() as f64;
    own.iter()
        .enumerate()
        .map(|(j, mine)| {
            let squares: f64 = values[j].iter().map(|v| (v - mine.shift) * (v - mine.shift)).sum();
            let others: Vec<&Estimate> =
                own.iter().enumerate().filter(|&(k, other)| k != j && other.variance > 0.0).map(|(_, e)| e).collect();
            let log_likelihood = |e: &Estimate| {
                let sum = squares + n * (mine.shift - e.shift) * (mine.shift - e.shift);
                -0.5 * n * (2.0 * std::f64::consts::PI * e.variance).ln() - sum / (2.0 * e.variance)
            };
            let logs: Vec<f64> = others.iter().map(|e| log_likelihood(e)).collect();
            let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weights = DVector::from_iterator(logs.len(), logs.iter().map(|l| (l - top).exp()));
            let total = weights.sum();
            let average = |of: fn(&Estimate) -> f64| weights.iter().zip(&others).map(|(w, e)| w * of(e)).sum::<f64>() / total;
            Estimate { shift: average(|e| e.shift), variance: if mean_only { 1.0 } else { average(|e| e.variance) } }
        })
        .collect()
}

/// All rows at once, n x p.
///
/// # Errors
/// Those of [`Combat::transform`].
pub fn harmonise(model: &Combat, x: ArrayView2<f64>, batch: &[usize], covariates: ArrayView2<f64>) -> Result<Array2<f64>> {
    let mut harmonised = Array2::zeros(x.dim());
    for (i, mut row) in harmonised.rows_mut().into_iter().enumerate() {
        row.assign(&ArrayView1::from(&model.transform(x.row(i), batch[i], covariates.row(i))?));
    }
    Ok(harmonised)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 24 rows of three batches with 6 features: shifts and scales by batch, an effect of one covariate.
    fn data() -> (Array2<f64>, Vec<usize>, Array2<f64>) {
        let batch: Vec<usize> = (0..24).map(|i| (i * 7) % 3).collect();
        let covariate = Array2::from_shape_fn((24, 1), |(i, _)| ((i * 5) % 11) as f64);
        let x = Array2::from_shape_fn((24, 6), |(i, j)| {
            let noise = ((i * 37 + j * 101 + 13) * 7919 % 1009) as f64 / 1009.0 - 0.5;
            let b = batch[i] as f64;
            10.0 + j as f64 + 0.3 * covariate[(i, 0)] + b * (0.5 + 0.2 * j as f64) + (1.0 + 0.4 * b) * noise
        });
        (x, batch, covariate)
    }

    fn batch_means(x: &Array2<f64>, batch: &[usize], j: usize) -> Vec<f64> {
        let mean = |b: usize| {
            let rows: Vec<usize> = (0..batch.len()).filter(|&i| batch[i] == b).collect();
            rows.iter().map(|&i| x[(i, j)]).sum::<f64>() / rows.len() as f64
        };
        (0..3).map(mean).collect()
    }

    #[test]
    fn without_shrinkage_the_batches_have_equal_means() {
        let (x, batch, _) = data();
        let none = Array2::zeros((24, 0));
        let options = CombatOptions { empirical_bayes: false, ..Default::default() };
        let model = Combat::fit(x.view(), &batch, none.view(), options).unwrap();
        let found = harmonise(&model, x.view(), &batch, none.view()).unwrap();
        for j in 0..6 {
            let means = batch_means(&found, &batch, j);
            assert!(means.iter().all(|m| (m - means[0]).abs() < 1e-10), "{means:?}");
        }
    }

    #[test]
    fn shrinkage_takes_most_of_the_batch_out_and_keeps_the_covariate() {
        let (x, batch, covariate) = data();
        for parametric in [true, false] {
            let options = CombatOptions { parametric, ..Default::default() };
            let model = Combat::fit(x.view(), &batch, covariate.view(), options).unwrap();
            let found = harmonise(&model, x.view(), &batch, covariate.view()).unwrap();
            for j in 0..6 {
                let spread = |x: &Array2<f64>| {
                    let means = batch_means(x, &batch, j);
                    means.iter().copied().fold(f64::MIN, f64::max) - means.iter().copied().fold(f64::MAX, f64::min)
                };
                assert!(spread(&found) < 0.5 * spread(&x), "feature {j}: {} of {}", spread(&found), spread(&x));
            }
            // Fitted again, the covariate's effect is what it was.
            let again = Combat::fit(found.view(), &batch, covariate.view(), options).unwrap();
            assert!(model.effects.iter().zip(&again.effects).all(|(a, b)| (a - b).abs() < 0.1), "{:?} {:?}", model.effects, again.effects);
        }
    }

    #[test]
    fn the_reference_batch_stays_as_it_is() {
        let (x, batch, covariate) = data();
        let options = CombatOptions { reference: Some(1), ..Default::default() };
        let model = Combat::fit(x.view(), &batch, covariate.view(), options).unwrap();
        let found = harmonise(&model, x.view(), &batch, covariate.view()).unwrap();
        for i in (0..24).filter(|&i| batch[i] == 1) {
            assert_eq!(found.row(i), x.row(i));
        }
    }

    #[test]
    fn a_constant_feature_is_left_alone() {
        let (mut x, batch, _) = data();
        x.column_mut(2).fill(7.0);
        let none = Array2::zeros((24, 0));
        let model = Combat::fit(x.view(), &batch, none.view(), CombatOptions::default()).unwrap();
        let found = harmonise(&model, x.view(), &batch, none.view()).unwrap();
        assert!(found.column(2).iter().all(|&v| v == 7.0) && found.iter().all(|v| v.is_finite()));
    }

    #[test]
    fn bad_designs_are_named() {
        let (x, batch, _) = data();
        let none = Array2::zeros((24, 0));
        let run = |batch: &[usize], covariates: &Array2<f64>, options| {
            Combat::fit(x.view(), batch, covariates.view(), options).unwrap_err().to_string()
        };
        assert!(run(&[0; 24], &none, CombatOptions::default()).contains("batches"));
        let mut single = vec![0; 24];
        single[3] = 1;
        assert!(run(&single, &none, CombatOptions::default()).contains("mean_only"));
        let confounded = Array2::from_shape_fn((24, 1), |(i, _)| batch[i] as f64);
        assert!(run(&batch, &confounded, CombatOptions::default()).contains("leave it out"));
        assert!(run(&batch, &Array2::from_elem((24, 1), f64::NAN), CombatOptions::default()).contains("NaN"));
    }
}
