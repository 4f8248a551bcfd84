//! Features `x`: a matrix with named columns, read from STRUCT, MAP, LIST or ARRAY.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use ndarray::{Array2, ArrayView1, Axis};

use super::error::Problem;

/// `n` rows of `p` named numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// The p names: a STRUCT's fields in their order, a MAP's keys in alphabetical order, `x1..xp` for a LIST.
    pub names: Arc<[String]>,
    /// n x p. NULL reads as NaN and makes its row invalid.
    pub values: Array2<f64>,
    /// Were the features given by name (STRUCT, MAP) or by position (LIST, ARRAY)?
    pub named: bool,
}

/// Magnitudes whose squares can be summed.
const SQUARES: RangeInclusive<f64> = 1e-150..=1e150;

/// One named column on its way into the matrix; the second is which rows hold a value.
type NamedColumn = (String, Vec<f64>, Vec<bool>);

impl Features {
    /// Reads a column of features. The second value says which rows are complete.
    pub fn read(array: &ArrayRef) -> Result<(Self, Vec<bool>), Problem> {
        let named = matches!(array.data_type(), DataType::Struct(_) | DataType::Map(..));
        let mut columns = Vec::new();
        let valid = (0..array.len()).map(|row| array.is_valid(row)).collect::<Vec<_>>();
        flatten("", array, &mut columns)?;
        let mut seen = HashMap::new();
        for (name, ..) in &columns {
            if seen.insert(name.as_str(), ()).is_some() {
                return Err(Problem::user(format!("feature '{name}' is given twice; rename one of them")));
            }
        }
        let mut complete = valid;
        let mut values = Array2::zeros((array.len(), columns.len()));
        let mut names = Vec::with_capacity(columns.len());
        for (column, (name, numbers, present)) in columns.into_iter().enumerate() {
            for (row, (number, present)) in numbers.into_iter().zip(present).enumerate() {
                values[(row, column)] = if present { number } else { f64::NAN };
                complete[row] &= present;
            }
            names.push(name);
        }
        Ok((Features { names: names.into(), values, named }, complete))
    }

    /// A warning that names the features that are the same in every row, if some but not all are.
    pub fn constant_warning(&self) -> Option<String> {
        let is_constant = |column: ArrayView1<f64>| column.iter().all(|value| *value == column[0]);
        let names: Vec<String> =
            self.names.iter().zip(self.values.columns()).filter(|(_, column)| is_constant(*column)).map(|(name, _)| name.clone()).collect();
        (!names.is_empty()).then(|| format!("the same in every row, so of no use: {}; leave it out", shorten(&names)))
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.values.nrows()
    }

    /// Are there no rows?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Refuses NaN, infinity, and numbers whose squares are none, by the feature's name: the kernels know columns by number only.
    pub fn check_numbers(&self) -> Result<(), Problem> {
        for (name, column) in self.names.iter().zip(self.values.columns()) {
            let rows = column.iter().filter(|value| !value.is_finite()).count();
            if rows > 0 {
                return Err(Problem::user(format!(
                    "feature '{name}' is NaN or infinite in {rows} of {} rows; remove or impute values that are not finite",
                    self.len()
                )));
            }
            let largest = column.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
            if largest > 0.0 && !SQUARES.contains(&largest) {
                return Err(Problem::user(format!(
                    "feature '{name}' reaches {largest:e}: sums of squares of such values are no numbers; rescale it"
                )));
            }
        }
        Ok(())
    }

    /// One row's numbers, in the order of `names`.
    pub fn row(&self, row: usize) -> ArrayView1<'_, f64> {
        self.values.row(row)
    }

    /// The rows at `indices`, in that order.
    pub fn select(&self, indices: &[usize]) -> Self {
        Features { names: self.names.clone(), values: self.values.select(Axis(0), indices), named: self.named }
    }

    /// Where each of `wanted` stands among the columns. A LIST has no names and must have the same length.
    pub fn positions(&self, wanted: &[String]) -> Result<Vec<usize>, Problem> {
        if !self.named {
            return if self.names.len() == wanted.len() {
                Ok((0..wanted.len()).collect())
            } else {
                Err(Problem::user(format!(
                    "the model takes {} features ({}), got a list of {}",
                    wanted.len(),
                    shorten(wanted),
                    self.names.len()
                )))
            };
        }
        let index: HashMap<&str, usize> = self.names.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect();
        let missing: Vec<String> = wanted.iter().filter(|name| !index.contains_key(name.as_str())).cloned().collect();
        if !missing.is_empty() {
            return Err(Problem::user(format!("feature {} is missing; the model was fitted on {}", shorten(&missing), shorten(wanted))));
        }
        Ok(wanted.iter().map(|name| index[name.as_str()]).collect())
    }
}

