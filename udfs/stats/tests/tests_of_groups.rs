//! t test, Mann-Whitney, chi-squared and Fisher's test against R.

mod common;

use common::{cases, check, number, numbers};
use esccsql_stats::Alternative;
use esccsql_stats::chi2_test::{chi2_test, expected_counts};
use esccsql_stats::fisher_exact::{FisherMethod, FisherOptions, fisher_exact};
use esccsql_stats::mann_whitney::{RankTestOptions, mann_whitney_u};
use esccsql_stats::t_test::{TTestKind, TTestOptions, t_test};
use ndarray::Array2;

#[test]
fn two_samples_agree_with_wilcox_and_t_test() {
    for case in cases("two_sample") {
        let (a, b) = (numbers(&case["params"]["a"]), numbers(&case["params"]["b"]));
        let want = &case["values"];
        let rank = |exact, continuity, alternative| {
            mann_whitney_u(&a, &b, RankTestOptions { alternative, exact: Some(exact), continuity }).unwrap()
        };
        let plain = rank(false, false, Alternative::TwoSided);
        check(&case, "U", plain.u, &want["U"]);
        check(&case, "p_normal", plain.p, &want["p_normal"]);
        check(&case, "p_normal_continuity", rank(false, true, Alternative::TwoSided).p, &want["p_normal_continuity"]);
        check(&case, "p_normal_continuity_less", rank(false, true, Alternative::Less).p, &want["p_normal_continuity_less"]);
        if let Some(exact) = want.get("p_exact") {
            let by_rule = mann_whitney_u(&a, &b, RankTestOptions::default()).unwrap();
            assert!(by_rule.z.is_none());
            check(&case, "p_exact", by_rule.p, exact);
        }
        for (kind, name) in [(TTestKind::Welch, "welch"), (TTestKind::Student, "student")] {
            let got = t_test(&a, &b, TTestOptions { kind, ..TTestOptions::default() }).unwrap();
            for (field, value) in [("t", got.t), ("df", got.df), ("p", got.p), ("lower", got.lower), ("upper", got.upper)] {
                check(&case, &format!("{name} {field}"), value, &want[name][field]);
            }
        }
    }
}

#[test]
fn contingency_tables_agree_with_chisq_and_fisher_test() {
    for case in cases("contingency") {
        let rows = case["params"]["rows"].as_u64().unwrap() as usize;
        let counts: Vec<u64> = numbers(&case["params"]["table"]).into_iter().map(|v| v as u64).collect();
        let table = Array2::from_shape_vec((rows, counts.len() / rows), counts).unwrap();
        let want = &case["values"];
        let plain = chi2_test(table.view(), false).unwrap();
        check(&case, "chisq", plain.statistic, &want["chisq"]);
        check(&case, "df", plain.df, &want["df"]);
        check(&case, "p", plain.p, &want["p"]);
        let yates = chi2_test(table.view(), true).unwrap();
        check(&case, "chisq_yates", yates.statistic, &want["chisq_yates"]);
        check(&case, "p_yates", yates.p, &want["p_yates"]);
        for ((i, j), e) in expected_counts(table.view()).indexed_iter() {
            check(&case, "expected", *e, &want["expected"][i][j]);
        }
        let fisher = fisher_exact(table.view(), FisherOptions::default()).unwrap();
        assert_eq!(fisher.method, FisherMethod::Exact);
        check(&case, "fisher_p", fisher.p, &want["fisher_p"]);
        if table.dim() == (2, 2) {
            for (alternative, name) in [(Alternative::Less, "fisher_p_less"), (Alternative::Greater, "fisher_p_greater")] {
                let one = fisher_exact(table.view(), FisherOptions { alternative, ..FisherOptions::default() }).unwrap();
                check(&case, name, one.p, &want[name]);
            }
            for (name, got) in
                [("fisher_odds_ratio_cmle", fisher.odds_ratio), ("fisher_or_lower", fisher.lower), ("fisher_or_upper", fisher.upper)]
            {
                uniroot(&case, name, got.unwrap(), number(&want[name]));
            }
        }
    }
}

/// R finds the odds ratio and its limits by `uniroot` on (0, 1) for t or for 1 / t, which stops when t is known to
/// `.Machine$double.eps^0.25` = 1.22e-4. That is all R's values promise; that ours solve their equations is tested beside them.
#[track_caller]
fn uniroot(case: &serde_json::Value, name: &str, got: f64, reference: f64) {
    let scale = |t: f64| if reference > 1.0 { 1.0 / t } else { t };
    let tolerance = f64::EPSILON.powf(0.25);
    assert!((scale(got) - scale(reference)).abs() <= tolerance, "{} {name}: {got} {reference}", case["id"]);
}
