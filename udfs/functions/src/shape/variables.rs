//! Variables of a table: a STRUCT whose fields are numbers, truths or texts, each with missing values.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;

use super::column::{numbers, sql_name, texts};
use super::error::Problem;

/// Named columns of any kind.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    pub columns: Vec<(String, Variable)>,
}

/// One column; NULL is a missing value.
#[derive(Debug, Clone)]
pub enum Variable {
    Numbers(Vec<Option<f64>>),
    Truths(Vec<Option<bool>>),
    Labels(Vec<Option<String>>),
}

impl Variables {
    /// Reads a STRUCT; its fields that are neither numbers nor BOOLEAN are labels by their text.
    pub fn read(array: &ArrayRef) -> Result<Self, Problem> {
        let Some(structure) = array.as_struct_opt() else {
            let found = sql_name(array.data_type());
            return Err(Problem::user(format!("expected a STRUCT of variables, such as {{'age': age, 'sex': sex}}, got {found}")));
        };
        let columns = structure.fields().iter().zip(structure.columns());
        let columns = columns.map(|(field, column)| Ok((field.name().clone(), Variable::read(field.name(), column)?)));
        Ok(Variables { columns: columns.collect::<Result<_, Problem>>()? })
    }

    /// The rows at `indices`, in that order.
    pub fn select(&self, indices: &[usize]) -> Self {
        Variables { columns: self.columns.iter().map(|(name, column)| (name.clone(), column.select(indices))).collect() }
    }

    /// A total order of two rows.
    pub fn compare(&self, a: usize, b: usize) -> Ordering {
        let order = |(_, column): &(String, Variable)| match column {
            Variable::Numbers(values) => match (values[a], values[b]) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                (a, b) => a.is_some().cmp(&b.is_some()),
            },
            Variable::Truths(values) => values[a].cmp(&values[b]),
            Variable::Labels(values) => values[a].cmp(&values[b]),
        };
        self.columns.iter().map(order).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl Variable {
    fn read(name: &str, array: &ArrayRef) -> Result<Self, Problem> {
        let present = |row: usize| array.is_valid(row);
        Ok(match array.data_type() {
            DataType::Null => Variable::Labels(vec![None; array.len()]),
            DataType::Boolean => Variable::Truths(array.as_boolean().iter().collect()),
            kind if kind.is_numeric() => {
                let numbers = numbers(array)?;
                Variable::Numbers((0..array.len()).map(|row| present(row).then(|| numbers.value(row))).collect())
            }
            kind if kind.is_nested() => {
                return Err(Problem::user(format!("variable '{name}' is {}; expected numbers, BOOLEAN or VARCHAR", sql_name(kind))));
            }
            kind => {
                let labels =
                    texts(array).ok_or_else(|| Problem::user(format!("variable '{name}' is {}; cast it to VARCHAR", sql_name(kind))))?;
                Variable::Labels(labels.into_iter().enumerate().map(|(row, label)| present(row).then_some(label)).collect())
            }
        })
    }

    fn select(&self, indices: &[usize]) -> Self {
        match self {
            Variable::Numbers(values) => Variable::Numbers(indices.iter().map(|&i| values[i]).collect()),
            Variable::Truths(values) => Variable::Truths(indices.iter().map(|&i| values[i]).collect()),
            Variable::Labels(values) => Variable::Labels(indices.iter().map(|&i| values[i].clone()).collect()),
        }
    }
}
