//! What holds for penalised Cox models on any machine.

use esccsql_survival::coxnet::{
    Alignment, CoxnetData, CoxnetFit, CoxnetOptions, CvOptions, Folds, Measure, cross_validate, fit, stratified_folds,
};
use ndarray::{Array2, s};

fn example(n: usize, p: usize) -> (Array2<f64>, Vec<f64>, Vec<bool>) {
    let mut state = 99u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as f64 / (1u64 << 31) as f64
    };
    let x = Array2::from_shape_fn((n, p), |_| next() * 4.0 - 2.0);
    let time = (0..n).map(|i| (300.0 + 800.0 * (-x[[i, 0]] + 0.5 * x[[i, 1]]).exp() * next()).ceil()).collect();
    let event = (0..n).map(|_| next() < 0.7).collect();
    (x, time, event)
}

#[track_caller]
fn close(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{a:e} {b:e}");
}

#[test]
fn bad_input_is_named() {
    let (x, time, event) = example(30, 3);
    let data = CoxnetData::new(x.view(), &time, &event);
    let message = |data: &CoxnetData, options: &CoxnetOptions| fit(data, options).unwrap_err().to_string();
    let plain = CoxnetOptions::default();
    let none = vec![false; 30];
    assert!(message(&CoxnetData { event: &none, ..data }, &plain).contains("no events"));
    assert!(message(&CoxnetData::new(x.slice(s![..1, ..]), &time[..1], &event[..1]), &plain).contains("too few"));
    let flat = Array2::from_elem((30, 3), 1.0);
    assert!(message(&CoxnetData { x: flat.view(), ..data }, &plain).contains("constant"));
    let mut bad = x.clone();
    bad[[3, 2]] = f64::NAN;
    assert!(message(&CoxnetData { x: bad.view(), ..data }, &plain).contains("column 3"));
    let mut negative = time.clone();
    negative[0] = -4.0;
    assert!(message(&CoxnetData { time: &negative, ..data }, &plain).contains("time is -4"));
    let zero = vec![0.0; 30];
    assert!(message(&CoxnetData { weights: Some(&zero), ..data }, &plain).contains("weight is 0"));
    for options in [
        CoxnetOptions { alpha: 1.5, ..plain.clone() },
        CoxnetOptions { n_lambda: 0, ..plain.clone() },
        CoxnetOptions { lambda_min_ratio: Some(1.0), ..plain.clone() },
        CoxnetOptions { lambda: Some(vec![0.1, 0.2]), ..plain.clone() },
        CoxnetOptions { lambda: Some(vec![]), ..plain.clone() },
        CoxnetOptions { penalty_factor: Some(vec![1.0]), ..plain.clone() },
        CoxnetOptions { penalty_factor: Some(vec![0.0; 3]), ..plain.clone() },
        CoxnetOptions { exclude: vec![3], ..plain.clone() },
        CoxnetOptions { tolerance: 0.0, ..plain.clone() },
    ] {
        assert!(fit(&data, &options).is_err(), "{options:?}");
    }
}

#[test]
fn constant_and_excluded_columns_stay_out() {
    let (mut x, time, event) = example(60, 5);
    x.column_mut(2).fill(7.0);
    let options = CoxnetOptions { exclude: vec![0], lambda_min_ratio: Some(0.01), ..Default::default() };
    let found = fit(&CoxnetData::new(x.view(), &time, &event), &options).unwrap();
    assert!(found.coef.iter().all(|c| !c.index.contains(&0) && !c.index.contains(&2)));
    assert!(found.df.last().unwrap() > &0);
    assert!(found.warnings[0].contains("column 3"), "{:?}", found.warnings);
}

#[test]
fn no_penalty_is_breslow_cox() {
    use esccsql_survival::cox::{self, CoxData, CoxOptions, Ties};
    let (x, time, event) = example(80, 4);
    let weights: Vec<f64> = (0..80).map(|i| 0.5 + f64::from(i % 4)).collect();
    let strata: Vec<u32> = (0..80).map(|i| i % 2).collect();
    let data = CoxnetData { weights: Some(&weights), strata: Some(&strata), ..CoxnetData::new(x.view(), &time, &event) };
    let found = fit(&data, &CoxnetOptions { lambda: Some(vec![0.0]), ..Default::default() }).unwrap();
    let cox = CoxData { weights: Some(&weights), strata: Some(&strata), ..CoxData::new(x.view(), &time, &event) };
    let expected = cox::fit(&cox, &CoxOptions { ties: Ties::Breslow, ..Default::default() }).unwrap();
    found.coef_at(0.0).iter().zip(&expected.coef).for_each(|(a, b)| close(*a, *b, 1e-8));
    // An unpenalised column is in from the start, at the coefficient of its own model.
    let factors = Some(vec![0.0, 1.0, 1.0, 1.0]);
    let found = fit(&data, &CoxnetOptions { penalty_factor: factors, ..Default::default() }).unwrap();
    let alone = cox::fit(&CoxData { x: x.slice(s![.., ..1]), ..cox }, &CoxOptions { ties: Ties::Breslow, ..Default::default() }).unwrap();
    assert_eq!(found.df[0], 1);
    close(found.coef[0].value[0], alone.coef[0], 1e-8);
}

