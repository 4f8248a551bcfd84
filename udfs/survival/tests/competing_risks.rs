//! Forests with competing risks: against randomForestSRC (`golden/competing_risks.R`), the Aalen-Johansen estimator, ordinary forests
//! and a plain search.

use esccsql_survival::aalen_johansen::aalen_johansen;
use esccsql_survival::rsf::competing::{CompetingForest, CompetingOptions, CompetingSplitting, cause_c_index, fit};
use esccsql_survival::rsf::{self, Bootstrap, Node, RsfOptions};
use ndarray::{Array2, array};
use proptest::prelude::*;
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

struct Golden {
    file: Value,
    time: Vec<f64>,
    cause: Vec<u32>,
    x: Array2<f64>,
}

fn golden() -> Golden {
    let file: Value = serde_json::from_str(include_str!("golden/competing_risks.json")).unwrap();
    let columns = ["a", "b", "c"].map(|name| numbers(&file[name]));
    let time = numbers(&file["time"]);
    Golden {
        cause: numbers(&file["status"]).iter().map(|&s| s as u32).collect(),
        x: Array2::from_shape_fn((time.len(), 3), |(i, j)| columns[j][i]),
        time,
        file,
    }
}

/// One tree without randomness.
fn single_tree(features: usize) -> RsfOptions {
    RsfOptions { trees: 1, mtry: Some(features), n_split: 0, bootstrap: Bootstrap::None, ..Default::default() }
}

/// The leaf of each row, numbered from 1 as the rows meet them.
fn labels(forest: &CompetingForest, x: &Array2<f64>) -> Vec<usize> {
    let tree = forest.trees[0].shape();
    let leaves: Vec<usize> = (0..x.nrows()).map(|i| tree.leaf_of(|j| x[(i, j)])).collect();
    let mut order = leaves.clone();
    order.dedup();
    let mut seen: Vec<usize> = Vec::new();
    order.into_iter().for_each(|leaf| {
        if !seen.contains(&leaf) {
            seen.push(leaf);
        }
    });
    leaves.iter().map(|leaf| seen.iter().position(|l| l == leaf).unwrap() + 1).collect()
}

#[track_caller]
fn close(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-12 + 1e-11 * expected.abs(), "{what}: {found} {expected}");
    }
}

#[test]
fn single_trees_equal_those_of_randomforestsrc() {
    let golden = golden();
    let (at, trees) = (numbers(&golden.file["at"]), golden.file["trees"].as_array().unwrap());
    assert!(trees.len() > 8);
    for case in trees {
        let rule = case["splitrule"].as_str().unwrap();
        let what = format!("{rule} {} {}", case["cause"], case["nodesize"]);
        let options = CompetingOptions {
            forest: RsfOptions { node_size: case["nodesize"].as_u64().unwrap() as usize, ..single_tree(3) },
            splitting: if rule == "logrank" { CompetingSplitting::Logrank } else { CompetingSplitting::Gray },
            cause_weights: Some(numbers(&case["cause"])),
        };
        let forest = fit(&golden.time, &golden.cause, golden.x.view(), &options).unwrap();
        let labels = labels(&forest, &golden.x);
        let expected: Vec<usize> = numbers(&case["leaf_of_row_by_first_appearance"]).iter().map(|&l| l as usize).collect();
        assert_eq!(labels, expected, "{what}");
        let lost = [0, 1].map(|cause| forest.years_lost(golden.x.view(), cause).unwrap());
        let cif = [0, 1].map(|cause| forest.incidence(golden.x.view(), cause, &at).unwrap());
        let chf = [0, 1].map(|cause| forest.cumulative_hazard(golden.x.view(), cause, &at).unwrap());
        for (leaf, row) in (1..).map_while(|leaf| Some((leaf, labels.iter().position(|&l| l == leaf)?))) {
            close(&format!("{what} years lost"), &[lost[0][row], lost[1][row]], &numbers(&case["leaf_years_lost"][leaf - 1]));
            for cause in 0..2 {
                let name = format!("leaf_cif_{}", cause + 1);
                close(&format!("{what} {name}"), &cif[cause].row(row).to_vec(), &numbers(&case[&name][leaf - 1]));
                let name = format!("leaf_chf_{}", cause + 1);
                close(&format!("{what} {name}"), &chf[cause].row(row).to_vec(), &numbers(&case[&name][leaf - 1]));
            }
        }
    }
}

