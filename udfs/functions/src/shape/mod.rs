//! The shape that every SQL function shares, so that a function's own file holds nothing but the function.
//!
//! [`collect`] makes an aggregate that sees all rows of a group at once, [`each`] a scalar that sees one row at a time,
//! [`table`] a table function. All three read arguments, options, documentation, NULLs and errors the same way, on every
//! engine. The result is a DataFusion UDF beside its [`Doc`].

mod arguments;
mod collect;
mod column;
mod doc;
mod each;
mod environment;
mod error;
mod features;
mod files;
pub mod guard;
mod interrupt;
mod model;
mod on_error;
mod options;
mod output;
mod parallel;
mod progress;
mod reference;
mod rows;
mod table;
mod variables;

pub use arguments::Kind;
pub use collect::{Collect, collect};
pub use column::{Column, read, sql_name};
pub use doc::{ArgumentDoc, Doc, OptionDoc};
pub use each::{Row, each};
pub use environment::Environment;
pub use error::Problem;
pub use features::{Features, shorten};
pub use files::{Fetch, fetch_with, is_url, local};
pub use interrupt::interrupt;
pub(crate) use interrupt::is_interrupted;
pub use model::{Fit, Header, Model, Summary, Trained};
pub(crate) use on_error::OnError;
pub use on_error::{FailedCase, failed_cases, forget_failed_cases};
pub use options::{NoOptions, Options};
pub use output::{ALIAS_KEY, Image, Item, Map, SqlType, TextMap, column_field};
pub(crate) use parallel::Slots;
pub(crate) use progress::{begin as progress_begin, note as set_progress_note, step as progress_step};
pub use progress::{progress, progress_note};
pub use reference::{content_hash, reference, referenced};
pub use rows::Rows;
pub use table::{Arguments, TableFunction, table};
pub use variables::{Variable, Variables};

pub(crate) use options::options;
pub(crate) use output::{record, structs};

use datafusion_expr::{AggregateUDF, ScalarUDF};
use std::sync::Arc;

/// A SQL function: what an engine registers and what a reader reads.
#[derive(Clone)]
pub struct Function {
    pub doc: Arc<Doc>,
    pub implementation: Implementation,
}

/// What an engine registers.
#[derive(Clone)]
pub enum Implementation {
    Scalar(Arc<ScalarUDF>),
    Aggregate(Arc<AggregateUDF>),
    Table(Arc<TableFunction>),
}

impl Function {
    /// Does it fit a model to rows? The leak guard watches those that do.
    pub fn learns(&self) -> bool {
        matches!(self.implementation, Implementation::Aggregate(_)) && self.doc.is_model()
    }

    /// The function's name in SQL.
    pub fn name(&self) -> &str {
        &self.doc.name
    }

    /// `scalar`, `aggregate` or `table`.
    pub fn kind(&self) -> &'static str {
        match self.implementation {
            Implementation::Scalar(_) => "scalar",
            Implementation::Aggregate(_) => "aggregate",
            Implementation::Table(_) => "table",
        }
    }
}
