//! Concordance against R survival, survcomp and a count of all pairs.

mod reference;

use esccsql_survival::bootstrap::BootstrapOptions;
use esccsql_survival::concordance::{ConcordanceOptions, Ties, TimeWeight, concordance, harrell};
use esccsql_survival::concordance_inference::{c_index_ci, c_index_compare, c_index_compare_bootstrap, c_index_compare_survcomp};
use esccsql_survival::concordance_strata::{ConcordanceDesign, concordance_in_strata};
use proptest::prelude::*;
use reference::{Data, Tolerance, load, number};

#[test]
fn agrees_with_r_for_every_time_weight() {
    let Some(file) = load("concordance.json") else { return };
    for case in file["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let data = Data::read(case["params"]["data"].as_str().unwrap());
        let risk = data.risk(case["params"]["risk"].as_str().unwrap());
        let tolerance = Tolerance::of(case);
        for (key, time_weight) in [
            ("timewt_n", TimeWeight::Count),
            ("timewt_S", TimeWeight::Survival),
            ("timewt_n_G2", TimeWeight::InverseCensoringSquared),
            ("timewt_I", TimeWeight::Equal),
        ] {
            let options = ConcordanceOptions { time_weight, tau: case["params"]["ymax"].as_f64(), ..Default::default() };
            let found = concordance(&data.time, &data.event, &risk, None, &options).unwrap();
            let expected = &case["values"][key];
            tolerance.check(&format!("{id} {key} c"), found.c_index, number(&expected["c"]));
            tolerance.check(&format!("{id} {key} se"), found.std_err.unwrap(), number(&expected["se"]));
            if time_weight == TimeWeight::Count {
                for (name, found) in [
                    ("concordant", found.concordant),
                    ("discordant", found.discordant),
                    ("tied_x", found.tied_risk),
                    ("tied_y", found.tied_time),
                    ("tied_xy", found.tied_both),
                ] {
                    assert_eq!(found, number(&expected[name]), "{id} {name}");
                }
            }
        }
    }
}

/// R 3.5.3 `survival::concordance(Surv(time, event) ~ risk + strata(s), weights = w, cluster = cl, timewt = ..., reverse = TRUE)`.
#[test]
fn strata_and_clusters_agree_with_r() {
    let rows = || 0..60u32;
    let time: Vec<f64> = rows().map(|i| f64::from(1 + i * 37 % 29)).collect();
    let event: Vec<bool> = rows().map(|i| i * 7 % 5 > 1).collect();
    let risk: Vec<f64> = rows().map(|i| f64::from(i * 11 % 13) - f64::from(i * 37 % 29) / 2.0).collect();
    let strata: Vec<u32> = rows().map(|i| i % 3).collect();
    let cluster: Vec<u32> = rows().map(|i| i / 4).collect();
    let weights: Vec<f64> = rows().map(|i| 1.0 + f64::from(i % 4) / 2.0).collect();
    let (strata, cluster, weights) = (Some(&strata[..]), Some(&cluster[..]), Some(&weights[..]));
    let design = |weights, strata, cluster| ConcordanceDesign { weights, strata, cluster };
    let count = TimeWeight::Count;
    for (design, time_weight, c, std_err, pairs) in [
        (design(None, strata, None), count, 0.7507418397626113, 0.0390969440608984, [243.0, 74.0, 20.0]),
        (design(None, None, cluster), count, 0.7333015267175572, 0.02820381213914499, [725.0, 236.0, 87.0]),
        (design(weights, strata, cluster), count, 0.7586618876941458, 0.029685542334148475, [766.25, 225.0, 55.0]),
        (design(weights, strata, None), TimeWeight::Survival, 0.7529006858243191, 0.03972120383812314, [920.7827, 280.3947, 64.9087]),
    ] {
        let options = ConcordanceOptions { time_weight, ..Default::default() };
        let found = concordance_in_strata(&time, &event, &risk, &design, &options).unwrap();
        assert!((found.c_index - c).abs() < 1e-14, "{found:?}");
        assert!((found.std_err.unwrap() - std_err).abs() < 1e-14, "{found:?}");
        for (found, expected) in [found.concordant, found.discordant, found.tied_risk].into_iter().zip(pairs) {
            assert!((found - expected).abs() < 1e-4, "{found} {expected}");
        }
    }
    // Without strata and clusters the same bits as the plain function.
    let plain = concordance(&time, &event, &risk, weights, &ConcordanceOptions::default()).unwrap();
    assert_eq!(concordance_in_strata(&time, &event, &risk, &design(weights, None, None), &ConcordanceOptions::default()).unwrap(), plain);
}

