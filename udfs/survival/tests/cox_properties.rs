//! What holds for Cox models on any machine: bad input, separation, brute force, and equalities between ways to say the same.

use esccsql_survival::cox::{Coefficient, CoxData, CoxFit, CoxOptions, Ties, ZphTransform, fit, screen};
use esccsql_survival::error::SurvivalError;
use ndarray::{Array2, s};

/// 40 rows of 3 covariates with ties, from a small linear congruential generator.
fn example() -> (Array2<f64>, Vec<f64>, Vec<bool>) {
    let mut state = 12345u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as f64 / (1u64 << 31) as f64
    };
    let x = Array2::from_shape_fn((40, 3), |_| next() * 4.0 - 2.0);
    let time = (0..40).map(|i| (8.0 * (-x[[i, 0]] * 0.5).exp() * next()).ceil()).collect();
    let event = (0..40).map(|_| next() < 0.7).collect();
    (x, time, event)
}

fn ties(ties: Ties) -> CoxOptions {
    CoxOptions { ties, ..Default::default() }
}

#[track_caller]
fn close(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{a:e} {b:e}");
}

#[test]
fn bad_input_is_named() {
    let (x, time, event) = example();
    let options = CoxOptions::default();
    let message = |data: &CoxData| fit(data, &options).unwrap_err().to_string();
    let data = CoxData::new(x.view(), &time, &event);

    let none = vec![false; 40];
    assert!(message(&CoxData { event: &none, ..data }).contains("no events among 40 rows"));
    let one = x.slice(s![..1, ..]);
    assert!(message(&CoxData::new(one, &time[..1], &event[..1])).contains("too few"));
    assert!(message(&CoxData::new(x.slice(s![..0, ..]), &[], &[])).contains("no rows"));
    assert!(message(&CoxData { x: x.slice(s![.., ..0]), ..data }).contains("no columns"));
    assert!(message(&CoxData { time: &time[..39], ..data }).contains("39"));
    for bad in [f64::NAN, f64::INFINITY] {
        let mut x = x.clone();
        x[[4, 1]] = bad;
        let text = message(&CoxData { x: x.view(), ..data });
        assert!(text.contains("column 2 of x") && text.contains(&format!("is {bad}")), "{text}");
        let names = ["age", "stage", "marker"].map(String::from);
        let text = message(&CoxData { x: x.view(), names: Some(&names), ..data });
        assert!(text.contains("feature 'stage'"), "{text}");
        assert!(screen(&CoxData { x: x.view(), ..data }, &options).is_err());
    }
    let mut negative = time.clone();
    negative[2] = -1.0;
    assert!(message(&CoxData { time: &negative, ..data }).contains("time is -1"));
    let mut weights = vec![1.0; 40];
    weights[7] = 0.0;
    assert!(message(&CoxData { weights: Some(&weights), ..data }).contains("leave rows of weight 0 out"));
    weights[7] = -1.0;
    assert!(message(&CoxData { weights: Some(&weights), ..data }).contains("weight is -1"));
    weights[7] = 1.0;
    assert!(fit(&CoxData { weights: Some(&weights), ..data }, &ties(Ties::Exact)).is_err());
    assert!(fit(&data, &CoxOptions { max_iter: 0, ..options }).is_err());

    let found = fit(&data, &options).unwrap();
    assert!(matches!(found.linear_predictor(x.slice(s![.., ..2])), Err(SurvivalError::ColumnMismatch { expected: 3, found: 2 })));
    assert!(found.survival(x.view(), &[1.0], Some(&[9; 40]), None, 0.95).is_err());
    assert!(found.summary(&[], 0.95).is_err());
}

