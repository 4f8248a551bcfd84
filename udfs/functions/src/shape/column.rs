//! Arguments as plain Rust values: the one place where SQL types become numbers, events, texts and features.

use arrow::array::{Array, ArrayRef, AsArray, BinaryViewArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};

use super::arguments::Kind;
use super::error::Problem;
use super::features::Features;
use super::reference::resolve;
use super::variables::{Variable, Variables};

/// One argument's values, row by row. Rows with NULL hold a filler.
#[derive(Debug, Clone)]
pub enum Column {
    Numbers(Vec<f64>),
    Events(Vec<bool>),
    Features(Features),
    Variables(Variables),
    Lists(Vec<Vec<f64>>),
    NameLists(Vec<Vec<String>>),
    Texts(Vec<String>),
    Blobs(BinaryViewArray),
}

/// Reads an argument. The second value says which rows hold one (a NULL inside counts as NULL).
pub fn read(kind: Kind, array: &ArrayRef) -> Result<(Column, Vec<bool>), Problem> {
    let wrong = || Problem::user(format!("expected {}, got {}", kind.expected(), sql_name(array.data_type())));
    let rows = array.len();
    let mut valid: Vec<bool> = (0..rows).map(|row| array.is_valid(row)).collect();
    if *array.data_type() == DataType::Null {
        return Ok((empty(kind, rows), vec![false; rows]));
    }
    let column = match kind {
        Kind::Number => {
            let numbers = numbers(array)?;
            Column::Numbers(numbers.values().to_vec())
        }
        Kind::Event => {
            let numbers = if *array.data_type() == DataType::Boolean {
                cast(array, &DataType::Float64)?.as_primitive::<Float64Type>().clone()
            } else {
                numbers(array).map_err(|_| wrong())?
            };
            let mut events = vec![false; rows];
            for row in 0..rows {
                events[row] = match numbers.value(row) {
                    _ if !valid[row] => false,
                    0.0 => false,
                    1.0 => true,
                    other => {
                        return Err(Problem::user(format!(
                            "an event is TRUE, FALSE, 1 or 0, got {other}; write for example status = {other}"
                        )));
                    }
                };
            }
            Column::Events(events)
        }
        Kind::Features => {
            let (features, complete) = Features::read(array)?;
            valid = complete;
            Column::Features(features)
        }
        Kind::Variables => Column::Variables(Variables::read(array)?),
        Kind::Numbers => {
            let list = as_list(array).ok_or_else(wrong)?;
            let list = list.as_list::<i32>();
            let values =
                numbers(list.values()).map_err(|_| Problem::user(format!("{}{}", wrong(), of_times(list.values().data_type()))))?;
            let mut lists = vec![Vec::new(); rows];
            for row in (0..rows).filter(|&row| array.is_valid(row)) {
                let (start, end) = (list.value_offsets()[row] as usize, list.value_offsets()[row + 1] as usize);
                valid[row] = (start..end).all(|entry| values.is_valid(entry));
                lists[row] = values.values()[start..end].to_vec();
            }
            Column::Lists(lists)
        }
        Kind::Names => {
            let list = as_list(array).ok_or_else(wrong)?;
            let list = list.as_list::<i32>();
            let values = texts(list.values()).ok_or_else(wrong)?;
            let mut lists = vec![Vec::new(); rows];
            for row in (0..rows).filter(|&row| array.is_valid(row)) {
                let (start, end) = (list.value_offsets()[row] as usize, list.value_offsets()[row + 1] as usize);
                valid[row] = (start..end).all(|entry| list.values().is_valid(entry));
                lists[row] = values[start..end].to_vec();
            }
            Column::NameLists(lists)
        }
        Kind::Text | Kind::Image | Kind::Mask => {
            if !matches!(array.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..)) {
                return Err(wrong());
            }
            Column::Texts(texts(array).ok_or_else(wrong)?)
        }
        Kind::Label => {
            if array.data_type().is_nested() || matches!(array.data_type(), DataType::Binary | DataType::BinaryView) {
                return Err(wrong());
            }
            Column::Texts(texts(array).ok_or_else(wrong)?)
        }
        Kind::Model => {
            if !matches!(array.data_type(), DataType::Binary | DataType::LargeBinary | DataType::BinaryView) {
                return Err(wrong());
            }
            Column::Blobs(resolve(cast(array, &DataType::BinaryView)?.as_binary_view().clone())?)
        }
    };
    Ok((column, valid))
}

