//! Query results as text: DuckDB's box, CSV, JSON, JSON lines and Markdown.

mod box_table;
mod csv;
mod json;
mod markdown;
mod number;
mod types;
mod value;

use std::io::{self, Write};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use duckdb::Statement;

use value::Blobs;

/// A query's result.
#[derive(Debug, Clone)]
pub struct Table {
    pub columns: Vec<Column>,
    pub batches: Vec<RecordBatch>,
}

#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    /// As DuckDB's box shows it: `double`, `varchar[]`, `model`.
    pub type_name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Box,
    Csv,
    Json,
    Jsonlines,
    Markdown,
}

/// How much of a table a box shows.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// More rows than these: the first and the last half are shown.
    pub rows: usize,
    /// Characters across; `None`: as wide as needed.
    pub width: Option<usize>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { rows: 40, width: None }
    }
}

impl Column {
    /// Is it set to the right?
    pub fn is_number(&self) -> bool {
        is_number(&self.type_name)
    }
}

impl Table {
    /// Runs a prepared statement to its end.
    pub fn fetch(statement: &mut Statement<'_>) -> duckdb::Result<Table> {
        let arrow = statement.query_arrow([])?;
        let schema = arrow.get_schema();
        let batches: Vec<RecordBatch> = arrow.collect();
        let columns = (schema.fields().iter().enumerate())
            .map(|(at, field)| Column { name: field.name().clone(), type_name: types::name(&statement.column_logical_type(at)) })
            .collect();
        Ok(Table { columns, batches })
    }

    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// The number in a result that only tells how many rows a statement changed.
    pub fn changed_rows(&self) -> Option<u64> {
        let [column] = self.columns.as_slice() else { return None };
        if column.name != "Count" || self.rows() != 1 {
            return None;
        }
        self.text(0, 0)?.parse().ok()
    }

    /// A cell as DuckDB casts it to VARCHAR, with BLOBs shortened for a reader; `None` is NULL.
    pub fn text(&self, row: usize, column: usize) -> Option<String> {
        let (batch, row) = self.locate(row)?;
        value::text(batch.column(column), row, Blobs::Short)
    }

    /// A cell as DuckDB casts it to VARCHAR; `None` is NULL.
    pub fn whole_text(&self, row: usize, column: usize) -> Option<String> {
        let (batch, row) = self.locate(row)?;
        value::text(batch.column(column), row, Blobs::Whole)
    }

    /// The bytes of a BLOB.
    pub fn bytes(&self, row: usize, column: usize) -> Option<&[u8]> {
        let (batch, row) = self.locate(row)?;
        let array = batch.column(column);
        let is_there = array.is_valid(row);
        match array.data_type() {
            DataType::Binary if is_there => Some(array.as_binary::<i32>().value(row)),
            DataType::LargeBinary if is_there => Some(array.as_binary::<i64>().value(row)),
            DataType::BinaryView if is_there => Some(array.as_binary_view().value(row)),
            _ => None,
        }
    }

    fn locate(&self, mut row: usize) -> Option<(&RecordBatch, usize)> {
        for batch in &self.batches {
            if row < batch.num_rows() {
                return Some((batch, row));
            }
            row -= batch.num_rows();
        }
        None
    }

    pub fn write(&self, format: Format, limits: Limits, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Box => out.write_all(box_table::draw(self, limits).as_bytes()),
            Format::Csv => csv::write(self, out),
            Format::Json => json::write(self, out),
            Format::Jsonlines => json::write_lines(self, out),
            Format::Markdown => markdown::write(self, out),
        }
    }
}

/// Is a column of this type set to the right?
fn is_number(type_name: &str) -> bool {
    let numbers = ["int", "float", "double", "decimal", "bignum"];
    !type_name.contains(['[', '(']) && numbers.iter().any(|number| type_name.contains(number)) && type_name != "interval"
        || type_name.starts_with("decimal(") && !type_name.ends_with(']')
}
