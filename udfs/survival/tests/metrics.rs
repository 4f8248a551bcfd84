//! Censoring-aware metrics against scikit-survival.

mod reference;

use esccsql_survival::auc::{auc_td, auc_td_ci};
use esccsql_survival::bootstrap::BootstrapOptions;
use esccsql_survival::brier::{CensoringFrom, brier_score, integrated_brier_score_ci, integrated_brier_score_compare};
use esccsql_survival::censoring::{Censoring, Side};
use esccsql_survival::concordance::{ConcordanceOptions, concordance};
use esccsql_survival::km::{ConfidenceType, kaplan_meier};
use esccsql_survival::uno::{UnoOptions, c_index_uno};
use ndarray::Array2;
use reference::{Data, Tolerance, indices, load, number, numbers};
use serde_json::Value;

struct Case<'a> {
    id: &'a str,
    train: Data,
    test: Data,
    risk: Vec<f64>,
    risk_tied: Vec<f64>,
    times: Vec<f64>,
    survival: Array2<f64>,
    tolerance: Tolerance,
    json: &'a Value,
}

impl<'a> Case<'a> {
    fn read(json: &'a Value) -> Self {
        let data = Data::read(json["data"].as_str().unwrap());
        let inputs = &json["inputs"];
        let rows: Vec<Vec<f64>> = inputs["survival_at_brier_times"].as_array().unwrap().iter().map(numbers).collect();
        Self {
            id: json["id"].as_str().unwrap(),
            train: data.rows(&indices(&inputs["train0"])),
            test: data.rows(&indices(&inputs["test0_used"])),
            risk: numbers(&inputs["risk"]),
            risk_tied: numbers(&inputs["risk_tied"]),
            times: numbers(&inputs["brier_times"]),
            survival: Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, k)| rows[i][k]),
            tolerance: Tolerance::of(json),
            json,
        }
    }

    fn check(&self, what: &str, found: f64, expected: &Value) {
        self.tolerance.check(&format!("{} {what}", self.id), found, number(expected));
    }
}

fn each(run: impl Fn(&Case)) {
    let Some(file) = load("metrics.json") else { return };
    file["cases"].as_array().unwrap().iter().for_each(|json| run(&Case::read(json)));
}

