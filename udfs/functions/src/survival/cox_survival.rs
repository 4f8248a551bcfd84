//! Survival that a Cox model predicts.

use esccsql_survival::cox::CoxFit;

use super::matrix::single_row;
use super::stratum::Options;
use crate::shape::{Function, Kind, Problem, each};

pub fn cox_survival() -> Function {
    each("cox_survival", "Predicted survival probability of a row at each time.")
        .arg("model", Kind::Model, "made by cox_fit")
        .arg("x", Kind::Features, "the covariates that the model was fitted on")
        .arg("times", Kind::Numbers, "times in the unit of the fit")
        .options::<Options>()
        .source("R survfit(coxph)")
        .example("SELECT cox_survival(model, {'age': 61}, [12, 24, 36]) FROM (SELECT cox_fit(months, died, {'age': age}) AS model FROM patients)")
        .returns(|row, options| {
            let trained = row.model::<CoxFit>(0)?;
            let x = row.aligned(1, &trained)?;
            let stratum = options.stratum(&trained)?.map(|code| [code]);
            let (strata, offset) = (stratum.as_ref().map(<[u32; 1]>::as_slice), [options.offset]);
            let curves = trained.model.survival(single_row(&x)?, row.list(2), strata, Some(&offset), options.conf_level);
            Ok(curves.map_err(Problem::user)?.survival)
        })
}
