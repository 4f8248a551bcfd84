//! Intraclass correlation: how far raters agree.
//!
//! Shrout and Fleiss' six forms from the mean squares of a subjects x raters table. Subjects that miss a rater are left out
//! and counted. Agrees with R `irr::icc` and `psych::ICC`.

use esccsql_stats::icc::{IccModel, IccOptions, IccUnit, icc_long};

use crate::shape::{Function, Kind, Problem, collect, options, record};

options! {
    struct Options {
        /// 'one_way', 'two_way_random' (absolute agreement) or 'two_way_mixed' (consistency).
        model: IccModel = IccOptions::default().model,
        /// 'single' rater or 'average' of all.
        unit: IccUnit = IccOptions::default().unit,
        /// Level of the interval.
        conf_level: f64 = 0.95,
    }
}

record! {
    /// Agreement of raters.
    struct Agreement {
        icc: f64,
        lower: f64,
        upper: f64,
        f: f64,
        df1: f64,
        df2: f64,
        p: f64,
        subjects: u64,
        raters: u64,
        dropped_subjects: u64,
    }
}

pub fn icc() -> Function {
    collect("icc", "Intraclass correlation of raters' values, with its interval and F test.")
        .arg("subject", Kind::Label, "who or what was rated")
        .arg("rater", Kind::Label, "who rated")
        .arg("value", Kind::Number, "the rating")
        .options::<Options>()
        .source("Shrout & Fleiss, Psychol Bull 1979;86:420; McGraw & Wong, Psychol Methods 1996;1:30; R irr")
        .example(
            "SELECT feature, icc(scan_id, reader, value, {'model': 'two_way_random'}).icc FROM readings GROUP BY feature ORDER BY feature",
        )
        .returns(|rows, options| {
            let chosen = IccOptions { model: options.model, unit: options.unit, confidence: options.conf_level };
            let found = icc_long(rows.texts(0), rows.texts(1), rows.numbers(2), chosen).map_err(Problem::user)?;
            Ok(Agreement {
                icc: found.icc,
                lower: found.lower,
                upper: found.upper,
                f: found.f,
                df1: found.df1,
                df2: found.df2,
                p: found.p,
                subjects: found.subjects as u64,
                raters: found.raters as u64,
                dropped_subjects: found.dropped_subjects as u64,
            })
        })
}