#[test]
fn harrell_and_uno_agree() {
    each(|case| {
        let values = &case.json["values"];
        let options = ConcordanceOptions { tied_tolerance: 1e-8, std_err: false, ..Default::default() };
        for (key, risk) in [("harrell", &case.risk), ("harrell_tied_risks", &case.risk_tied)] {
            let found = concordance(&case.test.time, &case.test.event, risk, None, &options).unwrap();
            let expected = &values[key];
            case.check(key, found.c_index, &expected["c"]);
            assert_eq!(found.concordant, number(&expected["concordant"]), "{}", case.id);
            assert_eq!(found.discordant, number(&expected["discordant"]), "{}", case.id);
            assert_eq!(found.tied_risk, number(&expected["tied_risk"]), "{}", case.id);
            // scikit-survival's `tied_time` are the comparable pairs of an event and a censoring at one time.
            let at = |i: usize| (case.test.time[i], case.test.event[i]);
            let n = case.test.time.len();
            let mixed = (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
            let mixed = mixed.filter(|&(i, j)| at(i) == (at(j).0, true) && !at(j).1).count();
            assert_eq!(mixed as f64, number(&expected["tied_time"]), "{}", case.id);
        }
        let tau = case.json["params"]["tau"].as_f64();
        let curve = Censoring::fit(&case.train.time, &case.train.event).unwrap();
        let options = UnoOptions { censoring: CensoringFrom::Training(&curve), tau, side: Side::At, tied_tolerance: 1e-8 };
        for (key, risk) in [("uno", &case.risk), ("uno_tied_risks", &case.risk_tied)] {
            case.check(key, c_index_uno(&case.test.time, &case.test.event, risk, &options).unwrap(), &values[key]);
        }
    });
}

#[test]
fn censoring_curves_agree() {
    each(|case| {
        let values = &case.json["values"];
        let curve = Censoring::fit(&case.train.time, &case.train.event).unwrap();
        let found: Vec<f64> = numbers(&values["censoring_km_time"]).iter().map(|&t| curve.probability(t, Side::At)).collect();
        case.tolerance.check_all(&format!("{} G", case.id), &found, &values["censoring_km"]);
    });
}

#[test]
fn brier_scores_agree() {
    each(|case| {
        let values = &case.json["values"];
        let curve = Censoring::fit(&case.train.time, &case.train.event).unwrap();
        let training = CensoringFrom::Training(&curve);
        let (time, event) = (&case.test.time, &case.test.event);
        let found = brier_score(time, event, case.survival.view(), &case.times, training, Side::At).unwrap();
        case.tolerance.check_all(&format!("{} brier", case.id), &found.scores, &values["brier"]);
        case.check("ibs", found.integrated.unwrap(), &values["ibs"]);
        assert_eq!(found.times_beyond_follow_up, 0);

        let km = kaplan_meier(&case.train.time, &case.train.event, 0.95, ConfidenceType::Log).unwrap();
        let null = Array2::from_shape_fn(case.survival.dim(), |(_, k)| km.survival_at(case.times[k]));
        let found = brier_score(time, event, null.view(), &case.times, training, Side::At).unwrap();
        case.tolerance.check_all(&format!("{} null", case.id), &found.scores, &values["brier_kaplan_meier_null"]);
        case.check("ibs of null", found.integrated.unwrap(), &values["ibs_kaplan_meier_null"]);
    });
}

#[test]
fn dynamic_auc_agrees() {
    each(|case| {
        let values = &case.json["values"];
        let curve = Censoring::fit(&case.train.time, &case.train.event).unwrap();
        let times = numbers(&case.json["params"]["auc_times"]);
        let training = CensoringFrom::Training(&curve);
        let found = auc_td(&case.test.time, &case.test.event, &case.risk, &times, training, Side::At).unwrap();
        let auc: Vec<f64> = found.auc.iter().map(|a| a.unwrap()).collect();
        case.tolerance.check_all(&format!("{} auc", case.id), &auc, &values["auc"]);
        case.check("mean auc", found.mean.unwrap(), &values["mean_auc"]);
    });
}

#[test]
fn bootstrap_intervals_hold_the_estimate_and_see_the_better_model() {
    each(|case| {
        let curve = Censoring::fit(&case.train.time, &case.train.event).unwrap();
        let (time, event) = (&case.test.time, &case.test.event);
        let options = BootstrapOptions { resamples: 200, ..Default::default() };
        for censoring in [CensoringFrom::Training(&curve), CensoringFrom::SameRows] {
            let view = case.survival.view();
            let ibs = integrated_brier_score_ci(time, event, view, &case.times, censoring, Side::At, &options).unwrap();
            assert!(ibs.lower < ibs.estimate && ibs.estimate < ibs.upper, "{} {ibs:?}", case.id);
            let km = kaplan_meier(&case.train.time, &case.train.event, 0.95, ConfidenceType::Log).unwrap();
            let null = Array2::from_shape_fn(case.survival.dim(), |(_, k)| km.survival_at(case.times[k]));
            let compared =
                integrated_brier_score_compare(time, event, view, null.view(), &case.times, censoring, Side::At, &options).unwrap();
            assert_eq!(compared.a, ibs.estimate);
            let same = integrated_brier_score_compare(time, event, view, view, &case.times, censoring, Side::At, &options).unwrap();
            assert_eq!((same.difference.estimate, same.p), (0.0, 1.0));
        }
        let times = numbers(&case.json["params"]["auc_times"]);
        let auc = auc_td_ci(time, event, &case.risk, &times, CensoringFrom::SameRows, Side::At, &options).unwrap();
        assert!(auc.lower < auc.estimate && auc.estimate < auc.upper, "{} {auc:?}", case.id);
    });
}
