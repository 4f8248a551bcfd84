//! Cox proportional hazards model.
//!
//! Partial likelihood maximised by Newton's method with step halving; ties by Efron, Breslow or exactly. A feature that is
//! constant or a combination of others gets no coefficient, one whose likelihood rises for ever (separation) is told in the
//! warnings. Weights, strata, offsets and clusters are given per row in the options: `{'ties': 'breslow', 'strata': site}`.
//! Agrees with R `survival::coxph`.

use esccsql_survival::cox::{CoxData, CoxFit, CoxOptions, Ties, fit};

use super::design::{Design, weighted};
use crate::shape::{Fit, Function, Kind, Model, Problem, Rows, collect, options};

options! {
    pub(super) struct Options {
        /// 'efron', 'breslow' or 'exact'.
        ties: String = "efron".into(),
        /// Sandwich variance (Lin & Wei).
        robust: bool = false,
        /// Newton steps at most.
        max_iter: usize = 50,
    }
    check |options| ties(&options.ties).map(|_| ())
}

impl Fit for CoxFit {
    const KIND: &'static str = "cox";
}

pub(super) fn ties(name: &str) -> Result<Ties, String> {
    match name {
        "efron" => Ok(Ties::Efron),
        "breslow" => Ok(Ties::Breslow),
        "exact" => Ok(Ties::Exact),
        other => Err(format!("`ties` is '{other}'; expected 'efron', 'breslow' or 'exact'")),
    }
}

pub(super) fn kernel_options(options: &Options) -> Result<CoxOptions, Problem> {
    Ok(CoxOptions {
        ties: ties(&options.ties).map_err(Problem::user)?,
        robust: options.robust,
        max_iter: options.max_iter,
        ..CoxOptions::default()
    })
}

/// The rows of a function whose first arguments are time, event and x.
pub(super) fn data<'a>(rows: &'a Rows, design: &'a Design) -> CoxData<'a> {
    CoxData {
        weights: design.weights,
        strata: design.strata.as_deref(),
        offset: design.offset,
        cluster: design.cluster.as_deref(),
        names: Some(&rows.features(2).names),
        ..CoxData::new(rows.features(2).values.view(), rows.numbers(0), rows.events(1))
    }
}

pub fn cox_fit() -> Function {
    let function = collect("cox_fit", "Cox proportional hazards model. GROUP BY a feature's name to screen features one by one.")
        .outcome()
        .arg("x", Kind::Features, "covariates")
        .options::<Options>();
    weighted(function)
        .row_option("cluster", Kind::Label, "rows that may depend on each other; asks for the robust variance")
        .source("R survival::coxph; Therneau & Grambsch, Modeling Survival Data, 2000")
        .example("SELECT unnest(cox_summary(cox_fit(months, died, {'age': age, 'stage': stage})), recursive := true) FROM patients")
        .returns(|rows, options| {
            let x = rows.features(2);
            let design = Design::of(rows);
            let model = fit(&data(rows, &design), &kernel_options(options)?).map_err(Problem::user)?;
            let mut summary = rows.summary(Some(1));
            summary.strata = design.levels;
            summary.converged = Some(model.converged);
            summary.warnings = model.warnings.clone();
            summary.options = serde_json::to_value(options).map_err(Problem::bug)?;
            Model::encode(&model, &x.names, summary)
        })
}
