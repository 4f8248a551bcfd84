//! The DataFusion scalar: arguments of a chunk in, a column out.

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::{cast, interleave, take};
use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature};

use super::batch::{Batch, Models};
use crate::shape::arguments::Kind;
use crate::shape::column::read;
use crate::shape::doc::Doc;
use crate::shape::error::Problem;

pub(super) type Kernel = Arc<dyn Fn(Batch) -> Result<ArrayRef, Problem> + Send + Sync>;

/// The DataFusion scalar.
#[derive(Clone)]
pub(super) struct Scalar {
    pub doc: Arc<Doc>,
    pub documentation: Documentation,
    pub signature: Signature,
    pub required: usize,
    pub result: FieldRef,
    pub kernel: Kernel,
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scalar").field("name", &self.doc.name).finish()
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.doc.name == other.doc.name
    }
}
impl Eq for Scalar {}
impl Hash for Scalar {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.doc.name.hash(state);
    }
}

impl Scalar {
    /// Rows whose MAPs of features have different keys are computed apart: what a row gives does not depend on its neighbours.
    fn call(&self, arrays: Vec<ArrayRef>, rows: usize) -> Result<ArrayRef, Problem> {
        let maps = self
            .doc
            .arguments
            .iter()
            .zip(&arrays)
            .filter(|(argument, array)| matches!(argument.kind, Kind::Features) && matches!(array.data_type(), DataType::Map(..)));
        let maps: Vec<&ArrayRef> = maps.map(|(_, array)| array).collect();
        let groups = if maps.is_empty() { Vec::new() } else { same_keys(&maps, rows)? };
        if groups.len() < 2 {
            return self.call_uniform(arrays, rows);
        }
        let mut results = Vec::with_capacity(groups.len());
        let mut places = vec![(0, 0); rows];
        for (group, members) in groups.iter().enumerate() {
            for (at, &row) in members.iter().enumerate() {
                places[row as usize] = (group, at);
            }
            let members = UInt32Array::from(members.clone());
            let part = arrays.iter().map(|array| Ok(take(array, &members, None)?)).collect::<Result<Vec<_>, Problem>>()?;
            results.push(self.call_uniform(part, members.len())?);
        }
        Ok(interleave(&results.iter().map(|result| result.as_ref()).collect::<Vec<_>>(), &places)?)
    }

    fn call_uniform(&self, mut arrays: Vec<ArrayRef>, rows: usize) -> Result<ArrayRef, Problem> {
        let options = self.split_options(&mut arrays);
        let mut columns = Vec::with_capacity(arrays.len());
        for (argument, array) in self.doc.arguments.iter().zip(&arrays) {
            columns.push(read(argument.kind, array).map_err(|problem| problem.at(argument.name))?);
        }
        (self.kernel)(Batch { doc: self.doc.clone(), rows, columns, options, models: Models::default() })
    }

    /// The last argument is the options when it stands behind all others, or where an optional argument could stand but is a STRUCT.
    fn split_options(&self, arrays: &mut Vec<ArrayRef>) -> Option<ArrayRef> {
        if self.doc.options.is_empty() || arrays.len() <= self.required {
            return None;
        }
        let last = arrays.last()?;
        let structure = matches!(last.data_type(), DataType::Struct(_) | DataType::Map(..));
        (arrays.len() > self.doc.arguments.len() || structure).then(|| arrays.pop()).flatten()
    }
}

