//! Rows that are computed together, such as the images of one forward pass.
//!
//! Rows are prepared in parallel, as many groups of them at a time as there are threads: no more inputs than those are in memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Row;
use super::batch::Batch;
use crate::shape::environment::Environment;
use crate::shape::error::Problem;
use crate::shape::options::Options;
use crate::shape::parallel::Slots;
use crate::shape::{interrupt, progress};

/// The parts of a function that [`returns_together`](super::Each::returns_together).
pub(super) struct Stages<M, P, C> {
    pub most: M,
    pub prepare: P,
    pub compute: C,
}

impl Batch {
    pub(super) fn together<O: Options, P: Send, T: Send>(
        &self,
        stages: &Stages<
            impl Fn(&Row) -> Result<usize, Problem> + Sync,
            impl Fn(&Row, &O) -> Result<P, Problem> + Sync,
            impl Fn(&Row, &O, Vec<P>) -> Result<Vec<T>, Problem> + Sync,
        >,
    ) -> Result<Vec<Option<T>>, Problem> {
        let options = self.parse_options::<O>()?;
        let of = |index: usize| &options[if options.len() == 1 { 0 } else { index }];
        let groups = self.groups(options.len() == 1, &stages.most);
        let environment = Environment::current();
        progress::begin(groups.iter().map(Vec::len).sum());
        let mut results: Vec<Option<T>> = (0..self.rows).map(|_| None).collect();
        // Rows behind a failure are not begun, those before it are: what is told is the first failure in row order.
        let mut failure: Option<(usize, Problem)> = None;
        let first = AtomicUsize::new(usize::MAX);
        let mut note = |index: usize, problem: Problem| {
            if let Err(problem) = self.failed(index, problem, of(index).1) {
                first.fetch_min(index, Ordering::Relaxed);
                if failure.as_ref().is_none_or(|(known, _)| index < *known) {
                    failure = Some((index, problem));
                }
            }
        };
        for wave in groups.chunks(environment.threads.max(1)) {
            interrupt::go_on()?;
            let due = |index: usize| index < first.load(Ordering::Relaxed);
            let prepare = |&index: &usize| due(index).then(|| (stages.prepare)(&Row { batch: self, index }, &of(index).0));
            let rows: Vec<usize> = wave.concat();
            let prepared = environment.map(rows.len(), |i| prepare(&rows[i]))?;
            let mut ready: HashMap<usize, P> = HashMap::new();
            for (&index, prepared) in rows.iter().zip(prepared) {
                match prepared {
                    Some(Ok(input)) => drop(ready.insert(index, input)),
                    Some(Err(problem)) => note(index, problem),
                    None => {}
                }
            }
            let due = |index: usize| index < first.load(Ordering::Relaxed);
            let mut inputs = |&index: &usize| ready.remove(&index).filter(|_| due(index)).map(|input| (index, input));
            let (members, inputs): (Vec<Vec<usize>>, Vec<Vec<P>>) =
                wave.iter().map(|group| group.iter().filter_map(&mut inputs).unzip()).unzip();
            let inputs = Slots::full(inputs);
            let compute = |group: usize| match (members[group].first(), inputs.take(group)) {
                (Some(&index), Some(inputs)) => (stages.compute)(&Row { batch: self, index }, &of(index).0, inputs),
                _ => Ok(Vec::new()),
            };
            let computed = environment.map(members.len(), compute)?;
            for (members, values) in members.into_iter().zip(computed) {
                match values {
                    Ok(values) if values.len() == members.len() => {
                        members.into_iter().zip(values).for_each(|(index, value)| results[index] = Some(value));
                    }
                    Ok(values) => note(members[0], Problem::bug(format!("{} results for {} rows", values.len(), members.len()))),
                    // Computed together, they fail together.
                    Err(problem) => members.into_iter().for_each(|index| note(index, problem.clone())),
                }
            }
            rows.iter().for_each(|_| progress::step());
        }
        match failure {
            Some((_, problem)) => Err(problem),
            None => Ok(results),
        }
    }

    /// The complete rows in groups of one model; each row alone where options differ.
    fn groups(&self, one_for_all: bool, most: impl Fn(&Row) -> Result<usize, Problem>) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        // By model: the group that is open, and how many rows it takes.
        let mut open: HashMap<(usize, usize), (usize, usize)> = HashMap::new();
        for index in (0..self.rows).filter(|&index| self.is_complete(index)) {
            let row = Row { batch: self, index };
            let bytes = row.blob(0);
            let key = (bytes.as_ptr() as usize, bytes.len());
            match open.get(&key) {
                Some(&(group, room)) if one_for_all && groups[group].len() < room => groups[group].push(index),
                known => {
                    // A model that cannot be read is told by the row that needs it.
                    let room = known.map_or_else(|| most(&row).unwrap_or(1), |&(_, room)| room);
                    open.insert(key, (groups.len(), room));
                    groups.push(vec![index]);
                }
            }
        }
        groups
    }
}