#[test]
fn days_and_years_give_the_same_path() {
    let (x, time, event) = example(100, 8);
    // Ties at times above 256, censored rows among them.
    let days: Vec<f64> = time.iter().map(|t| (t / 200.0).ceil() * 200.0).collect();
    let years: Vec<f64> = days.iter().map(|t| t / 365.25).collect();
    let options = CoxnetOptions { lambda_min_ratio: Some(0.05), ..Default::default() };
    let a = fit(&CoxnetData::new(x.view(), &days, &event), &options).unwrap();
    let b = fit(&CoxnetData::new(x.view(), &years, &event), &options).unwrap();
    assert_eq!(a, b);
}

#[test]
fn folds_without_events_do_not_fail() {
    let (x, time, event) = example(40, 3);
    let fold: Vec<u32> = event.iter().enumerate().map(|(i, &e)| if e { i as u32 % 3 } else { 3 + i as u32 % 2 }).collect();
    for measure in [Measure::Deviance, Measure::DevianceWithinFold, Measure::Concordance] {
        let cv = CvOptions { folds: Folds::Given(fold.clone()), measure, alignment: Alignment::Refit };
        let found = cross_validate(&CoxnetData::new(x.view(), &time, &event), &CoxnetOptions::default(), &cv).unwrap();
        let result = found.cv.as_ref().unwrap();
        assert!(result.mean.iter().all(|m| m.is_finite()), "{measure:?}");
        assert!(result.lambda_1se >= result.lambda_min);
    }
    // All events in one fold: its training rows have none.
    let fold: Vec<u32> = event.iter().map(|&e| u32::from(e)).collect();
    let cv = CvOptions { folds: Folds::Given(fold), ..Default::default() };
    let error = cross_validate(&CoxnetData::new(x.view(), &time, &event), &CoxnetOptions::default(), &cv).unwrap_err();
    assert!(error.to_string().contains("no fold can be judged"), "{error}");
}

#[test]
fn seeded_folds_are_stratified_and_repeat() {
    let event: Vec<bool> = (0..103).map(|i| i % 4 == 0).collect();
    let fold = stratified_folds(&event, 5, 7).unwrap();
    assert_eq!(fold, stratified_folds(&event, 5, 7).unwrap());
    assert_ne!(fold, stratified_folds(&event, 5, 8).unwrap());
    for kind in [true, false] {
        let sizes: Vec<usize> = (0..5).map(|f| (0..103).filter(|&i| fold[i] == f && event[i] == kind).count()).collect();
        assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
    }
    assert!(stratified_folds(&event, 1, 0).is_err() && stratified_folds(&event[..3], 5, 0).is_err());
}

#[test]
fn more_columns_than_rows_and_ridge() {
    let (x, time, event) = example(30, 200);
    for alpha in [0.0, 0.05, 1.0] {
        let options = CoxnetOptions { alpha, n_lambda: 20, lambda_min_ratio: Some(0.1), ..Default::default() };
        let found = fit(&CoxnetData::new(x.view(), &time, &event), &options).unwrap();
        assert!(found.warnings.is_empty() && found.lambda.len() == 20, "{alpha}: {:?}", found.warnings);
        assert!(found.dev_ratio.windows(2).all(|w| w[0] <= w[1] + 1e-12));
    }
}

#[test]
fn threads_leave_the_bits() {
    let (x, time, event) = example(60, 10);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let cv = CvOptions { folds: Folds::Stratified { folds: 5, seed: 3 }, ..Default::default() };
        pool.install(|| cross_validate(&CoxnetData::new(x.view(), &time, &event), &CoxnetOptions::default(), &cv).unwrap())
    };
    let one = run(1);
    assert_eq!(one, run(3));
    let stored: CoxnetFit = serde_json::from_str(&serde_json::to_string(&one).unwrap()).unwrap();
    assert_eq!(stored, one);
}

/// A row far outside that leaves before the first event is in no risk set, though e to its linear predictor is beyond any number.
#[test]
fn a_row_far_outside_that_leaves_first_changes_nothing() {
    let (x, time, event) = example(60, 3);
    let options = |lambda: f64| CoxnetOptions { lambda: Some(vec![lambda]), standardize: false, tolerance: 1e-14, ..Default::default() };
    let want = fit(&CoxnetData::new(x.view(), &time, &event), &options(0.01)).unwrap();
    let far = Array2::from_shape_fn((61, 3), |(i, j)| if i < 60 { x[[i, j]] } else { [5000.0, 0.0, 0.0][j] });
    let time: Vec<f64> = time.into_iter().chain([0.001]).collect();
    let event: Vec<bool> = event.into_iter().chain([false]).collect();
    // The likelihood is divided by the number of rows.
    let found = fit(&CoxnetData::new(far.view(), &time, &event), &options(0.01 * 60.0 / 61.0)).unwrap();
    assert_eq!(found.coef[0].index, want.coef[0].index);
    for (found, want) in found.coef[0].value.iter().zip(&want.coef[0].value) {
        close(*found, *want, 1e-6);
    }
    close(found.dev_ratio[0], want.dev_ratio[0], 1e-9);
}
