//! Cox models against R survival.

mod reference;

use esccsql_survival::concordance::harrell;
use esccsql_survival::cox::{Coefficient, CoxData, CoxOptions, Ties, ZphTransform, fit, screen};
use ndarray::Array2;
use reference::{Data, Tolerance, load, number};
use serde_json::Value;

fn columns(data: &Data, names: &[String]) -> Array2<f64> {
    Array2::from_shape_fn((data.time.len(), names.len()), |(i, j)| data.column(&names[j])[i])
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_string()).collect()
}

fn ties(case: &Value) -> Ties {
    match case["params"]["ties"].as_str().unwrap() {
        "efron" => Ties::Efron,
        "breslow" => Ties::Breslow,
        other => panic!("{other}"),
    }
}

#[test]
fn coxph() {
    let Some(file) = load("coxph.json") else { return };
    for case in file["cases"].as_array().unwrap() {
        let (id, values, params) = (case["id"].as_str().unwrap(), &case["values"], &case["params"]);
        let tolerance = Tolerance::of(case);
        let data = Data::read(params["data"].as_str().unwrap());
        let terms = strings(&values["terms"]);
        let x = columns(&data, &terms);
        let weights = params["weights"].as_str().map(|name| data.column(name).to_vec());
        let strata: Option<Vec<u32>> = params["strata"].as_str().map(|name| data.column(name).iter().map(|&v| v as u32).collect());
        let cox = CoxData { weights: weights.as_deref(), strata: strata.as_deref(), ..CoxData::new(x.view(), &data.time, &data.event) };
        let found = fit(&cox, &CoxOptions { ties: ties(case), ..Default::default() }).unwrap();
        assert!(found.converged && found.warnings.is_empty(), "{id}: {:?}", found.warnings);

        let rows = found.summary(&terms, 0.95).unwrap();
        let check = |name: &str, value: &dyn Fn(usize) -> f64| {
            let all: Vec<f64> = (0..rows.len()).map(value).collect();
            tolerance.check_all(&format!("{id} {name}"), &all, &values[name]);
        };
        check("coef", &|j| rows[j].coef.unwrap());
        check("se", &|j| rows[j].se.unwrap());
        check("z", &|j| rows[j].z.unwrap());
        check("p", &|j| rows[j].p.unwrap());
        check("hr", &|j| rows[j].hr.unwrap());
        check("hr_lo", &|j| rows[j].hr_lower.unwrap());
        check("hr_hi", &|j| rows[j].hr_upper.unwrap());
        let p = terms.len();
        for (j, row) in values["vcov"].as_array().unwrap().iter().enumerate() {
            tolerance.check_all(&format!("{id} vcov"), &found.variance[j * p..(j + 1) * p], row);
        }
        let one = |name: &str, value: f64| tolerance.check(&format!("{id} {name}"), value, number(&values[name]));
        one("loglik_null", found.loglik_null);
        one("loglik", found.loglik);
        one("lrt", found.likelihood_ratio.statistic);
        one("lrt_df", found.likelihood_ratio.df as f64);
        one("lrt_p", found.likelihood_ratio.p);
        one("wald", found.wald.statistic);
        one("score", found.score.statistic);
        one("score_p", found.score.p);
        one("aic", found.aic());
        one("n", found.n as f64);
        one("nevent", found.events as f64);

        let zero = (-found.means_linear_predictor()).exp();
        let all = |f: &dyn Fn(&esccsql_survival::cox::Baseline) -> Vec<f64>| found.baselines.iter().flat_map(f).collect::<Vec<f64>>();
        tolerance.check_all(&format!("{id} basehaz_time"), &all(&|b| b.time.clone()), &values["basehaz_time"]);
        tolerance.check_all(
            &format!("{id} basehaz"),
            &all(&|b| b.cumulative_hazard.iter().map(|h| h * zero).collect()),
            &values["basehaz"],
        );
        let shift = found.means_linear_predictor();
        let lp: Vec<f64> = found.linear_predictor(x.view()).unwrap().iter().map(|v| v + shift).collect();
        tolerance.check_all(&format!("{id} lp"), &lp, &values["linear_predictor_uncentred"]);
        let residuals = found.residuals(&cox).unwrap();
        tolerance.check_all(&format!("{id} martingale"), &residuals.martingale, &values["martingale"]);
        for (name, transform) in [
            ("zph_km", ZphTransform::KaplanMeier),
            ("zph_identity", ZphTransform::Identity),
            ("zph_rank", ZphTransform::Rank),
            ("zph_log", ZphTransform::Log),
        ] {
            if values[name].is_null() {
                continue;
            }
            let rows = found.zph(&cox, transform).unwrap();
            let chi: Vec<f64> = rows.iter().map(|r| r.chi_square).collect();
            let p: Vec<f64> = rows.iter().map(|r| r.p).collect();
            tolerance.check_all(&format!("{id} {name} chisq"), &chi, &values[name]["chisq"]);
            tolerance.check_all(&format!("{id} {name} p"), &p, &values[name]["p"]);
        }
    }
}