impl ScalarUDFImpl for Scalar {
    fn name(&self) -> &str {
        &self.doc.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.result.data_type().clone())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(self.result.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        // Constants are computed once.
        let constant = !args.args.is_empty() && args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let arrays = args.args.iter().map(|arg| arg.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let result = self.call(arrays, rows).map_err(|problem| problem.at(&self.doc.name))?;
        Ok(if constant {
            ColumnarValue::Scalar(datafusion_common::ScalarValue::try_from_array(&result, 0)?)
        } else {
            ColumnarValue::Array(result)
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// The rows, parted by the keys of their MAPs (in any order of keys); groups in the order of their first row.
fn same_keys(maps: &[&ArrayRef], rows: usize) -> Result<Vec<Vec<u32>>, Problem> {
    let texts = maps.iter().map(|map| Ok(cast(map.as_map().keys(), &DataType::Utf8)?)).collect::<Result<Vec<_>, Problem>>()?;
    let keys_of = |row: usize, map: &ArrayRef, keys: &ArrayRef| -> Vec<String> {
        let offsets = map.as_map().value_offsets();
        let keys = keys.as_string::<i32>();
        let entries = if map.is_null(row) { 0..0 } else { offsets[row] as usize..offsets[row + 1] as usize };
        entries.map(|entry| keys.value(entry).to_string()).collect()
    };
    let mut groups: Vec<Vec<u32>> = Vec::new();
    let mut known: HashMap<Vec<Vec<String>>, usize> = HashMap::new();
    let mut last: Option<(Vec<Vec<String>>, usize)> = None;
    for row in 0..rows {
        let mut signature: Vec<Vec<String>> = maps.iter().zip(&texts).map(|(map, keys)| keys_of(row, map, keys)).collect();
        // Rows of a cohort come in one order of keys as a rule.
        let group = match &last {
            Some((before, group)) if *before == signature => *group,
            _ => {
                let as_written = signature.clone();
                signature.iter_mut().for_each(|keys| keys.sort_unstable());
                let group = *known.entry(signature).or_insert_with(|| {
                    groups.push(Vec::new());
                    groups.len() - 1
                });
                last = Some((as_written, group));
                group
            }
        };
        groups[group].push(row as u32);
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Implementation;
    use crate::shape::each::each;
    use arrow::array::{Float64Builder, MapBuilder, StringBuilder};

    #[test]
    fn rows_are_parted_by_their_keys_whatever_the_order() {
        let mut builder = MapBuilder::new(None, StringBuilder::new(), Float64Builder::new());
        for keys in [&["a", "b"][..], &["c"], &["b", "a"], &["c"], &["a"]] {
            for key in keys {
                builder.keys().append_value(key);
                builder.values().append_value(1.0);
            }
            builder.append(true).unwrap();
        }
        let map: ArrayRef = Arc::new(builder.finish());
        assert_eq!(same_keys(&[&map], 5).unwrap(), [vec![0, 2], vec![1, 3], vec![4]]);
    }

    #[test]
    fn a_row_does_not_depend_on_its_neighbours() {
        let mut builder = MapBuilder::new(None, StringBuilder::new(), Float64Builder::new());
        for (key, value) in [("a", 1.0), ("b", 2.0), ("a", 3.0)] {
            builder.keys().append_value(key);
            builder.values().append_value(value);
            builder.append(true).unwrap();
        }
        let map: ArrayRef = Arc::new(builder.finish());
        let sum = each("sum_of_features", "Sum of a row's features.").arg("x", Kind::Features, "features").returns(|row, _| {
            let (features, index) = row.features(0);
            Ok(features.row(index).sum())
        });
        let Implementation::Scalar(scalar) = &sum.implementation else { panic!("a scalar") };
        let field = Arc::new(arrow::datatypes::Field::new("x", map.data_type().clone(), true));
        let arguments = ScalarFunctionArgs {
            args: vec![ColumnarValue::Array(map)],
            arg_fields: vec![field],
            number_rows: 3,
            return_field: Arc::new(arrow::datatypes::Field::new("result", DataType::Float64, true)),
            config_options: Arc::new(Default::default()),
        };
        let ColumnarValue::Array(result) = scalar.invoke_with_args(arguments).unwrap() else { panic!("an array") };
        assert_eq!(result.as_primitive::<arrow::datatypes::Float64Type>().values().to_vec(), [1.0, 2.0, 3.0]);
    }
}
