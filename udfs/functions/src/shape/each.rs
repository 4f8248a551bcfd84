//! Scalars that see one row at a time: predictions, image operations, radiomics.

mod together;

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::{cast, interleave, take};
use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use rayon::prelude::*;
use serde_json::Value;

use super::arguments::Kind;
use super::column::{Column, read};
use super::doc::{ArgumentDoc, Doc, OptionDoc};
use super::environment::{Environment, FailedCase, report_failed_case};
use super::error::Problem;
use super::features::Features;
use super::model::{Fit, Model, Trained};
use super::options::{NoOptions, Options, json};
use super::output::{SqlType, column_field};
use super::{Function, Implementation, progress};
use together::Stages;

/// Starts a scalar function.
pub fn each(name: &str, description: &'static str) -> Each<NoOptions> {
    Each { doc: Doc { name: name.into(), description, ..Doc::default() }, required: 0, traits: Traits::default(), options: PhantomData }
}

/// A scalar function under construction.
pub struct Each<O> {
    doc: Doc,
    required: usize,
    traits: Traits,
    options: PhantomData<O>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Traits {
    /// A row is worth a thread.
    heavy: bool,
    /// `'on_error': 'null'` is taken.
    recoverable: bool,
    /// The result depends on more than the arguments, or the call has an effect.
    volatile: bool,
}

impl<O: Options> Each<O> {
    /// Adds an argument.
    pub fn arg(mut self, name: &'static str, kind: Kind, description: &'static str) -> Self {
        self.doc.arguments.push(ArgumentDoc { name, kind, description, optional: false });
        self.required = self.doc.arguments.len();
        self
    }

    /// Adds an argument that may be left out; it stands behind the others.
    pub fn optional(mut self, name: &'static str, kind: Kind, description: &'static str) -> Self {
        self.doc.arguments.push(ArgumentDoc { name, kind, description, optional: true });
        self
    }

    /// Takes options as a last argument.
    pub fn options<P: Options>(mut self) -> Each<P> {
        self.doc.options = P::docs();
        Each { doc: self.doc, required: self.required, traits: self.traits, options: PhantomData }
    }

    /// Statements that show the function at work on the example tables.
    pub fn example(mut self, sql: &'static str) -> Self {
        self.doc.example = sql;
        self
    }

    /// Paper or package that the numbers agree with.
    pub fn source(mut self, source: &'static str) -> Self {
        self.doc.source = source;
        self
    }

    /// A row takes long enough to run the rows of a chunk in parallel.
    pub fn heavy(mut self) -> Self {
        self.traits.heavy = true;
        self
    }

    /// Takes `'on_error': 'null'`: a row that fails becomes NULL and a line of `esccsql_errors()`.
    pub fn recoverable(mut self) -> Self {
        self.traits.recoverable = true;
        self
    }

    /// The call has an effect, or its result depends on files: the engine must not fold or repeat it.
    pub fn volatile(mut self) -> Self {
        self.traits.volatile = true;
        self
    }

    /// What is computed from a row. A row with a NULL argument gives NULL.
    pub fn returns<T: SqlType + 'static>(self, kernel: impl Fn(&Row, &O) -> Result<T, Problem> + Send + Sync + 'static) -> Function {
        let traits = self.traits;
        self.finish::<T>(Arc::new(move |batch| T::array(batch.map::<O, T>(traits, &kernel)?)))
    }

    /// What is computed from several rows at once, `prepare`d one by one: those rows of a chunk that share the model of argument 0
    /// and the options, `most` at a time. A row's result must not depend on the others'.
    pub fn returns_together<P: Send, T: SqlType + 'static>(
        self,
        most: impl Fn(&Row) -> Result<usize, Problem> + Send + Sync + 'static,
        prepare: impl Fn(&Row, &O) -> Result<P, Problem> + Send + Sync + 'static,
        compute: impl Fn(&Row, &O, Vec<P>) -> Result<Vec<T>, Problem> + Send + Sync + 'static,
    ) -> Function {
        let traits = self.traits;
        let stages = Stages { most, prepare, compute };
        self.finish::<T>(Arc::new(move |batch| T::array(batch.together(traits, &stages)?)))
    }

    fn finish<T: SqlType + 'static>(mut self, kernel: Kernel) -> Function {
        self.doc.returns = T::sql();
        self.doc.heavy = self.traits.heavy && !self.traits.volatile;
        if self.traits.recoverable {
            self.doc.options.push(OptionDoc {
                name: "on_error",
                default: "'fail'".into(),
                description: "'null' gives NULL for a row that fails, and a line in esccsql_errors().".into(),
            });
        }
        let doc = Arc::new(self.doc);
        let most = doc.arguments.len() + usize::from(!doc.options.is_empty());
        let arities = (self.required..=most)
            .map(|arity| if arity == 0 { TypeSignature::Nullary } else { TypeSignature::Any(arity) })
            .collect::<Vec<_>>();
        let volatility = if self.traits.volatile { Volatility::Volatile } else { Volatility::Immutable };
        let scalar = Scalar {
            documentation: doc.documentation(),
            doc: doc.clone(),
            signature: Signature::new(TypeSignature::OneOf(arities), volatility),
            required: self.required,
            result: column_field::<T>("result"),
            kernel,
        };
        Function { doc, implementation: Implementation::Scalar(Arc::new(ScalarUDF::new_from_impl(scalar))) }
    }
}

