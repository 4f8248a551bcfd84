//! ICC, correlation and PCA against R.

mod common;

use common::{cases, check, number, numbers};
use esccsql_stats::correlation::{kendall, pearson, spearman};
use esccsql_stats::icc::{IccModel, IccOptions, IccUnit, icc};
use esccsql_stats::pca::{Pca, PcaOptions};
use ndarray::Array2;

#[test]
fn icc_agrees_with_psych_and_irr() {
    use {IccModel::*, IccUnit::*};
    for case in cases("icc") {
        let rows = case["params"]["rows"].as_u64().unwrap() as usize;
        let values = numbers(&case["params"]["matrix"]);
        let ratings = Array2::from_shape_vec((rows, values.len() / rows), values).unwrap();
        let forms = [
            (OneWay, Single, "oneway_agreement_single"),
            (TwoWayRandom, Single, "twoway_agreement_single"),
            (TwoWayMixed, Single, "twoway_consistency_single"),
            (OneWay, Average, "oneway_agreement_average"),
            (TwoWayRandom, Average, "twoway_agreement_average"),
            (TwoWayMixed, Average, "twoway_consistency_average"),
        ];
        for (i, (model, unit, irr)) in forms.into_iter().enumerate() {
            let got = icc(ratings.view(), IccOptions { model, unit, confidence: 0.95 }).unwrap();
            let psych = &case["values"];
            let irr_values = &psych["irr"][irr];
            for (psych_name, irr_name, value) in [
                ("ICC", "icc", got.icc),
                ("F", "F", got.f),
                ("df1", "df1", got.df1),
                ("df2", "df2", got.df2),
                ("p", "p", got.p),
                ("lower", "lower", got.lower),
                ("upper", "upper", got.upper),
            ] {
                check(&case, &format!("{irr} {psych_name} psych"), value, &psych[psych_name][i]);
                // irr tests ICC(2) on Satterthwaite's degrees of freedom, psych on those of the error mean square. For the mean of k
                // ratings irr takes those degrees of freedom at ICC(2,k), psych steps up the limits of ICC(2,1).
                let differs: &[&str] = if unit == Average { &["df2", "p", "lower", "upper"] } else { &["df2", "p"] };
                if model == TwoWayRandom && differs.contains(&irr_name) {
                    continue;
                }
                check(&case, &format!("{irr} {irr_name} irr"), value, &irr_values[irr_name]);
            }
        }
    }
}

#[test]
fn correlation_agrees_with_cor_test() {
    for case in cases("correlation") {
        let (a, b) = (numbers(&case["params"]["a"]), numbers(&case["params"]["b"]));
        let want = &case["values"];
        let r = pearson(&a, &b, 0.95).unwrap();
        check(&case, "pearson", r.estimate, &want["pearson"]);
        check(&case, "pearson_t", r.statistic.unwrap(), &want["pearson_t"]);
        check(&case, "pearson_p", r.p, &want["pearson_p"]);
        check(&case, "pearson_lower", r.lower.unwrap(), &want["pearson_lower"]);
        check(&case, "pearson_upper", r.upper.unwrap(), &want["pearson_upper"]);
        let rho = spearman(&a, &b, false).unwrap();
        check(&case, "spearman", rho.estimate, &want["spearman"]);
        check(&case, "spearman_p_t", rho.p, &want["spearman_p_t"]);
        if let Some(exact) = want.get("spearman_p_exact_R") {
            check(&case, "spearman_p_exact_R", spearman(&a, &b, true).unwrap().p, exact);
        }
        let tau = kendall(&a, &b, false).unwrap();
        check(&case, "kendall_tau_b", tau.estimate, &want["kendall_tau_b"]);
        check(&case, "kendall_p", tau.p, &want["kendall_p"]);
    }
}

#[test]
fn pca_agrees_with_prcomp() {
    for case in cases("pca") {
        let path = "../../../shared/reference/survival/data/";
        let text = std::fs::read_to_string(format!("{path}{}", case["params"]["data"].as_str().unwrap())).unwrap();
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().unwrap().split(',').map(|name| name.trim_matches('"')).collect();
        let used: Vec<usize> = (0..header.len()).filter(|&j| header[j] != "time" && header[j] != "status").collect();
        let rows: Vec<Vec<f64>> = lines.map(|line| line.split(',').map(|v| v.parse().unwrap()).collect()).collect();
        let x = Array2::from_shape_fn((rows.len(), used.len()), |(i, j)| rows[i][used[j]]);
        let k = case["params"]["components"].as_u64().unwrap() as usize;
        let scale = case["params"]["scale"].as_bool().unwrap();
        let model = Pca::fit(x.view(), k, PcaOptions { center: true, scale }).unwrap();
        let want = &case["values"];
        let check_all = |name: &str, got: &[f64]| {
            assert_eq!(got.len(), want[name].as_array().unwrap().len(), "{name}");
            got.iter().zip(want[name].as_array().unwrap()).for_each(|(g, w)| check(&case, name, *g, w));
        };
        check_all("sdev", &model.sdev);
        check_all("explained", &model.explained_variance_ratio());
        check_all("center", &model.center);
        if scale {
            check_all("scale", &model.scale);
        }
        assert_eq!(model.components_for(0.9), number(&want["n_components_for_90pct"]) as usize);
        for (name, got) in [("rotation", model.loadings().to_owned()), ("scores", model.transform(x.view()).unwrap())] {
            for ((i, j), v) in got.indexed_iter() {
                check(&case, name, *v, &want[name][i][j]);
            }
        }
    }
}