/// Means over seeds of out-of-bag years lost, their spread over the rows and the size of trees.
#[test]
fn forests_are_distributed_as_those_of_randomforestsrc() {
    let golden = golden();
    let seeds = 25;
    let mut means = [0.0; 5];
    for seed in 0..seeds {
        let forest = RsfOptions { trees: 200, mtry: Some(2), node_size: 10, seed: 100 + seed, ..Default::default() };
        let forest = fit(&golden.time, &golden.cause, golden.x.view(), &CompetingOptions { forest, ..Default::default() }).unwrap();
        let moments = |cause: usize| {
            let lost: Vec<f64> = forest.oob_years_lost[cause].iter().flatten().copied().collect();
            let mean = lost.iter().sum::<f64>() / lost.len() as f64;
            (mean, (lost.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (lost.len() as f64 - 1.0)).sqrt())
        };
        let leaves = forest.trees.iter().map(|tree| tree.shape().leaves() as f64).sum::<f64>() / 200.0;
        let ((mean_1, sd_1), (mean_2, sd_2)) = (moments(0), moments(1));
        means.iter_mut().zip([mean_1, mean_2, sd_1, sd_2, leaves]).for_each(|(sum, value)| *sum += value / seeds as f64);
    }
    let expected = &golden.file["forest"];
    for (name, mean) in ["mean_1", "mean_2", "sd_1", "sd_2", "leaves"].iter().zip(means) {
        let (reference, sd) = (expected["mean"][name].as_f64().unwrap(), expected["sd"][name].as_f64().unwrap());
        let z = (mean - reference) / (sd * (1.0 / 25.0 + 1.0 / seeds as f64).sqrt());
        println!("{name}: {mean:.4} for {reference:.4}, {z:+.2} se");
        assert!(z.abs() <= 3.5, "{name}: {mean} {reference} {z}");
    }
}

#[test]
fn a_single_leaf_is_aalen_and_johansens_estimator() {
    let golden = golden();
    let times: Vec<f64> = (0..30).map(f64::from).collect();
    let options = CompetingOptions { forest: RsfOptions { node_size: 1000, ..single_tree(3) }, ..Default::default() };
    let forest = fit(&golden.time, &golden.cause, golden.x.view(), &options).unwrap();
    assert!(forest.warnings[0].contains("no tree has a split"));
    for (k, expected) in aalen_johansen(&golden.time, &golden.cause, 0.95).unwrap().iter().enumerate() {
        let found = forest.incidence(golden.x.view(), k, &times).unwrap();
        let expected: Vec<f64> = times.iter().map(|&t| expected.at(t)).collect();
        close("incidence", &found.row(7).to_vec(), &expected);
    }
}

/// With one cause, under any code, a forest is an ordinary one: trees, survival, hazard; the years lost are those of its curve.
#[test]
fn one_cause_makes_an_ordinary_forest() {
    let golden = golden();
    let event: Vec<bool> = golden.cause.iter().map(|&c| c > 0).collect();
    let cause: Vec<u32> = event.iter().map(|&e| if e { 7 } else { 0 }).collect();
    let times: Vec<f64> = (0..25).map(f64::from).collect();
    for splitting in [CompetingSplitting::Gray, CompetingSplitting::Logrank] {
        for (n_split, bootstrap) in [(0, Bootstrap::WithReplacement), (3, Bootstrap::WithoutReplacement)] {
            let plain = RsfOptions { trees: 30, node_size: 6, n_split, bootstrap, seed: 5, ..Default::default() };
            let options = CompetingOptions { forest: plain.clone(), splitting, cause_weights: None };
            let forest = fit(&golden.time, &cause, golden.x.view(), &options).unwrap();
            let ordinary = rsf::fit(&golden.time, &event, golden.x.view(), &plain).unwrap();
            assert_eq!(forest.causes, [7]);
            for (tree, expected) in forest.trees.iter().zip(&ordinary.trees) {
                assert_eq!(tree.shape(), expected);
            }
            let survival = ordinary.survival(golden.x.view(), &times).unwrap();
            let incidence = forest.incidence(golden.x.view(), 0, &times).unwrap();
            let hazard = forest.cumulative_hazard(golden.x.view(), 0, &times).unwrap();
            assert!((&survival + &incidence).iter().all(|sum| (sum - 1.0).abs() < 1e-12));
            assert!((hazard - ordinary.cumulative_hazard(golden.x.view(), &times).unwrap()).iter().all(|d| d.abs() < 1e-12));
            assert!((forest.survival(golden.x.view(), &times).unwrap() - survival).iter().all(|d| d.abs() < 1e-12));
            let (first, last) = (forest.event_times[0], forest.event_times[forest.event_times.len() - 1]);
            let grid = forest.incidence(golden.x.view(), 0, &forest.event_times).unwrap();
            let lost = forest.years_lost(golden.x.view(), 0).unwrap();
            for (row, lost) in grid.rows().into_iter().zip(lost) {
                let area: f64 = forest.event_times.windows(2).zip(&row).map(|(t, f)| (t[1] - t[0]) * f).sum();
                assert!((area - lost).abs() < 1e-10 && area <= last - first);
            }
        }
    }
}