#[test]
fn constant_and_collinear_columns_are_aliased() {
    let (x, time, event) = example();
    let mut wide = Array2::zeros((40, 5));
    wide.slice_mut(s![.., ..2]).assign(&x.slice(s![.., ..2]));
    wide.column_mut(2).fill(0.1);
    let sum = &x.column(0) * 2.0 - x.column(1);
    wide.column_mut(3).assign(&sum);
    wide.column_mut(4).assign(&x.column(2));
    let data = CoxData::new(wide.view(), &time, &event);
    let found = fit(&data, &CoxOptions::default()).unwrap();
    let plain = fit(&CoxData { x: x.view(), ..data }, &CoxOptions::default()).unwrap();
    use Coefficient::{Aliased, Estimated};
    assert_eq!(found.status, [Estimated, Estimated, Aliased, Aliased, Estimated]);
    assert!(found.coef[2].is_nan() && found.coef[3].is_nan());
    assert!(found.warnings[0].contains("column 3, 4"), "{:?}", found.warnings);
    assert_eq!((found.wald.df, found.likelihood_ratio.df), (3, 3));
    for (k, j) in [(0, 0), (1, 1), (4, 2)] {
        close(found.coef[k], plain.coef[j], 1e-10);
    }
    close(found.score.statistic, plain.score.statistic, 1e-10);
    let terms: Vec<String> = (0..5).map(|j| format!("x{j}")).collect();
    assert!(found.summary(&terms, 0.95).unwrap()[2].p.is_none());
    let rows = found.zph(&data, ZphTransform::Identity).unwrap();
    assert!(rows[2].chi_square.is_nan() && rows[5].df == 3);

    let flat = Array2::from_elem((40, 2), 3.0);
    let found = fit(&CoxData { x: flat.view(), ..data }, &CoxOptions::default()).unwrap();
    assert!(found.converged && found.status == [Aliased, Aliased] && found.loglik == found.loglik_null);
    let rows = screen(&data, &CoxOptions::default()).unwrap();
    assert!(rows[2].status == Aliased && rows[2].coef.is_nan() && rows[0].status == Estimated);
}

#[test]
fn separation_is_flagged() {
    let time: Vec<f64> = (1..=20).map(f64::from).collect();
    let event: Vec<bool> = (0..20).map(|i| i < 8).collect();
    let x = Array2::from_shape_fn((20, 2), |(i, j)| if j == 0 { f64::from(i < 8) } else { ((i * 7) % 11) as f64 });
    let data = CoxData::new(x.view(), &time, &event);
    let found = fit(&data, &CoxOptions::default()).unwrap();
    assert_eq!(found.status, [Coefficient::Diverging, Coefficient::Estimated]);
    assert!(found.warnings[0].contains("column 1"), "{:?}", found.warnings);
    let rows = found.summary(&["a".into(), "b".into()], 0.95).unwrap();
    assert!(rows[0].hr.is_none() && rows[1].hr.is_some());
    let rows = screen(&data, &CoxOptions::default()).unwrap();
    assert!(rows[0].status == Coefficient::Diverging && rows[0].p.is_nan());
}

/// Log-likelihood of exact ties by listing all subsets.
fn exact_by_subsets(x: &Array2<f64>, time: &[f64], event: &[bool], beta: &[f64]) -> f64 {
    let n = time.len();
    let eta: Vec<f64> = x.rows().into_iter().map(|r| r.iter().zip(beta).map(|(x, b)| x * b).sum()).collect();
    let mut times: Vec<f64> = (0..n).filter(|&i| event[i]).map(|i| time[i]).collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    let mut loglik = 0.0;
    for t in times {
        let members: Vec<usize> = (0..n).filter(|&i| time[i] >= t).collect();
        let dead: Vec<usize> = members.iter().copied().filter(|&i| time[i] == t && event[i]).collect();
        let sum: f64 = (0u32..1 << members.len())
            .filter(|subset| subset.count_ones() as usize == dead.len())
            .map(|subset| (0..members.len()).filter(|k| subset >> k & 1 == 1).map(|k| eta[members[k]]).sum::<f64>().exp())
            .sum();
        loglik += dead.iter().map(|&i| eta[i]).sum::<f64>() - sum.ln();
    }
    loglik
}

