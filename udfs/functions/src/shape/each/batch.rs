//! The rows of one call, each computed by itself.

use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use serde_json::Value;

use super::Row;
use crate::shape::column::{Column, sql_name};
use crate::shape::doc::Doc;
use crate::shape::environment::Environment;
use crate::shape::error::Problem;
use crate::shape::on_error::OnError;
use crate::shape::options::{self, Options, json, parse};
use crate::shape::output::SqlType;
use crate::shape::parallel::Slots;
use crate::shape::{interrupt, progress};

/// The rows of one call.
pub(super) struct Batch {
    pub doc: Arc<Doc>,
    pub rows: usize,
    pub columns: Vec<(Column, Vec<bool>)>,
    pub options: Option<ArrayRef>,
    pub models: Models,
}

/// Models read in this call, by where their bytes lie: rows of a chunk share them.
#[derive(Default)]
pub(super) struct Models(pub Mutex<HashMap<(usize, usize), Arc<dyn Any + Send + Sync>>>);

impl Batch {
    pub(super) fn map<O: Options, T: SqlType>(
        &self,
        heavy: bool,
        kernel: &(impl Fn(&Row, &O) -> Result<T, Problem> + Send + Sync),
    ) -> Result<Vec<Option<T>>, Problem> {
        let options = self.parse_options::<O>()?;
        let one = |index: usize| -> Result<Option<T>, Problem> {
            if !self.is_complete(index) {
                return Ok(None);
            }
            let (options, on_error) = &options[if options.len() == 1 { 0 } else { index }];
            match kernel(&Row { batch: self, index }, options) {
                Ok(value) => Ok(Some(value)),
                Err(problem) => self.failed(index, problem, *on_error).map(|()| None),
            }
        };
        if !heavy || self.rows < 2 {
            return (0..self.rows).map(one).collect();
        }
        let slots = Slots::empty(self.rows);
        self.in_parallel(&|index| one(index).map(|value| slots.put(index, value)))?;
        Ok(slots.into_values().into_iter().map(Option::flatten).collect())
    }

    /// Has the row no NULL?
    pub(super) fn is_complete(&self, index: usize) -> bool {
        self.columns.iter().all(|(_, valid)| valid[index])
    }

    /// `one` for each row, on all threads.
    fn in_parallel(&self, one: &(dyn Fn(usize) -> Result<(), Problem> + Sync)) -> Result<(), Problem> {
        let environment = Environment::current();
        progress::begin(self.rows);
        // After a failure the rows behind it are not begun; those before it are, so that the failure that is told is the first
        // in row order, whatever the threads did.
        let first_failure = AtomicUsize::new(usize::MAX);
        let run = |index: usize| {
            let due = index <= first_failure.load(Ordering::Relaxed);
            let result = if due { interrupt::go_on().and_then(|()| one(index)) } else { Ok(()) };
            if result.is_err() {
                first_failure.fetch_min(index, Ordering::Relaxed);
            }
            progress::step();
            result
        };
        environment.map(self.rows, run)?.into_iter().collect()
    }

    /// What a row's failure means: a note where the row may fail.
    pub(super) fn failed(&self, index: usize, problem: Problem, on_error: OnError) -> Result<(), Problem> {
        on_error.note(&self.doc.name, problem, &|| self.describe(index))
    }

    /// One entry for all rows where they share their options, else one per row.
    pub(super) fn parse_options<O: Options>(&self) -> Result<Vec<(O, OnError)>, Problem> {
        self.given_options()?.into_iter().map(|(given, on_error)| Ok((parse(given.as_ref())?, on_error))).collect()
    }

    fn given_options(&self) -> Result<Vec<(Option<Value>, OnError)>, Problem> {
        let Some(array) = &self.options else { return Ok(vec![(None, OnError::Fail)]) };
        if !matches!(array.data_type(), DataType::Struct(_) | DataType::Map(..) | DataType::Null) {
            return Err(Problem::user(format!("options must be a STRUCT such as {{'seed': 1}}, got {}", sql_name(array.data_type()))));
        }
        let constant = array.len() < 2 || array.slice(0, array.len() - 1).to_data() == array.slice(1, array.len() - 1).to_data();
        let distinct = if constant { array.len().min(1) } else { array.len() };
        if distinct == 0 {
            return Ok(vec![(None, OnError::Fail)]);
        }
        (0..distinct).map(|row| options::given(&self.doc, json(array, row)?)).collect()
    }

    /// The row's texts, for a message.
    fn describe(&self, index: usize) -> String {
        let texts = self.doc.arguments.iter().zip(&self.columns).filter_map(|(argument, (column, _))| match column {
            Column::Texts(texts) => Some(format!("{}: {}", argument.name, texts[index])),
            Column::Numbers(numbers) => Some(format!("{}: {}", argument.name, numbers[index])),
            _ => None,
        });
        texts.collect::<Vec<_>>().join(", ")
    }
}
