//! Table functions: a few constant arguments in, rows out.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Schema, SchemaRef};

use super::arguments::Kind;
use super::column::{Column, read};
use super::doc::{ArgumentDoc, Doc};
use super::error::Problem;
use super::options::{NoOptions, Options, json};
use super::output::SqlType;
use super::{Function, Implementation};

/// A table function: arguments of one row in, a batch of rows out.
pub struct TableFunction {
    pub doc: Arc<Doc>,
    /// The result's columns.
    pub schema: SchemaRef,
    /// Arguments that must be given; the rest may be left out from the end.
    pub required: usize,
    scan: Scan,
}

type Scan = Box<dyn Fn(&[ArrayRef]) -> Result<RecordBatch, Problem> + Send + Sync>;

impl fmt::Debug for TableFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableFunction").field("name", &self.doc.name).finish()
    }
}

impl TableFunction {
    /// All rows for these arguments (arrays of one row each).
    pub fn scan(&self, arguments: &[ArrayRef]) -> Result<RecordBatch, Problem> {
        (self.scan)(arguments).map_err(|problem| problem.at(&self.doc.name))
    }
}

/// Starts a table function.
pub fn table(name: &str, description: &'static str) -> Table<NoOptions> {
    Table { doc: Doc { name: name.into(), description, ..Doc::default() }, options: PhantomData }
}

/// A table function under construction.
pub struct Table<O> {
    doc: Doc,
    options: PhantomData<O>,
}

/// The constant arguments of a call.
pub struct Arguments(Vec<Column>);

impl Arguments {
    /// A text.
    pub fn text(&self, argument: usize) -> &str {
        match &self.0[argument] {
            Column::Texts(values) => &values[0],
            other => unreachable!("argument {argument} is not text but {other:?}"),
        }
    }
}

impl<O: Options> Table<O> {
    /// Adds an argument.
    pub fn arg(mut self, name: &'static str, kind: Kind, description: &'static str) -> Self {
        self.doc.arguments.push(ArgumentDoc { name, kind, description, optional: false });
        self
    }

    /// Takes options as a last argument.
    pub fn options<P: Options>(mut self) -> Table<P> {
        self.doc.options = P::docs();
        Table { doc: self.doc, options: PhantomData }
    }

    /// Statements that show the function at work on the example tables.
    pub fn example(mut self, sql: &'static str) -> Self {
        self.doc.example = sql;
        self
    }

    /// What the rows are; `T` is a record whose fields are the columns.
    pub fn rows<T: SqlType + 'static>(
        mut self,
        rows: impl Fn(&Arguments, &O) -> Result<Vec<T>, Problem> + Send + Sync + 'static,
    ) -> Function {
        let DataType::Struct(fields) = T::data_type() else { unreachable!("the rows of a table function are records") };
        self.doc.returns = format!("TABLE({})", T::sql().trim_start_matches("STRUCT(").trim_end_matches(')'));
        let doc = Arc::new(self.doc);
        let schema = Arc::new(Schema::new(fields));
        let columns = schema.clone();
        let documented = doc.clone();
        let scan = move |arrays: &[ArrayRef]| {
            let arguments = documented.arguments.len();
            let mut values = Vec::new();
            for (argument, array) in documented.arguments.iter().zip(arrays) {
                let (column, valid) = read(argument.kind, array).map_err(|problem| problem.at(argument.name))?;
                if valid != [true] {
                    return Err(Problem::user(format!("{} must not be NULL", argument.name)));
                }
                values.push(column);
            }
            let options = match arrays.get(arguments).map(|array| json(array, 0)).transpose()? {
                None | Some(serde_json::Value::Null) => O::default(),
                Some(value) => O::parse(&value)?,
            };
            let rows = rows(&Arguments(values), &options)?;
            let array = T::array(rows.into_iter().map(Some).collect())?;
            Ok(RecordBatch::try_new(columns.clone(), array.as_struct().columns().to_vec())?)
        };
        let required = doc.arguments.len();
        let function = TableFunction { doc: doc.clone(), schema, required, scan: Box::new(scan) };
        Function { doc, implementation: Implementation::Table(Arc::new(function)) }
    }
}