#[test]
fn exact_ties_match_the_sum_over_subsets() {
    let (x, time, event) = example();
    let (x, time, event) = (x.slice(s![..14, ..2]).to_owned(), &time[..14], &event[..14]);
    let found = fit(&CoxData::new(x.view(), time, event), &ties(Ties::Exact)).unwrap();
    let at = |a: f64, b: f64| exact_by_subsets(&x, time, event, &[found.coef[0] + a, found.coef[1] + b]);
    close(found.loglik, at(0.0, 0.0), 1e-12);
    close(found.loglik_null, exact_by_subsets(&x, time, event, &[0.0, 0.0]), 1e-12);
    // The gradient is 0, and the information is the inverse of the variance.
    let h = 1e-3;
    close((at(h, 0.0) - at(-h, 0.0)) / (2.0 * h), 0.0, 1e-5);
    let second = [
        (2.0 * at(0.0, 0.0) - at(h, 0.0) - at(-h, 0.0)) / (h * h),
        (at(h, -h) + at(-h, h) - at(h, h) - at(-h, -h)) / (4.0 * h * h),
        (2.0 * at(0.0, 0.0) - at(0.0, h) - at(0.0, -h)) / (h * h),
    ];
    let determinant = second[0] * second[2] - second[1] * second[1];
    close(found.variance[0], second[2] / determinant, 1e-4);
    close(found.variance[1], -second[1] / determinant, 1e-4);
    close(found.variance[3], second[0] / determinant, 1e-4);
}

#[test]
fn without_ties_the_three_methods_agree() {
    let (x, _, event) = example();
    let time: Vec<f64> = (0..40).map(|i| f64::from((i * 17) % 41)).collect();
    let data = CoxData::new(x.view(), &time, &event);
    let [a, b, c] = [Ties::Efron, Ties::Breslow, Ties::Exact].map(|t| fit(&data, &ties(t)).unwrap());
    for other in [b, c] {
        close(a.loglik, other.loglik, 1e-12);
        a.coef.iter().zip(&other.coef).for_each(|(a, b)| close(*a, *b, 1e-9));
        a.variance.iter().zip(&other.variance).for_each(|(a, b)| close(*a, *b, 1e-9));
    }
}

#[test]
fn whole_weights_are_copies_of_rows_for_breslow() {
    let (x, time, event) = example();
    let weights: Vec<f64> = (0..40).map(|i| f64::from(1 + i % 3)).collect();
    let copies: Vec<usize> = (0..40).flat_map(|i| std::iter::repeat_n(i, 1 + i % 3)).collect();
    let more = x.select(ndarray::Axis(0), &copies);
    let (more_time, more_event): (Vec<f64>, Vec<bool>) = copies.iter().map(|&i| (time[i], event[i])).unzip();
    let weighted = fit(&CoxData { weights: Some(&weights), ..CoxData::new(x.view(), &time, &event) }, &ties(Ties::Breslow)).unwrap();
    let copied = fit(&CoxData::new(more.view(), &more_time, &more_event), &ties(Ties::Breslow)).unwrap();
    close(weighted.loglik, copied.loglik, 1e-12);
    weighted.coef.iter().zip(&copied.coef).for_each(|(a, b)| close(*a, *b, 1e-9));
    weighted.variance.iter().zip(&copied.variance).for_each(|(a, b)| close(*a, *b, 1e-9));
    // A row per cluster is the robust variance of the copies, clustered by their row.
    let clusters: Vec<u32> = copies.iter().map(|&i| i as u32).collect();
    let data = CoxData { weights: Some(&weights), ..CoxData::new(x.view(), &time, &event) };
    let a = fit(&data, &CoxOptions { robust: true, ..ties(Ties::Breslow) }).unwrap().robust_variance.unwrap();
    let data = CoxData { cluster: Some(&clusters), ..CoxData::new(more.view(), &more_time, &more_event) };
    let b = fit(&data, &ties(Ties::Breslow)).unwrap().robust_variance.unwrap();
    a.iter().zip(&b).for_each(|(a, b)| close(*a, *b, 1e-8));
}

