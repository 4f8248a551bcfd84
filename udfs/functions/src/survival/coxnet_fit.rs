//! LASSO and elastic-net Cox path with cross-validation.
//!
//! Minimises -l(b)/n + lambda (alpha |b| + (1 - alpha)/2 b^2) on standardised features along a falling sequence of lambda,
//! l the Breslow log partial likelihood. Lambda is chosen by cross-validation on seeded folds that spread the events evenly.
//! Agrees with R `glmnet(family = "cox")` and `cv.glmnet`.

use esccsql_survival::coxnet::{Alignment, CoxnetData, CoxnetFit, CoxnetOptions, CvOptions, Folds, Measure, cross_validate, fit};

use std::collections::BTreeMap;

use super::design::{Design, codes, weighted};
use crate::shape::{Features, Fit, Function, Kind, Model, Problem, collect, options, shorten};

options! {
    struct Options {
        /// 1 is the LASSO, 0 ridge, between them the elastic net.
        alpha: f64 = 1.0,
        /// Lambdas on the path, before the early stop.
        n_lambda: usize = 100,
        /// Smallest over largest lambda; by default 0.01 where rows are fewer than features, else 0.0001.
        lambda_min_ratio: Option<f64> = None,
        /// A falling sequence of one's own.
        lambda: Option<Vec<f64>> = None,
        /// Standardise the features for the penalty; coefficients are on the original scale either way.
        standardize: bool = true,
        /// Folds of the cross-validation; 0 fits the path alone.
        folds: u32 = 10,
        /// Seed of the folds.
        seed: u64 = 1,
        /// 'deviance', 'deviance_within_fold' or 'c_index'.
        measure: String = "deviance".into(),
        /// Penalty of single features relative to the others' 1: {'age': 0} leaves age unpenalised.
        penalty_factor: BTreeMap<String, f64> = BTreeMap::new(),
        /// Features to leave out.
        exclude: Vec<String> = Vec::new(),
    }
    check |options| measure(&options.measure).map(|_| ())
}

impl Fit for CoxnetFit {
    const KIND: &'static str = "coxnet";
}

fn measure(name: &str) -> Result<Measure, String> {
    match name {
        "deviance" => Ok(Measure::Deviance),
        "deviance_within_fold" => Ok(Measure::DevianceWithinFold),
        "c_index" => Ok(Measure::Concordance),
        other => Err(format!("`measure` is '{other}'; expected 'deviance', 'deviance_within_fold' or 'c_index'")),
    }
}

/// One factor per feature.
fn penalty_factors(options: &Options, x: &Features) -> Result<Option<Vec<f64>>, Problem> {
    if options.penalty_factor.is_empty() {
        return Ok(None);
    }
    let mut factors = vec![1.0; x.names.len()];
    for (name, factor) in &options.penalty_factor {
        factors[position(name, "penalty_factor", x)?] = *factor;
    }
    Ok(Some(factors))
}

fn position(name: &str, option: &str, x: &Features) -> Result<usize, Problem> {
    (x.names.iter().position(|known| known == name))
        .ok_or_else(|| Problem::user(format!("options: `{option}` names '{name}', which is not a feature of x ({})", shorten(&x.names))))
}

pub fn coxnet_fit() -> Function {
    let function = collect("coxnet_fit", "LASSO or elastic-net Cox model: the whole path, and lambda by cross-validation.")
        .outcome()
        .arg("x", Kind::Features, "features, any number of them")
        .options::<Options>();
    weighted(function)
        .row_option("fold", Kind::Label, "fold of the row in the cross-validation, instead of seeded folds")
        .source("Simon et al., J Stat Softw 2011;39(5); R glmnet")
        .example("SELECT model_info(coxnet_fit(months, died, {'age': age, 'stage': stage, 'volume': volume, 'marker': marker}, {'folds': 5, 'seed': 1})) FROM patients")
        .returns(|rows, options| {
            let x = rows.features(2);
            let design = Design::of(rows);
            let data = CoxnetData {
                weights: design.weights,
                strata: design.strata.as_deref(),
                offset: design.offset,
                names: Some(&x.names),
                ..CoxnetData::new(x.values.view(), rows.numbers(0), rows.events(1))
            };
            let chosen = CoxnetOptions {
                alpha: options.alpha,
                n_lambda: options.n_lambda,
                lambda_min_ratio: options.lambda_min_ratio,
                lambda: options.lambda.clone(),
                standardize: options.standardize,
                penalty_factor: penalty_factors(options, x)?,
                exclude: options.exclude.iter().map(|name| position(name, "exclude", x)).collect::<Result<_, _>>()?,
                ..CoxnetOptions::default()
            };
            let given = rows.given("fold").map(|at| codes(rows.texts(at)).0);
            let model = if options.folds == 0 {
                fit(&data, &chosen)
            } else {
                let folds = given.map_or(Folds::Stratified { folds: options.folds, seed: options.seed }, Folds::Given);
                let measure = measure(&options.measure).map_err(Problem::user)?;
                cross_validate(&data, &chosen, &CvOptions { folds, measure, alignment: Alignment::default() })
            }
            .map_err(Problem::user)?;
            let mut summary = rows.summary(Some(1));
            summary.strata = design.levels;
            summary.warnings = model.warnings.clone();
            summary.options = serde_json::to_value(options).map_err(Problem::bug)?;
            Model::encode(&model, &x.names, summary)
        })
}