/// The statistic of a cut as a textbook would write it: every cause, every event time, every row.
fn statistic(time: &[f64], cause: &[u32], left: &[bool], weights: &[f64], splitting: CompetingSplitting) -> Option<f64> {
    let mut times: Vec<f64> = (0..time.len()).filter(|&i| cause[i] > 0).map(|i| time[i]).collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    let (mut u, mut v) = (0.0, 0.0);
    for (k, &weight) in weights.iter().enumerate() {
        let cause_k = k as u32 + 1;
        for &s in &times {
            let is_at_risk = |i: usize| {
                let is_kept = splitting == CompetingSplitting::Gray && cause[i] > 0 && cause[i] != cause_k;
                time[i] >= s || is_kept
            };
            let died = |i: usize| time[i] == s && cause[i] == cause_k;
            let count = |of: &dyn Fn(usize) -> bool| (0..time.len()).filter(|&i| of(i)).count() as f64;
            let (n, d) = (count(&is_at_risk), count(&died));
            let (n1, d1) = (count(&|i| left[i] && is_at_risk(i)), count(&|i| left[i] && died(i)));
            u += weight * (d1 - d * n1 / n);
            if count(&|i| time[i] >= s) > 1.0 {
                v += weight * weight * d * (n1 / n) * (1.0 - n1 / n) * (n - d) / (n - 1.0);
            }
        }
    }
    (v > 1e-10).then(|| u * u / v)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_root_split_is_the_best_one(
        rows in prop::collection::vec((0u16..40, 0u32..4, 0u8..12, any::<u16>()), 6..60),
        gray in any::<bool>(),
        weights in prop::sample::select(vec![vec![1.0, 1.0, 1.0], vec![2.0, 0.0, 1.0], vec![0.0, 0.0, 3.0]]),
    ) {
        let time: Vec<f64> = rows.iter().map(|r| f64::from(r.0)).collect();
        let cause: Vec<u32> = rows.iter().map(|r| r.1).collect();
        prop_assume!((1..4).all(|k| cause.contains(&k)));
        let x = Array2::from_shape_fn((rows.len(), 2), |(i, j)| if j == 0 { f64::from(rows[i].2) } else { f64::from(rows[i].3) });
        let splitting = if gray { CompetingSplitting::Gray } else { CompetingSplitting::Logrank };
        let plain = RsfOptions { node_size: 2, max_depth: Some(1), ..single_tree(2) };
        let options = CompetingOptions { forest: plain, splitting, cause_weights: Some(weights.clone()) };
        let forest = fit(&time, &cause, x.view(), &options).unwrap();
        let mut expected: f64 = 0.0;
        for column in x.columns() {
            for &cut in column {
                let left: Vec<bool> = column.iter().map(|&v| v <= cut).collect();
                expected = expected.max(statistic(&time, &cause, &left, &weights, splitting).unwrap_or(0.0));
            }
        }
        let Node::Split { feature, threshold, .. } = forest.trees[0].shape().node(0) else { return Ok(()) };
        let left: Vec<bool> = x.column(feature).iter().map(|&v| v <= threshold).collect();
        let found = statistic(&time, &cause, &left, &weights, splitting).unwrap_or(0.0);
        prop_assert!((found - expected).abs() <= 1e-8 * expected, "{found} {expected}");
    }

    /// Incidences grow, add up to 1 with the survival, and are the same for any number of threads and after being written and read.
    #[test]
    fn incidences_and_survival_add_up_to_one(seed in 0u64..1000, n_split in 0usize..4, gray in any::<bool>()) {
        let golden = golden();
        let splitting = if gray { CompetingSplitting::Gray } else { CompetingSplitting::Logrank };
        let plain = RsfOptions { trees: 9, node_size: 5, n_split, seed, importance: true, ..Default::default() };
        let options = CompetingOptions { forest: plain, splitting, cause_weights: None };
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| fit(&golden.time, &golden.cause, golden.x.view(), &options).unwrap())
        };
        let forest = run(1);
        prop_assert_eq!(&forest, &run(4));
        let read: CompetingForest = serde_json::from_str(&serde_json::to_string(&forest).unwrap()).unwrap();
        prop_assert_eq!(&read, &forest);
        let times: Vec<f64> = (0..60).map(|k| f64::from(k) / 2.0).collect();
        let incidence = [0, 1].map(|cause| forest.incidence(golden.x.view(), cause, &times).unwrap());
        let sum = forest.survival(golden.x.view(), &times).unwrap() + &incidence[0] + &incidence[1];
        prop_assert!(sum.iter().all(|sum| (sum - 1.0).abs() < 1e-12));
        for curve in &incidence {
            prop_assert!(curve.rows().into_iter().all(|row| row.windows(2).into_iter().all(|pair| pair[0] <= pair[1])));
            prop_assert!(curve.column(0).iter().all(|&f| f == 0.0));
        }
    }
}

