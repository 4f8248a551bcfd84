//! Tests of several groups, normality and pairs against scipy (`tests/golden/make.py`).

use esccsql_stats::anova::anova;
use esccsql_stats::distribution::{chi2_sf, f_sf, t_two_sided};
use esccsql_stats::kruskal_wallis::kruskal_wallis;
use esccsql_stats::mann_whitney::RankTestOptions;
use esccsql_stats::shapiro_wilk::shapiro_wilk;
use esccsql_stats::t_test::{TTestKind, TTestOptions, t_test};
use esccsql_stats::wilcoxon_signed_rank::wilcoxon_signed_rank;
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/tests.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[track_caller]
fn close(got: f64, want: &Value, tolerance: f64) {
    let want = want.as_f64().unwrap();
    assert!((got - want).abs() <= tolerance * want.abs(), "{got:e} {want:e}");
}

#[test]
fn anova_and_kruskal_wallis() {
    for case in golden()["groups"].as_array().unwrap() {
        let groups: Vec<Vec<f64>> = case["groups"].as_array().unwrap().iter().map(numbers).collect();
        let f = anova(&groups).unwrap();
        close(f.f, &case["f"], 1e-11);
        close(f.p, &case["f_p"], 1e-10);
        let h = kruskal_wallis(&groups).unwrap();
        close(h.h, &case["h"], 1e-11);
        close(h.p, &case["h_p"], 1e-10);
    }
}

#[test]
fn shapiro_wilk_is_roystons() {
    for case in golden()["samples"].as_array().unwrap() {
        let test = shapiro_wilk(&numbers(&case["values"])).unwrap();
        close(test.w, &case["w_exact_scores"], 1e-13);
        // scipy's normal scores are good to 1e-9 only (see make.py); where 1 - W is 0.007, p magnifies that a hundred times.
        close(test.w, &case["w"], 3e-9);
        close(test.p, &case["p"], 2e-7);
    }
}

#[test]
fn paired_tests() {
    for case in golden()["pairs"].as_array().unwrap() {
        let (x, y) = (numbers(&case["x"]), numbers(&case["y"]));
        if case["t"].is_number() {
            let t = t_test(&x, &y, TTestOptions { kind: TTestKind::Paired, ..TTestOptions::default() }).unwrap();
            close(t.t, &case["t"], 1e-11);
            close(t.p, &case["t_p"], 1e-10);
        }
        let normal = wilcoxon_signed_rank(&x, &y, RankTestOptions { exact: Some(false), ..RankTestOptions::default() }).unwrap();
        close(normal.v, &case["v"], 0.0);
        close(normal.p, &case["normal"], 1e-10);
        if case["exact"].is_number() {
            let exact = wilcoxon_signed_rank(&x, &y, RankTestOptions { exact: Some(true), ..RankTestOptions::default() }).unwrap();
            close(exact.p, &case["exact"], if exact.z.is_none() { 1e-12 } else { panic!("the data have ties") });
        }
    }
}

#[test]
fn tails_of_the_distributions() {
    for case in golden()["tails"].as_array().unwrap() {
        let value = |name: &str| case[name].as_f64();
        let got = if let Some(t) = value("t") {
            t_two_sided(t, value("df").unwrap())
        } else if let Some(f) = value("f") {
            f_sf(f, value("df1").unwrap(), value("df2").unwrap())
        } else {
            chi2_sf(value("chi2").unwrap(), value("df").unwrap())
        };
        close(got, &case["p"], 1e-12);
    }
}
