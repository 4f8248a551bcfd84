//! The rows of one group, as an aggregate's kernel sees them: complete, coerced and in canonical order.

use std::sync::Arc;

use arrow::array::ArrayRef;

use super::column::{Column, read};
use super::doc::ArgumentDoc;
use super::error::Problem;
use super::features::Features;
use super::model::Summary;
use super::variables::Variables;

/// All complete rows of one group.
///
/// Rows are sorted by their values, argument by argument, so that neither threads nor chunks nor the table's order can
/// change a result; rows that are equal in every argument are interchangeable.
#[derive(Debug)]
pub struct Rows {
    names: Vec<&'static str>,
    columns: Vec<Column>,
    len: usize,
    dropped: usize,
}

impl Rows {
    /// Coerces the arguments, drops rows with a NULL and sorts what is left.
    pub fn new(arguments: &[ArgumentDoc], arrays: &[ArrayRef]) -> Result<Self, Problem> {
        let seen = arrays.first().map_or(0, |array| array.len());
        let mut complete = vec![true; seen];
        let mut columns = Vec::with_capacity(arrays.len());
        for (argument, array) in arguments.iter().zip(arrays) {
            let (column, valid) = read(argument.kind, array).map_err(|problem| problem.at(argument.name))?;
            for (complete, valid) in complete.iter_mut().zip(valid) {
                *complete &= valid;
            }
            columns.push(column);
        }
        let mut order: Vec<usize> = (0..seen).filter(|&row| complete[row]).collect();
        order.sort_by(|&a, &b| columns.iter().map(|column| column.compare(a, b)).find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal));
        let columns: Vec<Column> = columns.iter().map(|column| column.select(&order)).collect();
        for (argument, column) in arguments.iter().zip(&columns) {
            if let Column::Features(features) = column {
                features.check_numbers().map_err(|problem| problem.at(argument.name))?;
            }
        }
        let names = arguments.iter().map(|argument| argument.name).collect();
        Ok(Rows { names, columns, len: order.len(), dropped: seen - order.len() })
    }

    /// All values in canonical order: what is no number as bytes to `exact`, numbers to `numbers`.
    pub(super) fn parts(&self, exact: &mut dyn FnMut(&[u8]), numbers: &mut dyn FnMut(Vec<f64>)) {
        exact(&(self.len as u64).to_le_bytes());
        for (name, column) in self.names.iter().zip(&self.columns) {
            exact(name.as_bytes());
            column.parts(exact, numbers);
        }
    }

    /// Where the values of an option of rows stand, if it is given: read them as an argument's.
    pub fn given(&self, option: &str) -> Option<usize> {
        self.names.iter().rposition(|name| *name == option)
    }

    /// Complete rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Is no row complete?
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Rows left out because an argument was NULL.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// Is this optional argument there?
    pub fn has(&self, argument: usize) -> bool {
        argument < self.columns.len()
    }

    /// The numbers of an argument of kind `Number`.
    pub fn numbers(&self, argument: usize) -> &[f64] {
        match &self.columns[argument] {
            Column::Numbers(values) => values,
            other => unreachable!("argument {argument} is not a number but {other:?}"),
        }
    }

    /// The events of an argument of kind `Event`.
    pub fn events(&self, argument: usize) -> &[bool] {
        match &self.columns[argument] {
            Column::Events(values) => values,
            other => unreachable!("argument {argument} is not an event but {other:?}"),
        }
    }

    /// The matrix of an argument of kind `Features`.
    pub fn features(&self, argument: usize) -> &Features {
        match &self.columns[argument] {
            Column::Features(values) => values,
            other => unreachable!("argument {argument} is not features but {other:?}"),
        }
    }

    /// The columns of an argument of kind `Variables`.
    pub fn variables(&self, argument: usize) -> &Variables {
        match &self.columns[argument] {
            Column::Variables(values) => values,
            other => unreachable!("argument {argument} is not variables but {other:?}"),
        }
    }

    /// The texts of an argument of kind `Text`, `Label`, `Image` or `Mask`.
    pub fn texts(&self, argument: usize) -> &[String] {
        match &self.columns[argument] {
            Column::Texts(values) => values,
            other => unreachable!("argument {argument} is not text but {other:?}"),
        }
    }

    /// The lists of an argument of kind `Numbers`.
    pub fn lists(&self, argument: usize) -> &[Vec<f64>] {
        match &self.columns[argument] {
            Column::Lists(values) => values,
            other => unreachable!("argument {argument} is not lists but {other:?}"),
        }
    }

    /// The lists of an argument of kind `Names`.
    pub fn name_lists(&self, argument: usize) -> &[Vec<String>] {
        match &self.columns[argument] {
            Column::NameLists(values) => values,
            other => unreachable!("argument {argument} is not lists of names but {other:?}"),
        }
    }

    /// The bytes of an argument of kind `Model`, one per row.
    pub fn model(&self, argument: usize, row: usize) -> &[u8] {
        match &self.columns[argument] {
            Column::Blobs(values) => values.value(row),
            other => unreachable!("argument {argument} is not a model but {other:?}"),
        }
    }

    /// The value that all rows of a per-group constant share (an argument such as evaluation times).
    pub fn shared_list(&self, argument: usize, name: &str) -> Result<&[f64], Problem> {
        let lists = self.lists(argument);
        match lists.split_first() {
            Some((first, rest)) if rest.iter().all(|list| list == first) => Ok(first),
            Some(_) => Err(Problem::user(format!("{name} must be the same list in every row of a group"))),
            None => Ok(&[]),
        }
    }

    /// The number that all rows of a per-group constant share (an argument such as a time).
    pub fn shared_number(&self, argument: usize, name: &str) -> Result<f64, Problem> {
        let numbers = self.numbers(argument);
        match numbers.split_first() {
            Some((first, rest)) if rest.iter().all(|number| number == first) => Ok(*first),
            _ => Err(Problem::user(format!("{name} must be one number for all rows of a group"))),
        }
    }

    /// What a fit reports of its rows; `events` is the argument that holds them, if there is one.
    pub fn summary(&self, events: Option<usize>) -> Summary {
        Summary {
            n_used: self.len as u64,
            n_dropped: self.dropped as u64,
            n_events: events.map(|argument| self.events(argument).iter().filter(|&&event| event).count() as u64),
            ..Summary::default()
        }
    }

    /// Names of the features of an argument.
    pub fn names(&self, argument: usize) -> Arc<[String]> {
        self.features(argument).names.clone()
    }
}
