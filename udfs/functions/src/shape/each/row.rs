//! What a function sees of a row.

use std::sync::Arc;

use super::batch::Batch;
use crate::shape::column::Column;
use crate::shape::error::Problem;
use crate::shape::features::Features;
use crate::shape::model::{Fit, Model, Trained};

/// One row of the arguments, complete.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    pub(super) batch: &'a Batch,
    pub(super) index: usize,
}

impl<'a> Row<'a> {
    /// Is this optional argument there?
    pub fn has(&self, argument: usize) -> bool {
        argument < self.batch.columns.len()
    }

    /// A number.
    pub fn number(&self, argument: usize) -> f64 {
        match self.column(argument) {
            Column::Numbers(values) => values[self.index],
            other => unreachable!("argument {argument} is not a number but {other:?}"),
        }
    }

    /// A text, label, image or mask.
    pub fn text(&self, argument: usize) -> &'a str {
        match self.column(argument) {
            Column::Texts(values) => &values[self.index],
            other => unreachable!("argument {argument} is not text but {other:?}"),
        }
    }

    /// A list of numbers.
    pub fn list(&self, argument: usize) -> &'a [f64] {
        match self.column(argument) {
            Column::Lists(values) => &values[self.index],
            other => unreachable!("argument {argument} is not a list but {other:?}"),
        }
    }

    /// A list of names.
    pub fn names(&self, argument: usize) -> &'a [String] {
        match self.column(argument) {
            Column::NameLists(values) => &values[self.index],
            other => unreachable!("argument {argument} is not a list of names but {other:?}"),
        }
    }

    /// The matrix that this row's features are part of, and this row's place in it.
    pub fn features(&self, argument: usize) -> (&'a Features, usize) {
        match self.column(argument) {
            Column::Features(features) => (features, self.index),
            other => unreachable!("argument {argument} is not features but {other:?}"),
        }
    }

    /// The bytes of a model.
    pub fn blob(&self, argument: usize) -> &'a [u8] {
        match self.column(argument) {
            Column::Blobs(values) => values.value(self.index),
            other => unreachable!("argument {argument} is not a model but {other:?}"),
        }
    }

    /// A model of kind `T`.
    pub fn model<T: Fit>(&self, argument: usize) -> Result<Arc<Trained<T>>, Problem> {
        let bytes = self.blob(argument);
        let key = (bytes.as_ptr() as usize, bytes.len());
        let known = self.batch.models.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get(&key).cloned();
        if let Some(Ok(model)) = known.map(|model| model.downcast()) {
            return Ok(model);
        }
        let model = Model::decode::<T>(bytes).map_err(|problem| problem.at(self.batch.doc.arguments[argument].name))?;
        self.batch.models.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(key, model.clone());
        Ok(model)
    }

    /// The features of an argument in the order that `model` was fitted on.
    pub fn aligned<T>(&self, argument: usize, model: &Trained<T>) -> Result<Vec<f64>, Problem> {
        let (features, row) = self.features(argument);
        model.align(features, row).map_err(|problem| problem.at(self.batch.doc.arguments[argument].name))
    }

    fn column(&self, argument: usize) -> &'a Column {
        &self.batch.columns[argument].0
    }
}