#[test]
fn residuals_add_up() {
    let (x, time, event) = example();
    let data = CoxData::new(x.view(), &time, &event);
    for method in [Ties::Efron, Ties::Breslow] {
        let found = fit(&data, &ties(method)).unwrap();
        let residuals = found.residuals(&data).unwrap();
        close(residuals.martingale.iter().sum(), 0.0, 1e-10);
        for j in 0..3 {
            close(residuals.score.iter().skip(j).step_by(3).sum(), 0.0, 1e-8);
            close(residuals.schoenfeld.iter().skip(j).step_by(3).sum(), 0.0, 1e-8);
        }
        assert_eq!(residuals.event_rows.len(), found.events);
        // dfbeta is the change of the coefficients when a row is left out, to first order.
        let keep: Vec<usize> = (1..40).collect();
        let (less, t, e) = (x.select(ndarray::Axis(0), &keep), &time[1..], &event[1..]);
        let without = fit(&CoxData::new(less.view(), t, e), &ties(method)).unwrap();
        let change = found.coef[0] - without.coef[0];
        assert!((change - residuals.dfbeta[0]).abs() < 0.3 * change.abs() + 0.01, "{change} {}", residuals.dfbeta[0]);
    }
}

#[test]
fn offsets_and_origins_leave_the_predictions() {
    let (x, time, event) = example();
    let data = CoxData::new(x.view(), &time, &event);
    let found = fit(&data, &CoxOptions::default()).unwrap();
    // All of the effect as an offset: nothing is left to estimate.
    let offset = found.linear_predictor(x.view()).unwrap();
    let rest = fit(&CoxData { offset: Some(&offset), ..data }, &CoxOptions::default()).unwrap();
    rest.coef.iter().for_each(|b| close(*b, 0.0, 1e-7));
    close(rest.loglik_null, found.loglik, 1e-12);
    // Another origin and scale of x gives the same curves.
    let moved = x.mapv(|v| 1000.0 + 10.0 * v);
    let other = fit(&CoxData { x: moved.view(), ..data }, &CoxOptions::default()).unwrap();
    let times = [0.5, 1.0, 3.0, 100.0];
    let a = found.survival(x.view(), &times, None, None, 0.95).unwrap();
    let b = other.survival(moved.view(), &times, None, None, 0.95).unwrap();
    for (a, b) in [(&a.survival, &b.survival), (&a.lower, &b.lower), (&a.upper, &b.upper)] {
        a.iter().zip(b).for_each(|(a, b)| close(*a, *b, 1e-8));
    }
    for k in 0..a.survival.len() {
        assert!(a.lower[k] <= a.survival[k] && a.survival[k] <= a.upper[k]);
    }
    assert_eq!(a.survival[0], 1.0);
}

#[test]
fn a_model_survives_storage() {
    let (x, time, event) = example();
    let found = fit(&CoxData::new(x.view(), &time, &event), &CoxOptions::default()).unwrap();
    let stored: CoxFit = serde_json::from_str(&serde_json::to_string(&found).unwrap()).unwrap();
    assert_eq!(stored, found);
}

/// A fit that was cut short says so, and does not take the next step it would make for a coefficient without end.
#[test]
fn a_fit_cut_short_is_not_called_separated() {
    let (x, time, event) = example();
    let found = fit(&CoxData::new(x.view(), &time, &event), &CoxOptions { max_iter: 1, ..Default::default() }).unwrap();
    assert!(!found.converged && found.status.iter().all(|&s| s == Coefficient::Estimated));
    assert_eq!(found.warnings.len(), 1, "{:?}", found.warnings);
    assert!(found.warnings[0].contains("no convergence in 1 iterations"));
}

/// [`example`] and one row more, at a value of the first covariate far outside.
fn with_outlier(time: f64, event: bool, value: f64) -> (Array2<f64>, Vec<f64>, Vec<bool>) {
    let (x, mut times, mut events) = example();
    let row = Array2::from_shape_fn((1, 3), |(_, j)| if j == 0 { value } else { 0.0 });
    times.push(time);
    events.push(event);
    (ndarray::concatenate(ndarray::Axis(0), &[x.view(), row.view()]).unwrap(), times, events)
}

