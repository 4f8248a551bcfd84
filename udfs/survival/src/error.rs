//! What can go wrong, said so that the user knows what to do next. Messages name values, not rows: who calls may have sorted them.
//! Rows in the fields count from 0.

use thiserror::Error;

/// Errors of the survival kernels.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SurvivalError {
    #[error("no rows to work on: check the filter, and that the rows are not dropped for NULL values")]
    Empty,
    #[error("{rows} rows are too many: at most 4294967294 can be used; sample or group the rows")]
    TooManyRows { rows: usize },
    #[error("{what} has {found} values, expected {expected}: give one per row")]
    LengthMismatch { what: String, expected: usize, found: usize },
    #[error("{what} is {value}: remove or impute values that are not finite")]
    NotFinite { what: String, row: usize, value: f64 },
    #[error("time is {time}: follow-up times start at 0; check the dates it was computed from")]
    NegativeTime { row: usize, time: f64 },
    #[error("weight is {weight}: weights must not be negative")]
    NegativeWeight { row: usize, weight: f64 },
    #[error("no events among {rows} rows (all censored): check that `event` is true (or 1) where the event happened")]
    NoEvents { rows: usize },
    #[error("no events among {rows} rows (all censored): check that `cause` is 1, 2, ... where an event happened and 0 where none did")]
    NoCauses { rows: usize },
    #[error("no comparable pair of rows: concordance needs an event that another row outlives; check `event`, `time` and the group sizes")]
    NoComparablePairs,
    #[error(
        "no fold can be judged: its rows, or those of the other folds, have too few events; use fewer folds, or folds dealt by the event"
    )]
    NoFoldToJudge,
    #[error(
        "no time serves: at each, some row must have had the event and another be followed without it; choose times within the follow-up"
    )]
    NoCasesOrControls,
    #[error("only one group in {what}: a comparison needs rows at risk in at least two groups")]
    OneGroup { what: String },
    #[error("the censoring curve is 0 at time {time}, so its inverse is no weight: choose an earlier `tau` or earlier times")]
    CensoringIsZero { time: f64 },
    #[error("{what} is {value}: a probability between 0 and 1 is expected")]
    NotAProbability { what: String, row: usize, value: f64 },
    #[error("the times do not serve: {reason}")]
    BadTimes { reason: &'static str },
    #[error("option {option} is {found}, expected {expected}")]
    BadOption { option: &'static str, expected: &'static str, found: String },
    #[error("each of the {features} features is constant: there is nothing to learn from; check how x is built")]
    ConstantFeatures { features: usize },
    #[error(
        "importance needs rows out of bag, but every tree sees all rows: use 'bootstrap': 'with_replacement', or 'without_replacement' with a sample_fraction well below 1"
    )]
    NothingOutOfBag,
    #[error("stopped on request")]
    Cancelled,
    #[error("{rows} rows are too few: at least {needed} are needed; check the filter and the rows dropped for NULL")]
    TooFewRows { rows: usize, needed: usize },
    #[error("x has no columns: give at least one covariate")]
    NoColumns,
    #[error("x has {found} columns, the model has {expected}: give the columns that it was fitted on")]
    ColumnMismatch { expected: usize, found: usize },
    #[error(
        "these {found} rows are not the {fitted} that the forest was fitted on: give the time, event and x of the fit, from the same rows"
    )]
    OtherRows { fitted: usize, found: usize },
    #[error("weight is 0 in at least one row: leave rows of weight 0 out (WHERE weight > 0)")]
    ZeroWeight { row: usize },
    #[error("every column is constant or excluded: nothing can be penalised; check the join and the scaling of x")]
    NothingToFit,
    #[error("stratum {stratum} was not in the fit and has no baseline: predict for the fitted strata only")]
    UnknownStratum { stratum: u32 },
    #[error("no row of the fit has an event of cause {cause}: its causes are {known}")]
    UnknownCause { cause: u32, known: String },
    #[error("a tree has a path with more than {most} different features, too many for exact Shapley values: fit with a lower max_depth")]
    PathTooLong { most: usize },
    #[error(
        "the hazards of this Cox model range over too many orders of magnitude for exact Shapley values of survival: explain its cumulative hazard or risk, or scale and prune its features"
    )]
    HazardsTooWide,
}