/// The first few names, for a message.
pub fn shorten(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text = names.iter().take(SHOWN).map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text += &format!(" and {} more", names.len() - SHOWN);
    }
    text
}

/// Turns one array into named columns of numbers. Nested values take their parent's name as a prefix.
fn flatten(name: &str, array: &ArrayRef, columns: &mut Vec<NamedColumn>) -> Result<(), Problem> {
    match array.data_type() {
        DataType::Struct(_) => flatten_struct(name, array.as_struct(), columns),
        DataType::Map(..) => flatten_map(name, array.as_map(), columns),
        DataType::FixedSizeList(item, _) => {
            let list = cast(array, &DataType::List(item.clone()))?;
            flatten_list(name, list.as_list(), columns)
        }
        DataType::LargeList(item) => {
            let list = cast(array, &DataType::List(item.clone()))?;
            flatten_list(name, list.as_list(), columns)
        }
        DataType::List(_) => flatten_list(name, array.as_list(), columns),
        _ if name.is_empty() => Err(Problem::user(format!(
            "expected a STRUCT, MAP, LIST or ARRAY of numbers, got {}; write {{'name': value}} or [value]",
            super::column::sql_name(array.data_type())
        ))),
        _ => {
            let numbers = super::column::numbers(array).map_err(|_| {
                Problem::user(format!("feature '{name}' is not a number but {}", super::column::no_number(array.data_type())))
            })?;
            let present = (0..array.len()).map(|row| numbers.is_valid(row)).collect();
            columns.push((name.to_string(), numbers.values().to_vec(), present));
            Ok(())
        }
    }
}

fn flatten_struct(prefix: &str, array: &StructArray, columns: &mut Vec<NamedColumn>) -> Result<(), Problem> {
    for (field, child) in array.fields().iter().zip(array.columns()) {
        let name = match prefix {
            "" => field.name().clone(),
            _ => format!("{prefix}.{}", field.name()),
        };
        let first = columns.len();
        flatten(&name, child, columns)?;
        for (_, _, present) in &mut columns[first..] {
            for (row, present) in present.iter_mut().enumerate() {
                *present &= array.is_valid(row);
            }
        }
    }
    Ok(())
}

fn flatten_map(prefix: &str, array: &MapArray, columns: &mut Vec<NamedColumn>) -> Result<(), Problem> {
    let keys = cast(array.keys(), &DataType::Utf8)?;
    let keys = keys.as_string::<i32>();
    let values = super::column::numbers(array.values()).map_err(|_| {
        Problem::user(format!("a MAP of features must hold numbers, not {}", super::column::no_number(array.values().data_type())))
    })?;
    let offsets = array.value_offsets();
    // Every row of a cohort has the same keys in the same order as a rule: remember where the last row found each.
    let mut index: HashMap<&str, usize> = HashMap::new();
    let mut found: Vec<(&str, Vec<f64>, Vec<bool>)> = Vec::new();
    let mut order: Vec<usize> = Vec::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            continue;
        }
        let (start, end) = (offsets[row] as usize, offsets[row + 1] as usize);
        for (position, entry) in (start..end).enumerate() {
            let key = keys.value(entry);
            let column = match order.get(position) {
                Some(&column) if found[column].0 == key => column,
                _ => {
                    let column = *index.entry(key).or_insert_with(|| {
                        found.push((key, vec![f64::NAN; array.len()], vec![false; array.len()]));
                        found.len() - 1
                    });
                    if order.len() == position {
                        order.push(column);
                    }
                    column
                }
            };
            found[column].1[row] = values.value(entry);
            found[column].2[row] = values.is_valid(entry);
        }
    }
    found.sort_by_key(|(key, ..)| *key);
    for (key, numbers, present) in found {
        let name = if prefix.is_empty() { key.to_string() } else { format!("{prefix}.{key}") };
        columns.push((name, numbers, present));
    }
    Ok(())
}

