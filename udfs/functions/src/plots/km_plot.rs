//! Kaplan-Meier curves as a figure.
//!
//! The curves are those of `km_fit`, the medians those of `km_median`, P is that of `logrank`; the numbers at risk count the
//! patients whose time is not before the tick.

use esccsql_plots::{KmCurve, KmPlot};
use esccsql_survival::error::SurvivalError;
use esccsql_survival::km::{ConfidenceType, kaplan_meier};
use esccsql_survival::logrank::{LogRankWeight, logrank};

use super::labels::{distinct, rows_of};
use super::style::figure_options;
use crate::shape::{Function, Kind, Problem, collect};

figure_options! {
    /// Unit of the follow-up, such as 'months', which names the axis and sets its ticks.
    time_unit: Option<String> = None,
    /// Time between two ticks.
    time_step: Option<f64> = None,
    /// Last time drawn; by default the last of the data.
    max_time: Option<f64> = None,
    /// Groups in the order in which they are drawn.
    order: Vec<String> = Vec::new(),
    /// Level of the bands.
    conf_level: f64 = 0.95,
    /// Scale of the bands: 'log' (R), 'log_log' or 'plain'.
    conf_type: ConfidenceType = ConfidenceType::Log,
    /// Draw the bands.
    band: bool = true,
    /// Draw lines to the medians.
    median: bool = true,
    /// Write the numbers at risk.
    risk_table: bool = true,
    /// Write P of the log-rank test, where groups can be compared.
    p_value: bool = true;
    check |_options| Ok(())
}

pub fn km_plot() -> Function {
    collect("km_plot", "Kaplan-Meier curves as SVG: bands, censoring marks, medians, numbers at risk and P of the log-rank test.")
        .outcome()
        .optional("group", Kind::Label, "the group; without it one curve is drawn")
        .options::<Options>()
        .source("R survival::survfit, survival::survdiff")
        .example("SELECT km_plot(months, died, stage, {'time_unit': 'months', 'title': 'Survival by stage'}) FROM patients")
        .returns(|rows, options| {
            let (time, event) = (rows.numbers(0), rows.events(1));
            let texts = if rows.has(2) { rows.texts(2).to_vec() } else { vec![String::new(); rows.len()] };
            let labels = distinct(&texts, &options.order);
            let curve = |(label, places): (&String, Vec<usize>)| {
                let time: Vec<f64> = places.iter().map(|&row| time[row]).collect();
                let event: Vec<bool> = places.iter().map(|&row| event[row]).collect();
                let km = kaplan_meier(&time, &event, options.conf_level, options.conf_type)?;
                let median = km.median();
                Ok(KmCurve {
                    label: label.clone(),
                    median: median.value,
                    median_lower: median.lower,
                    median_upper: median.upper,
                    time: km.time,
                    survival: km.survival,
                    lower: km.lower,
                    upper: km.upper,
                    n_risk: km.n_risk,
                    n_event: km.n_event,
                    n_censor: km.n_censor,
                })
            };
            let curves = rows_of(&texts, &labels).map(curve).collect::<Result<Vec<_>, SurvivalError>>().map_err(Problem::user)?;
            let codes: Vec<usize> = texts.iter().map(|text| labels.iter().position(|label| label == text).unwrap_or_default()).collect();
            let p = match logrank(time, event, &codes, None, LogRankWeight::LogRank) {
                Ok(test) => (options.p_value && test.df > 0).then_some(test.p),
                Err(SurvivalError::OneGroup { .. } | SurvivalError::NoEvents { .. }) => None,
                Err(error) => return Err(Problem::user(error)),
            };
            esccsql_plots::km_plot(&KmPlot {
                curves,
                p,
                conf_level: options.conf_level,
                time_unit: options.time_unit.clone(),
                max_time: options.max_time,
                time_step: options.time_step,
                band: options.band,
                median_lines: options.median,
                risk_table: options.risk_table,
                style: options.style(rows),
            })
            .map_err(Problem::user)
        })
}
