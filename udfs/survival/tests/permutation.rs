//! Permutation importance of any model.

mod reference;

use esccsql_survival::concordance::harrell;
use esccsql_survival::error::SurvivalError;
use esccsql_survival::permutation::permutation_importance;
use ndarray::{Array2, ArrayView2, Axis};
use reference::{Data, folder};

fn risk(x: ArrayView2<f64>) -> Result<Vec<f64>, SurvivalError> {
    // The second feature plays no part.
    Ok(x.rows().into_iter().map(|row| row[0] + 0.2 * row[2]).collect())
}

/// 60 rows whose time falls with the first feature.
fn cohort() -> (Vec<f64>, Vec<bool>, Array2<f64>) {
    let x = Array2::from_shape_fn((60, 3), |(i, j)| ((i * (7 + 4 * j) + j) % 61) as f64);
    let time = x.rows().into_iter().enumerate().map(|(i, row)| 100.0 - row[0] + ((i * 13) % 17) as f64).collect();
    (time, (0..60).map(|i| i % 4 != 0).collect(), x)
}

#[test]
fn a_feature_without_a_part_has_none_and_threads_do_not_matter() {
    let (time, event, x) = cohort();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| permutation_importance(&time, &event, x.view(), risk, 20, 3).unwrap())
    };
    let (whole, importance) = on(1);
    assert_eq!(whole, harrell(&time, &event, &risk(x.view()).unwrap()).unwrap().c_index);
    assert_eq!(importance[1].falls, vec![0.0; 20]);
    assert!(importance[0].mean > 0.3 && importance[0].mean > 3.0 * importance[2].mean, "{importance:?}");
    assert_eq!((whole, importance), on(3));
}

#[test]
fn the_fall_is_that_of_the_c_index_on_average() {
    // A model of one feature is left with C = 1/2 on average when it is shuffled.
    let (time, event, x) = cohort();
    let only = |x: ArrayView2<f64>| Ok(x.column(0).to_vec());
    let (whole, importance) = permutation_importance(&time, &event, x.view(), only, 400, 1).unwrap();
    let one = &importance[0];
    assert!((whole - one.mean - 0.5).abs() < 4.0 * one.std_dev / 20.0, "{} {} {}", whole, one.mean, one.std_dev);
    assert_eq!(one.falls.len(), 400);
}

#[test]
fn no_repeats_and_no_pairs_are_refused() {
    let (time, event, x) = cohort();
    let error = permutation_importance(&time, &event, x.view(), risk, 0, 1).unwrap_err();
    assert!(error.to_string().contains("repeats"));
    let nobody = vec![false; 60];
    assert!(permutation_importance(&time, &nobody, x.view(), risk, 2, 1).is_err());
}

#[test]
fn a_strong_predictor_of_the_veteran_data_matters_most() {
    if !folder().exists() {
        println!("skipped: ../shared is not here");
        return;
    }
    let data = Data::read("veteran.csv");
    let x = data.matrix();
    let cox = esccsql_survival::cox::fit(
        &esccsql_survival::cox::CoxData::new(x.view(), &data.time, &data.event),
        &esccsql_survival::cox::CoxOptions::default(),
    )
    .unwrap();
    let (_, importance) = permutation_importance(&data.time, &data.event, x.view(), |x| cox.linear_predictor(x), 10, 1).unwrap();
    let best = (0..x.len_of(Axis(1))).max_by(|&a, &b| importance[a].mean.total_cmp(&importance[b].mean)).unwrap();
    assert_eq!(data.names[best], "karno");
}