impl Column {
    /// The rows at `indices`, in that order.
    pub fn select(&self, indices: &[usize]) -> Self {
        match self {
            Column::Numbers(values) => Column::Numbers(indices.iter().map(|&i| values[i]).collect()),
            Column::Events(values) => Column::Events(indices.iter().map(|&i| values[i]).collect()),
            Column::Features(features) => Column::Features(features.select(indices)),
            Column::Variables(variables) => Column::Variables(variables.select(indices)),
            Column::Lists(values) => Column::Lists(indices.iter().map(|&i| values[i].clone()).collect()),
            Column::NameLists(values) => Column::NameLists(indices.iter().map(|&i| values[i].clone()).collect()),
            Column::Texts(values) => Column::Texts(indices.iter().map(|&i| values[i].clone()).collect()),
            Column::Blobs(values) => Column::Blobs(indices.iter().map(|&i| Some(values.value(i))).collect()),
        }
    }

    /// All values, apart: texts, events and shapes as bytes to `exact`, numbers to `numbers`, a column of a matrix at a time.
    pub(super) fn parts(&self, exact: &mut dyn FnMut(&[u8]), numbers: &mut dyn FnMut(Vec<f64>)) {
        fn length(count: usize, exact: &mut dyn FnMut(&[u8])) {
            exact(&(count as u64).to_le_bytes());
        }
        fn texts(values: &[String], exact: &mut dyn FnMut(&[u8])) {
            length(values.len(), exact);
            for text in values {
                length(text.len(), exact);
                exact(text.as_bytes());
            }
        }
        match self {
            Column::Numbers(values) => numbers(values.clone()),
            Column::Events(values) => values.iter().for_each(|&event| exact(&[u8::from(event)])),
            Column::Features(features) => {
                texts(&features.names, exact);
                features.values.columns().into_iter().for_each(|column| numbers(column.to_vec()));
            }
            Column::Variables(variables) => {
                for (name, variable) in &variables.columns {
                    texts(std::slice::from_ref(name), exact);
                    match variable {
                        Variable::Numbers(values) => numbers(values.iter().map(|value| value.unwrap_or(f64::NAN)).collect()),
                        // The text tells missing values apart and quotes labels.
                        other => exact(format!("{other:?}").as_bytes()),
                    }
                }
            }
            Column::Lists(values) => {
                values.iter().for_each(|list| length(list.len(), exact));
                numbers(values.concat());
            }
            Column::NameLists(values) => values.iter().for_each(|names| texts(names, exact)),
            Column::Texts(values) => texts(values, exact),
            Column::Blobs(values) => values.iter().flatten().for_each(|bytes| {
                length(bytes.len(), exact);
                exact(bytes);
            }),
        }
    }

    /// A total order of two rows, the same on every machine.
    pub fn compare(&self, a: usize, b: usize) -> std::cmp::Ordering {
        fn numbers<'a>(a: impl IntoIterator<Item = &'a f64>, b: impl IntoIterator<Item = &'a f64>) -> std::cmp::Ordering {
            let (mut a, mut b) = (a.into_iter(), b.into_iter());
            loop {
                match (a.next(), b.next()) {
                    (None, None) => return std::cmp::Ordering::Equal,
                    (None, _) => return std::cmp::Ordering::Less,
                    (_, None) => return std::cmp::Ordering::Greater,
                    (Some(a), Some(b)) => match a.total_cmp(b) {
                        std::cmp::Ordering::Equal => {}
                        decided => return decided,
                    },
                }
            }
        }
        match self {
            Column::Numbers(values) => values[a].total_cmp(&values[b]),
            Column::Events(values) => values[a].cmp(&values[b]),
            Column::Features(features) => numbers(features.row(a), features.row(b)),
            Column::Variables(variables) => variables.compare(a, b),
            Column::Lists(values) => numbers(&values[a], &values[b]),
            Column::NameLists(values) => values[a].cmp(&values[b]),
            Column::Texts(values) => values[a].cmp(&values[b]),
            Column::Blobs(values) => values.value(a).cmp(values.value(b)),
        }
    }
}

fn empty(kind: Kind, rows: usize) -> Column {
    match kind {
        Kind::Number => Column::Numbers(vec![f64::NAN; rows]),
        Kind::Event => Column::Events(vec![false; rows]),
        Kind::Features => Column::Features(Features { names: Vec::new().into(), values: ndarray::Array2::zeros((rows, 0)), named: true }),
        Kind::Variables => Column::Variables(Variables::default()),
        Kind::Numbers => Column::Lists(vec![Vec::new(); rows]),
        Kind::Names => Column::NameLists(vec![Vec::new(); rows]),
        Kind::Text | Kind::Label | Kind::Image | Kind::Mask => Column::Texts(vec![String::new(); rows]),
        Kind::Model => Column::Blobs(vec![Option::<&[u8]>::None; rows].into_iter().collect()),
    }
}