#[test]
fn comparisons_agree_with_survcomp_and_survival() {
    let Some(file) = load("cindex_compare.json") else { return };
    for case in file["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let data = Data::read(case["params"]["data"].as_str().unwrap());
        let risk = |k: &str| data.risk(case["params"][k].as_str().unwrap());
        let (a, b) = (risk("risk1"), risk("risk2"));
        let (tolerance, expected) = (Tolerance::of(case), &case["values"]);
        let check = |what: &str, found: f64, expected: f64| tolerance.check(&format!("{id} {what}"), found, expected);

        let found = c_index_compare_survcomp(&data.time, &data.event, &a, &b, 0.95).unwrap();
        for (name, found) in [("c1", &found.a), ("c2", &found.b)] {
            let expected = &expected[name];
            check(&format!("{name} c"), found.c_index, number(&expected["c"]));
            check(&format!("{name} se"), found.std_err, number(&expected["se"]));
            check(&format!("{name} lower"), found.lower, number(&expected["lower"]));
            check(&format!("{name} upper"), found.upper, number(&expected["upper"]));
            check(&format!("{name} p"), found.p, number(&expected["p"]));
            assert_eq!(found.comparable_pairs, number(&expected["comparable_pairs"]), "{id} {name}");
        }
        check("spearman", found.spearman, number(&expected["spearman"]));
        check("p 1 > 2", found.p_greater, number(&expected["p_one_sided_1_gt_2"]));
        let turned = c_index_compare_survcomp(&data.time, &data.event, &b, &a, 0.95).unwrap();
        check("p 2 > 1", turned.p_greater, number(&expected["p_one_sided_2_gt_1"]));

        let found = c_index_compare(&data.time, &data.event, &a, &b).unwrap();
        tolerance.check_all(&format!("{id} c"), &[found.c_a, found.c_b], &expected["survival_c"]);
        let vcov = &expected["survival_vcov"];
        check("var a", found.variance_a, number(&vcov[0][0]));
        check("cov", found.covariance, number(&vcov[0][1]));
        check("var b", found.variance_b, number(&vcov[1][1]));
        check("difference", found.difference, number(&expected["survival_diff"]));
        check("se of difference", found.std_err, number(&expected["survival_diff_se"]));
        check("p", found.p, number(&expected["survival_p_two_sided"]));
    }
}

/// All pairs, one by one.
fn by_pairs(time: &[f64], event: &[bool], risk: &[f64], weights: &[f64]) -> [f64; 5] {
    let mut counts = [0.0; 5];
    for i in 0..time.len() {
        for j in 0..time.len() {
            let weight = weights[i] * weights[j];
            let tied = time[i] == time[j];
            if event[i] && event[j] && tied && i < j {
                counts[if risk[i] == risk[j] { 4 } else { 3 }] += weight;
            } else if event[i] && i != j && (time[i] < time[j] || (tied && !event[j])) {
                let slot = if risk[i] > risk[j] {
                    0
                } else if risk[i] < risk[j] {
                    1
                } else {
                    2
                };
                counts[slot] += weight;
            }
        }
    }
    counts
}

type Row = (u8, bool, u8, u8);