/// A row that leaves before the others' first event, or with the first event and a certain one, says nothing about the others,
/// though e to its linear predictor is beyond any number.
#[test]
fn a_row_far_outside_that_leaves_first_changes_nothing() {
    let (x, time, event) = example();
    let plain = CoxData::new(x.view(), &time, &event);
    for ties in [Ties::Efron, Ties::Breslow, Ties::Exact] {
        let options = CoxOptions { ties, ..Default::default() };
        let want = fit(&plain, &options).unwrap();
        for event in [false, true] {
            let (x, time, event) = with_outlier(0.001, event, 5000.0 * want.coef[0].signum());
            let data = CoxData::new(x.view(), &time, &event);
            let found = fit(&data, &options).unwrap();
            assert!(found.converged && found.status == [Coefficient::Estimated; 3] && found.warnings.is_empty(), "{:?}", found.warnings);
            for j in 0..3 {
                close(found.coef[j], want.coef[j], 1e-9);
                close(found.variance[j * 3 + j], want.variance[j * 3 + j], 1e-7);
            }
            close(found.loglik, want.loglik, 1e-9);
            let (residuals, of_plain) = (found.residuals(&data).unwrap(), want.residuals(&plain).unwrap());
            for i in 0..40 {
                close(residuals.martingale[i], of_plain.martingale[i], 1e-7);
            }
            // At covariates 0, after the last event; the outlier's own step is nothing beside it.
            let at_zero = |fit: &CoxFit| {
                let means: f64 = fit.means.iter().zip(&fit.coef).map(|(m, b)| m * b).sum();
                fit.baselines[0].cumulative_hazard.last().unwrap().ln() - means
            };
            close(at_zero(&found), at_zero(&want), 1e-7);
            if ties == Ties::Exact {
                continue;
            }
            let alone = CoxData { x: x.slice(s![.., ..1]), ..data };
            let want = fit(&CoxData { x: plain.x.slice(s![.., ..1]), ..plain }, &options).unwrap();
            let row = screen(&alone, &options).unwrap()[0];
            assert_eq!(row.status, Coefficient::Estimated);
            close(row.coef, want.coef[0], 1e-9);
            close(row.se, want.variance[0].sqrt(), 1e-7);
        }
    }
}

/// Events in the order of a covariate: the likelihood goes to 1, as far as one follows it.
#[test]
fn a_monotone_likelihood_is_flagged_at_any_size() {
    for n in [3, 5, 10, 20, 50, 200] {
        let time: Vec<f64> = (1..=n).map(f64::from).collect();
        let event = vec![true; n as usize];
        let x = Array2::from_shape_fn((n as usize, 2), |(i, j)| if j == 0 { -(i as f64) } else { ((i * 7) % 11) as f64 });
        let certain = 2.0 * (1..=n).map(|i| f64::from(i).ln()).sum::<f64>();
        let one = CoxData::new(x.slice(s![.., ..1]), &time, &event);
        let found = fit(&one, &CoxOptions::default()).unwrap();
        assert_eq!(found.status, [Coefficient::Diverging], "{n}: {:?}", found.warnings);
        close(found.likelihood_ratio.statistic, certain, 1e-6);
        let row = screen(&one, &CoxOptions::default()).unwrap()[0];
        assert!(row.status == Coefficient::Diverging && row.p.is_nan(), "{n}: {row:?}");
        close(row.likelihood_ratio, certain, 1e-6);
        let found = fit(&CoxData::new(x.view(), &time, &event), &CoxOptions::default()).unwrap();
        assert_eq!(found.status[0], Coefficient::Diverging, "{n}: {:?}", found.warnings);
    }
}

#[test]
fn one_cluster_is_no_sample_of_clusters() {
    let (x, time, event) = example();
    let data = CoxData { cluster: Some(&[7; 40]), ..CoxData::new(x.view(), &time, &event) };
    assert!(fit(&data, &CoxOptions::default()).unwrap_err().to_string().contains("two clusters or more"));
}

#[test]
fn events_at_one_time_do_not_test_for_a_change() {
    let x = Array2::from_shape_fn((4, 1), |(i, _)| [1.0, 3.0, 2.0, 5.0][i]);
    let (time, event) = ([1.0, 2.0, 3.0, 4.0], [false, true, false, false]);
    let data = CoxData::new(x.view(), &time, &event);
    let found = fit(&data, &CoxOptions::default()).unwrap();
    let rows = found.zph(&data, ZphTransform::default()).unwrap();
    assert!(rows.iter().all(|row| row.p.is_nan() && row.chi_square.is_nan()), "{rows:?}");
}