/// Any numeric array as DOUBLE; booleans and texts are refused, so that a wrong column is not silently a number.
pub fn numbers(array: &ArrayRef) -> Result<Float64Array, Problem> {
    let data_type = array.data_type();
    if *data_type != DataType::Null && *data_type != DataType::Boolean && !data_type.is_numeric() {
        return Err(Problem::user(format!("expected a number, got {}", no_number(data_type))));
    }
    if let Some(numbers) = array.as_primitive_opt::<Float64Type>() {
        return Ok(numbers.clone());
    }
    Ok(cast(array, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}

/// The name of a type that is no number, with what to write where it holds times.
pub fn no_number(data_type: &DataType) -> String {
    format!("{}{}", sql_name(data_type), of_times(data_type))
}

/// How dates and intervals become numbers; empty for other types.
fn of_times(data_type: &DataType) -> &'static str {
    let is_time =
        matches!(data_type, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) | DataType::Interval(_) | DataType::Duration(_));
    if is_time { "; for a number of days write date_diff('day', start, end)" } else { "" }
}

/// Each value's text; -0.0 has that of 0.0, which it equals.
pub fn texts(array: &ArrayRef) -> Option<Vec<String>> {
    let is_floating = array.data_type().is_floating();
    let array = cast(array, &DataType::Utf8).ok()?;
    let text = |text: &str| if is_floating && text == "-0.0" { "0.0".into() } else { text.to_string() };
    Some(array.as_string::<i32>().iter().map(|value| text(value.unwrap_or_default())).collect())
}

fn as_list(array: &ArrayRef) -> Option<ArrayRef> {
    match array.data_type() {
        DataType::List(_) => Some(array.clone()),
        DataType::LargeList(item) | DataType::FixedSizeList(item, _) => cast(array, &DataType::List(item.clone())).ok(),
        _ => None,
    }
}

/// A type as SQL writes it, for messages and documentation.
pub fn sql_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "NULL".into(),
        DataType::Boolean => "BOOLEAN".into(),
        DataType::Int8 => "TINYINT".into(),
        DataType::Int16 => "SMALLINT".into(),
        DataType::Int32 => "INTEGER".into(),
        DataType::Int64 => "BIGINT".into(),
        DataType::UInt8 => "UTINYINT".into(),
        DataType::UInt16 => "USMALLINT".into(),
        DataType::UInt32 => "UINTEGER".into(),
        DataType::UInt64 => "UBIGINT".into(),
        DataType::Float32 => "FLOAT".into(),
        DataType::Float64 => "DOUBLE".into(),
        DataType::Decimal128(precision, scale) => format!("DECIMAL({precision},{scale})"),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "VARCHAR".into(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "BLOB".into(),
        DataType::Date32 | DataType::Date64 => "DATE".into(),
        DataType::Timestamp(..) => "TIMESTAMP".into(),
        DataType::Interval(_) | DataType::Duration(_) => "INTERVAL".into(),
        DataType::List(item) | DataType::LargeList(item) => format!("{}[]", sql_name(item.data_type())),
        DataType::FixedSizeList(item, size) => format!("{}[{size}]", sql_name(item.data_type())),
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields.iter().map(|f| format!("{} {}", f.name(), sql_name(f.data_type()))).collect();
            format!("STRUCT({})", fields.join(", "))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                format!("MAP({}, {})", sql_name(fields[0].data_type()), sql_name(fields[1].data_type()))
            }
            _ => "MAP".into(),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Date32Array, Float32Array, IntervalMonthDayNanoArray, StringArray};
    use std::sync::Arc;

    #[test]
    fn zero_is_one_label_whatever_its_sign() {
        let labels = |array: ArrayRef| match read(Kind::Label, &array).unwrap() {
            (Column::Texts(texts), _) => texts,
            (other, _) => panic!("{other:?}"),
        };
        assert_eq!(labels(Arc::new(Float64Array::from(vec![-0.0, 0.0, -0.5]))), ["0.0", "0.0", "-0.5"]);
        assert_eq!(labels(Arc::new(Float32Array::from(vec![0.0, -0.0]))), ["0.0", "0.0"]);
        assert_eq!(labels(Arc::new(StringArray::from(vec!["-0.0"]))), ["-0.0"]);
    }

    #[test]
    fn times_given_for_numbers_say_how_to_get_days() {
        let message = |kind: Kind, array: ArrayRef| read(kind, &array).unwrap_err().to_string();
        let dates: ArrayRef = Arc::new(Date32Array::from(vec![1]));
        let interval: ArrayRef = Arc::new(IntervalMonthDayNanoArray::new_null(1));
        let advice = "; for a number of days write date_diff('day', start, end)";
        assert_eq!(message(Kind::Number, dates.clone()), format!("expected a number, got DATE{advice}"));
        assert_eq!(message(Kind::Number, interval), format!("expected a number, got INTERVAL{advice}"));
        assert_eq!(message(Kind::Number, Arc::new(StringArray::from(vec!["1"]))), "expected a number, got VARCHAR");
        let list: ArrayRef = Arc::new(datafusion_common::utils::SingleRowListArrayBuilder::new(dates).build_list_array());
        assert_eq!(message(Kind::Numbers, list), format!("expected a LIST or ARRAY of numbers, got DATE[]{advice}"));
    }
}
