//! Kaplan-Meier, Nelson-Aalen, restricted means and log-rank tests against R survival.

mod reference;

use esccsql_survival::km::{ConfidenceType, kaplan_meier};
use esccsql_survival::logrank::{LogRankWeight, logrank};
use esccsql_survival::nelson_aalen::{TieCorrection, nelson_aalen};
use esccsql_survival::rmst::rmst;
use reference::{Data, Tolerance, load, number, numbers};

fn counts(values: &[usize]) -> Vec<f64> {
    values.iter().map(|&v| v as f64).collect()
}

fn or_nan(values: &[Option<f64>]) -> Vec<f64> {
    values.iter().map(|v| v.unwrap_or(f64::NAN)).collect()
}

#[test]
fn curves_agree_with_survfit() {
    let Some(file) = load("km.json") else { return };
    for case in file["cases"].as_array().unwrap() {
        let tolerance = Tolerance::of(case);
        let data = Data::read(case["params"]["data"].as_str().unwrap());
        for (key, expected) in case["values"].as_object().unwrap() {
            let id = format!("{} {key}", case["id"].as_str().unwrap());
            let label: f64 = key.trim_start_matches("group_").parse().unwrap();
            let rows: Vec<usize> = match case["params"]["group"].as_str() {
                Some(group) => (0..data.time.len()).filter(|&i| data.column(group)[i] == label).collect(),
                None => (0..data.time.len()).collect(),
            };
            let Data { time, event, .. } = data.rows(&rows);
            for (name, kind) in [("loglog", ConfidenceType::LogLog), ("log", ConfidenceType::Log), ("plain", ConfidenceType::Plain)] {
                let km = kaplan_meier(&time, &event, 0.95, kind).unwrap();
                let check = |what: &str, found: &[f64], key: &str| {
                    tolerance.check_all(&format!("{id} {name} {what}"), found, &expected[key]);
                };
                check("time", &km.time, "time");
                check("n_risk", &counts(&km.n_risk), "n_risk");
                check("n_event", &counts(&km.n_event), "n_event");
                check("n_censor", &counts(&km.n_censor), "n_censor");
                check("survival", &km.survival, "surv");
                check("se", &km.std_err_log, "se_cumhaz_scale");
                check("lower", &or_nan(&km.lower), &format!("lower_{name}"));
                check("upper", &or_nan(&km.upper), &format!("upper_{name}"));
                let quantiles = &expected[format!("quantile_25_50_75_{name}")];
                let found = [0.25, 0.5, 0.75].map(|p| km.quantile(p));
                let what = format!("{id} {name} quantile");
                tolerance.check_all(&what, &or_nan(&found.map(|q| q.value)), &quantiles["q"]);
                tolerance.check_all(&what, &or_nan(&found.map(|q| q.lower)), &quantiles["lower"]);
                tolerance.check_all(&what, &or_nan(&found.map(|q| q.upper)), &quantiles["upper"]);
            }
            let hazard = nelson_aalen(&time, &event, 0.95, TieCorrection::None).unwrap();
            tolerance.check_all(&format!("{id} H"), &hazard.cumulative_hazard, &expected["cumhaz_na"]);
            tolerance.check_all(&format!("{id} se of H"), &hazard.std_err, &expected["se_cumhaz_na"]);
            let mean = rmst(&time, &event, number(&expected["rmst_tau"])).unwrap();
            tolerance.check(&format!("{id} rmst"), mean.rmst, number(&expected["rmst"]));
            tolerance.check(&format!("{id} se of rmst"), mean.std_err, number(&expected["rmst_se"]));
        }
    }
}

#[test]
fn tests_agree_with_survdiff() {
    let Some(file) = load("logrank.json") else { return };
    for case in file["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let tolerance = Tolerance::of(case);
        let data = Data::read(case["params"]["data"].as_str().unwrap());
        let labels = |name: &str| data.column(name).iter().map(|&v| v as usize).collect::<Vec<_>>();
        let group = labels(case["params"]["group"].as_str().unwrap());
        let strata = case["params"]["strata"].as_str().map(labels);
        let weight = match number(&case["params"]["rho"]) {
            0.0 => LogRankWeight::LogRank,
            rho => LogRankWeight::FlemingHarrington { rho, gamma: 0.0 },
        };
        let found = logrank(&data.time, &data.event, &group, strata.as_deref(), weight).unwrap();
        let expected = &case["values"];
        let column = |f: fn(&esccsql_survival::logrank::LogRankGroup) -> f64| found.groups.iter().map(f).collect::<Vec<_>>();
        tolerance.check_all(&format!("{id} n"), &column(|g| g.n as f64), &expected["n"]);
        tolerance.check_all(&format!("{id} observed"), &column(|g| g.observed), &expected["obs"]);
        tolerance.check_all(&format!("{id} expected"), &column(|g| g.expected), &expected["exp"]);
        tolerance.check(&format!("{id} statistic"), found.statistic, number(&expected["chisq"]));
        tolerance.check(&format!("{id} p"), found.p, number(&expected["p"]));
        assert_eq!(found.df as f64, number(&expected["df"]), "{id}");
        // Entries are sums with cancellation: compare on the scale of the diagonal.
        for (row, expected) in found.variance.iter().zip(expected["var"].as_array().unwrap()) {
            for (found, expected) in row.iter().zip(numbers(expected)) {
                assert!((found - expected).abs() <= tolerance.relative * found.abs().max(1.0), "{id} variance");
            }
        }
    }
}