/// The first feature drives cause 1, the second cause 2; the third is noise.
#[test]
fn each_cause_has_its_features() {
    let mut state = 7u64;
    let mut unit = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let rows: Vec<[f64; 6]> = (0..400).map(|_| std::array::from_fn(|_| unit())).collect();
    let x = Array2::from_shape_fn((400, 3), |(i, j)| rows[i][j]);
    let of_row = |r: &[f64; 6]| {
        let (first, second) = (-r[3].ln() * (-3.0 * r[0]).exp(), -r[4].ln() * (-3.0 * r[1]).exp());
        let until = first.min(second).min(r[5]);
        (until, if until == r[5] { 0 } else { 1 + u32::from(second < first) })
    };
    let (time, cause): (Vec<f64>, Vec<u32>) = rows.iter().map(of_row).unzip();
    let options = CompetingOptions { forest: RsfOptions { trees: 200, importance: true, ..Default::default() }, ..Default::default() };
    let forest = fit(&time, &cause, x.view(), &options).unwrap();
    let importance = forest.importance.as_ref().unwrap();
    for (k, c_index) in forest.oob_c_index.iter().enumerate() {
        assert!(c_index.unwrap() > 0.6, "{c_index:?}");
        assert!((0..3).all(|j| j == k || importance[k][j] < importance[k][k]), "{importance:?}");
    }
    let depth = forest.minimal_depth();
    assert!(depth[0] < depth[2] && depth[1] < depth[2], "{depth:?}");
    // Out of bag is another forest than in bag, of the same rows.
    let times = [0.1, 0.2, 0.5];
    let (oob, all) = (forest.oob_incidence(x.view(), 0, &times).unwrap(), forest.incidence(x.view(), 0, &times).unwrap());
    assert!(oob.iter().all(|v| (0.0..=1.0).contains(v)) && oob != all);
}

#[test]
fn concordance_of_a_cause() {
    // Cause 1 at 2 and 5; the row that dies of cause 2 at 1 never has it, so it outlives both.
    let (time, cause) = ([2.0, 1.0, 5.0, 3.0], [1, 2, 1, 0]);
    let c = |score: [f64; 4]| cause_c_index(&time, &cause, 1, &score.map(Some)).unwrap();
    // Pairs: (2, 1), (2, 5), (2, 3) and (5, 1).
    assert_eq!(c([4.0, 1.0, 3.0, 2.0]), 1.0);
    assert_eq!(c([4.0, 3.5, 3.0, 2.0]), 0.75);
    assert_eq!(c([1.0, 3.5, 3.5, 2.0]), 0.125);
    assert_eq!(cause_c_index(&time, &cause, 1, &[None, Some(1.0), Some(2.0), None]), Some(1.0));
    assert_eq!(cause_c_index(&time, &cause, 3, &[Some(1.0); 4]), None);
}

#[test]
fn bad_input_is_named() {
    let (time, cause, x) = ([1.0, 2.0, 3.0, 4.0], [1, 0, 3, 1], array![[1.0], [2.0], [3.0], [4.0]]);
    let message = |cause: &[u32], options: &CompetingOptions| fit(&time, cause, x.view(), options).unwrap_err().to_string();
    let default = CompetingOptions::default();
    assert!(message(&[0; 4], &default).contains("all censored): check that `cause`"));
    assert!(message(&cause[..3], &default).contains("cause has 3 values"));
    for weights in [vec![1.0], vec![0.0, 0.0], vec![1.0, -1.0], vec![f64::NAN, 1.0]] {
        let text = message(&cause, &CompetingOptions { cause_weights: Some(weights), ..Default::default() });
        assert!(text.contains("cause_weights") && text.contains("causes: 1, 3"), "{text}");
    }
    let seen = RsfOptions { bootstrap: Bootstrap::None, importance: true, ..Default::default() };
    let text = message(&cause, &CompetingOptions { forest: seen, ..Default::default() });
    assert!(text.contains("importance needs rows out of bag"), "{text}");
    let forest = fit(&time, &cause, x.view(), &default).unwrap();
    assert_eq!((forest.cause(3), forest.events.as_slice()), (Ok(1), [2, 1].as_slice()));
    assert!(forest.cause(2).unwrap_err().to_string().contains("its causes are 1, 3"));
    assert!(forest.years_lost(Array2::zeros((1, 2)).view(), 0).unwrap_err().to_string().contains("2 columns"));
    assert!(forest.incidence(x.view(), 0, &[2.0, 1.0]).unwrap_err().to_string().contains("ascend"));
}