type Kernel = Arc<dyn Fn(Batch) -> Result<ArrayRef, Problem> + Send + Sync>;

/// The rows of one call.
struct Batch {
    doc: Arc<Doc>,
    rows: usize,
    columns: Vec<(Column, Vec<bool>)>,
    options: Option<ArrayRef>,
    models: Models,
}

/// Models read in this call, by where their bytes lie: rows of a chunk share them.
#[derive(Default)]
struct Models(Mutex<HashMap<(usize, usize), Arc<dyn Any + Send + Sync>>>);

impl Batch {
    fn map<O: Options, T: SqlType>(
        &self,
        traits: Traits,
        kernel: &(impl Fn(&Row, &O) -> Result<T, Problem> + Send + Sync),
    ) -> Result<Vec<Option<T>>, Problem> {
        let options = self.parse_options::<O>(traits.recoverable)?;
        let one = |index: usize| -> Result<Option<T>, Problem> {
            if !self.columns.iter().all(|(_, valid)| valid[index]) {
                return Ok(None);
            }
            let (options, lenient) = &options[if options.len() == 1 { 0 } else { index }];
            match kernel(&Row { batch: self, index }, options) {
                Ok(value) => Ok(Some(value)),
                Err(problem) => self.failed(index, problem, *lenient).map(|()| None),
            }
        };
        if !traits.heavy || self.rows < 2 {
            return (0..self.rows).map(one).collect();
        }
        let environment = Environment::current();
        progress::begin(self.rows);
        // After a failure the rows behind it are not begun; those before it are, so that the failure that is told is the first
        // in row order, whatever the threads did.
        let first_failure = AtomicUsize::new(usize::MAX);
        let run = |index: usize| {
            let result = if index > first_failure.load(Ordering::Relaxed) { Ok(None) } else { environment.enter(|| one(index)) };
            if result.is_err() {
                first_failure.fetch_min(index, Ordering::Relaxed);
            }
            progress::step();
            result
        };
        let results: Vec<_> = environment.pool()?.install(|| (0..self.rows).into_par_iter().with_max_len(1).map(run).collect());
        results.into_iter().collect()
    }

    /// What a row's failure means: a note where the row may fail.
    fn failed(&self, index: usize, problem: Problem, lenient: bool) -> Result<(), Problem> {
        if !lenient {
            return Err(problem);
        }
        report_failed_case(FailedCase { function: self.doc.name.clone(), arguments: self.describe(index), message: problem.to_string() });
        Ok(())
    }

    /// One entry for all rows where they share their options, else one per row.
    fn parse_options<O: Options>(&self, recoverable: bool) -> Result<Vec<(O, bool)>, Problem> {
        let Some(array) = &self.options else { return Ok(vec![(O::default(), false)]) };
        if !matches!(array.data_type(), DataType::Struct(_) | DataType::Map(..) | DataType::Null) {
            return Err(Problem::user(format!(
                "options must be a STRUCT such as {{'seed': 1}}, got {}",
                super::column::sql_name(array.data_type())
            )));
        }
        let constant = array.len() < 2 || array.slice(0, array.len() - 1).to_data() == array.slice(1, array.len() - 1).to_data();
        let distinct = if constant { array.len().min(1) } else { array.len() };
        let mut parsed = (0..distinct)
            .map(|row| match json(array, row)? {
                Value::Null => Ok((O::default(), false)),
                mut value => {
                    let on_error = recoverable.then(|| value.as_object_mut().and_then(|fields| fields.remove("on_error"))).flatten();
                    let lenient = match on_error.as_ref().map(|value| value.as_str()) {
                        None | Some(Some("fail")) => false,
                        Some(Some("null")) => true,
                        _ => return Err(Problem::user("options: `on_error` is 'fail' or 'null'")),
                    };
                    let empty = value.as_object().is_some_and(|fields| fields.is_empty());
                    Ok((if empty { O::default() } else { O::parse(&value)? }, lenient))
                }
            })
            .collect::<Result<Vec<_>, Problem>>()?;
        if parsed.is_empty() {
            parsed.push((O::default(), false));
        }
        Ok(parsed)
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

/// One row of the arguments, complete.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    batch: &'a Batch,
    index: usize,
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

/// The DataFusion scalar.
#[derive(Clone)]
struct Scalar {
    doc: Arc<Doc>,
    documentation: Documentation,
    signature: Signature,
    required: usize,
    result: FieldRef,
    kernel: Kernel,
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