fn flatten_list(prefix: &str, array: &ListArray, columns: &mut Vec<NamedColumn>) -> Result<(), Problem> {
    let values = super::column::numbers(array.values()).map_err(|_| {
        Problem::user(format!("a LIST of features must hold numbers, not {}", super::column::no_number(array.values().data_type())))
    })?;
    let offsets = array.value_offsets();
    let width = (0..array.len()).find(|&row| array.is_valid(row)).map_or(0, |row| array.value_length(row) as usize);
    let mut lists = vec![(vec![f64::NAN; array.len()], vec![false; array.len()]); width];
    for row in 0..array.len() {
        if array.is_null(row) {
            continue;
        }
        let length = array.value_length(row) as usize;
        if length != width {
            return Err(Problem::user(format!("lists of features must have one length: found {width} and {length}")));
        }
        for (position, (numbers, present)) in lists.iter_mut().enumerate() {
            let entry = offsets[row] as usize + position;
            numbers[row] = values.value(entry);
            present[row] = values.is_valid(entry);
        }
    }
    for (position, (numbers, present)) in lists.into_iter().enumerate() {
        let name = if prefix.is_empty() { format!("x{}", position + 1) } else { format!("{prefix}_{}", position + 1) };
        columns.push((name, numbers, present));
    }
    Ok(())
}

/// A field of features as STRUCT, for tests.
#[cfg(test)]
pub fn structure(columns: Vec<(&str, Vec<Option<f64>>)>) -> ArrayRef {
    let fields = columns.iter().map(|(name, _)| Arc::new(arrow::datatypes::Field::new(*name, DataType::Float64, true))).collect::<Vec<_>>();
    let arrays = columns.into_iter().map(|(_, values)| Arc::new(arrow::array::Float64Array::from(values)) as ArrayRef).collect();
    Arc::new(StructArray::new(fields.into(), arrays, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Float64Builder, ListBuilder, MapBuilder, StringBuilder};
    use arrow::datatypes::Field;

    #[test]
    fn struct_fields_keep_their_order_and_null_makes_a_row_incomplete() {
        let array = structure(vec![("stage", vec![Some(3.0), None]), ("age", vec![Some(61.0), Some(70.0)])]);
        let (features, complete) = Features::read(&array).unwrap();
        assert_eq!(&*features.names, ["stage", "age"]);
        assert_eq!(complete, [true, false]);
        assert_eq!(features.row(0).to_vec(), [3.0, 61.0]);
    }

    #[test]
    fn map_keys_are_sorted_and_a_missing_key_is_null() {
        let mut builder = MapBuilder::new(None, StringBuilder::new(), Float64Builder::new());
        for keys in [&["b", "a"][..], &["a"], &["a", "b"]] {
            for key in keys {
                builder.keys().append_value(key);
                builder.values().append_value(if *key == "a" { 1.0 } else { 2.0 });
            }
            builder.append(true).unwrap();
        }
        let array: ArrayRef = Arc::new(builder.finish());
        let (features, complete) = Features::read(&array).unwrap();
        assert_eq!(&*features.names, ["a", "b"]);
        assert_eq!(complete, [true, false, true]);
        assert_eq!(features.row(2).to_vec(), [1.0, 2.0]);
    }

    #[test]
    fn lists_of_two_lengths_are_refused() {
        let mut builder = ListBuilder::new(Float64Builder::new());
        builder.append_value([Some(1.0), Some(2.0)]);
        builder.append_value([Some(1.0)]);
        let array: ArrayRef = Arc::new(builder.finish());
        let error = Features::read(&array).unwrap_err().to_string();
        assert!(error.contains("found 2 and 1"), "{error}");
    }

    #[test]
    fn nested_values_take_their_parents_name() {
        let mut builder = ListBuilder::new(Float64Builder::new());
        builder.append_value([Some(1.0), Some(2.0)]);
        let list: ArrayRef = Arc::new(builder.finish());
        let array: ArrayRef =
            Arc::new(StructArray::new(vec![Arc::new(Field::new("pre", list.data_type().clone(), true))].into(), vec![list], None));
        let (features, _) = Features::read(&array).unwrap();
        assert_eq!(&*features.names, ["pre_1", "pre_2"]);
    }

    #[test]
    fn predict_matches_by_name_and_lists_what_is_missing() {
        let (features, _) = Features::read(&structure(vec![("a", vec![Some(1.0)]), ("b", vec![Some(2.0)])])).unwrap();
        assert_eq!(features.positions(&["b".into(), "a".into()]).unwrap(), [1, 0]);
        let error = features.positions(&["b".into(), "c".into()]).unwrap_err().to_string();
        assert!(error.contains("'c' is missing"), "{error}");
    }
}