proptest! {
    #[test]
    fn counts_equal_those_of_all_pairs(rows in prop::collection::vec(any::<Row>(), 2..60)) {
        let time: Vec<f64> = rows.iter().map(|r| f64::from(r.0 % 20)).collect();
        let event: Vec<bool> = rows.iter().map(|r| r.1).collect();
        let risk: Vec<f64> = rows.iter().map(|r| f64::from(r.2 % 10)).collect();
        let weights: Vec<f64> = rows.iter().map(|r| f64::from(r.3 % 4)).collect();
        let expected = by_pairs(&time, &event, &risk, &weights);
        let comparable = expected[0] + expected[1] + expected[2];
        match concordance(&time, &event, &risk, Some(&weights), &ConcordanceOptions::default()) {
            Ok(found) => {
                prop_assert_eq!(
                    [found.concordant, found.discordant, found.tied_risk, found.tied_time, found.tied_both],
                    expected
                );
                prop_assert_eq!(found.c_index, (expected[0] + expected[2] / 2.0) / comparable);
            }
            Err(_) => prop_assert_eq!(comparable, 0.0),
        }
    }

    /// The standard error is built from the derivative of C with respect to each row's weight.
    #[test]
    fn the_standard_error_is_the_infinitesimal_jackknife(rows in prop::collection::vec(any::<Row>(), 4..30)) {
        let time: Vec<f64> = rows.iter().map(|r| f64::from(r.0 % 20)).collect();
        let event: Vec<bool> = rows.iter().map(|r| r.1).collect();
        let risk: Vec<f64> = rows.iter().map(|r| f64::from(r.2 % 10)).collect();
        let c = |weights: &[f64]| {
            let n = by_pairs(&time, &event, &risk, weights);
            (n[0] + n[2] / 2.0) / (n[0] + n[1] + n[2])
        };
        if let Ok(found) = harrell(&time, &event, &risk) {
            let h = 1e-4;
            let variance: f64 = (0..rows.len())
                .map(|i| {
                    let at = |step: f64| {
                        let mut weights = vec![1.0; rows.len()];
                        weights[i] += step;
                        c(&weights)
                    };
                    let slope = (at(h) - at(-h)) / (2.0 * h);
                    slope * slope
                })
                .sum();
            prop_assert!((found.std_err.unwrap() - variance.sqrt()).abs() < 1e-6);
        }
    }
}

#[test]
fn bootstrap_is_the_same_for_any_number_of_threads_and_near_the_jackknife() {
    let Some(_) = load("concordance.json") else { return };
    let data = Data::read("whas500.csv");
    let risk = data.risk("age");
    let options = BootstrapOptions { resamples: 2000, ..Default::default() };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| c_index_ci(&data.time, &data.event, &risk, Ties::Half, &options).unwrap())
    };
    let interval = run(1);
    assert_eq!(interval, run(3));
    let jackknife = harrell(&data.time, &data.event, &risk).unwrap();
    assert_eq!(interval.estimate, jackknife.c_index);
    let std_err = jackknife.std_err.unwrap();
    assert!((interval.std_err / std_err - 1.0).abs() < 0.08, "{interval:?} {std_err}");
    assert!((interval.lower - (interval.estimate - 1.96 * std_err)).abs() < 0.3 * std_err);

    let compared = c_index_compare_bootstrap(&data.time, &data.event, &risk, &data.risk("-bmi"), Ties::Half, &options).unwrap();
    let joint = c_index_compare(&data.time, &data.event, &risk, &data.risk("-bmi")).unwrap();
    assert_eq!(compared.difference.estimate, joint.difference);
    assert!((compared.difference.std_err / joint.std_err - 1.0).abs() < 0.08);
}

/// A resample by weights is the resample itself.
#[test]
fn weights_stand_for_repeated_rows() {
    let (time, event, risk) = ([1.0, 2.0, 2.0, 4.0, 5.0], [true, true, false, true, false], [5.0, 2.0, 3.0, 2.0, 1.0]);
    let weights = [2.0, 0.0, 1.0, 3.0, 1.0];
    let repeated: Vec<usize> = (0..5).flat_map(|i| std::iter::repeat_n(i, weights[i] as usize)).collect();
    let pick = |v: &[f64]| repeated.iter().map(|&i| v[i]).collect::<Vec<_>>();
    let events: Vec<bool> = repeated.iter().map(|&i| event[i]).collect();
    let direct = harrell(&pick(&time), &events, &pick(&risk)).unwrap();
    let weighted = concordance(&time, &event, &risk, Some(&weights), &ConcordanceOptions::default()).unwrap();
    assert_eq!((direct.concordant, direct.discordant), (weighted.concordant, weighted.discordant));
    assert_eq!(direct.c_index, weighted.c_index);
}
