//! Folds of a cross-validation.
//!
//! Ids with and without an event are shuffled apart by the seed and dealt in turn, so that each fold has its share of events. The fold of an
//! id depends on the ids, their events, `k` and `seed` alone; rows of one id share it.

use esccsql_survival::coxnet::stratified_folds;

use crate::shape::{Function, Kind, Problem, collect, record};

record! {
    /// The fold of an id, from 1 to k.
    struct Fold {
        id: String,
        fold: u64,
    }
}

pub fn cv_folds() -> Function {
    collect("cv_folds", "Folds of a cross-validation by id: seeded, the events spread evenly, all rows of an id in one fold.")
        .arg("id", Kind::Label, "patient; an id has an event if any of its rows has")
        .arg("event", Kind::Event, "true or 1: the event happened")
        .arg("k", Kind::Number, "folds, the same in every row")
        .arg("seed", Kind::Number, "seed of the shuffle, the same in every row")
        .source("Kohavi, IJCAI 1995:1137 (stratified cross-validation)")
        .example("SELECT unnest(cv_folds(patient_id, died, 5, 1), recursive := true) FROM patients")
        .returns(|rows, _| {
            let whole = |argument, name: &str, least: f64| {
                let number = rows.shared_number(argument, name)?;
                let fits = number >= least && number.fract() == 0.0 && number <= f64::from(u32::MAX);
                fits.then_some(number as u32)
                    .ok_or_else(|| Problem::user(format!("{name} is {number}; expected a whole number of at least {least}")))
            };
            let (k, seed) = (whole(2, "k", 2.0)?, whole(3, "seed", 0.0)?);
            // Rows are in the order of the ids, an id's events last.
            let mut ids: Vec<(&String, bool)> = rows.texts(0).iter().zip(rows.events(1).iter().copied()).collect();
            ids.reverse();
            ids.dedup_by(|later, first| later.0 == first.0);
            ids.reverse();
            if ids.len() < k as usize {
                return Err(Problem::user(format!("{} ids cannot fill {k} folds: ask for fewer folds", ids.len())));
            }
            let event: Vec<bool> = ids.iter().map(|(_, event)| *event).collect();
            let folds = stratified_folds(&event, k, u64::from(seed)).map_err(Problem::user)?;
            Ok(ids.iter().zip(folds).map(|((id, _), fold)| Fold { id: (*id).clone(), fold: u64::from(fold) + 1 }).collect::<Vec<_>>())
        })
}