#[test]
fn univariate() {
    let Some(file) = load("univariate.json") else { return };
    for case in file["cases"].as_array().unwrap() {
        let (id, values, params) = (case["id"].as_str().unwrap(), &case["values"], &case["params"]);
        let tolerance = Tolerance::of(case);
        let data = Data::read(params["data"].as_str().unwrap());
        let terms = strings(&values["terms"]);
        let mut x = columns(&data, &terms);
        if params["standardise"].as_bool() == Some(true) {
            let n = x.nrows() as f64;
            for mut column in x.columns_mut() {
                let mean = column.sum() / n;
                let sd = (column.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (n - 1.0)).sqrt();
                column.mapv_inplace(|v| (v - mean) / sd);
            }
        }
        let cox = CoxData::new(x.view(), &data.time, &data.event);
        let options = CoxOptions { ties: ties(case), ..Default::default() };
        let rows = screen(&cox, &options).unwrap();
        let check = |name: &str, value: &dyn Fn(usize) -> f64| {
            let all: Vec<f64> = (0..rows.len()).map(value).collect();
            tolerance.check_all(&format!("{id} {name}"), &all, &values[name]);
        };
        // Where a column separates the events, R reports where its iteration stopped; here the row is flagged instead.
        let estimated: Vec<usize> = (0..rows.len()).filter(|&j| rows[j].status == Coefficient::Estimated).collect();
        assert!(estimated.len() + 1 >= rows.len(), "{id}");
        for &j in &estimated {
            for (name, value) in [("coef", rows[j].coef), ("se", rows[j].se), ("p_wald", rows[j].p)] {
                tolerance.check(&format!("{id} {name}[{j}]"), value, number(&values[name][j]));
            }
        }
        check("lrt", &|j| rows[j].likelihood_ratio);
        check("p_lrt", &|j| rows[j].likelihood_ratio_p);
        check("score", &|j| rows[j].score);
        check("p_score", &|j| rows[j].score_p);
        check("concordance", &|j| {
            let risk: Vec<f64> = x.column(j).iter().map(|v| v * rows[j].coef.signum()).collect();
            harrell(&data.time, &data.event, &risk).unwrap().c_index
        });
        assert_eq!(rows.iter().filter(|r| r.p < 0.1).count() as f64, number(&values["n_p_lt_0.1"]));
        // The screen is the full fit, column by column.
        for j in (0..rows.len()).step_by(97) {
            let one = fit(&CoxData { x: x.slice(ndarray::s![.., j..=j]), ..cox }, &options).unwrap();
            tolerance.check("screen", rows[j].coef, one.coef[0]);
            tolerance.check("screen", rows[j].loglik, one.loglik);
        }
    }
}
