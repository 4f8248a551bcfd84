//! Aggregates that need all rows of a group at once: fits, curves, tests, metrics.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::compute::{concat, is_null, nullif};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::utils::SingleRowListArrayBuilder;
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, Signature, TypeSignature, Volatility};
use serde_json::Value;

use super::arguments::Kind;
use super::doc::{ArgumentDoc, Doc, OptionDoc};
use super::environment::Environment;
use super::error::Problem;
use super::on_error::OnError;
use super::options::{self, NoOptions, Options, known_keys, parse, shared};
use super::output::{SqlType, column_field};
use super::rows::Rows;
use super::{Function, Implementation, guard};

/// Starts an aggregate.
pub fn collect(name: &str, description: &'static str) -> Collect<NoOptions> {
    Collect { doc: Doc { name: name.into(), description, ..Doc::default() }, required: 0, options: PhantomData }
}

/// An aggregate under construction.
pub struct Collect<O> {
    doc: Doc,
    required: usize,
    options: PhantomData<O>,
}

impl<O: Options> Collect<O> {
    /// Adds an argument.
    pub fn arg(mut self, name: &'static str, kind: Kind, description: &'static str) -> Self {
        self.doc.arguments.push(ArgumentDoc { name, kind, description, optional: false });
        self.required = self.doc.arguments.len();
        self
    }

    /// Adds an argument that may be left out; it stands behind the others. [`Rows::has`] tells whether it is there.
    pub fn optional(mut self, name: &'static str, kind: Kind, description: &'static str) -> Self {
        self.doc.arguments.push(ArgumentDoc { name, kind, description, optional: true });
        self
    }

    /// Adds the two arguments of every survival function: `time` and `event`.
    pub fn outcome(self) -> Self {
        self.arg("time", Kind::Number, "follow-up, any unit").arg(
            "event",
            Kind::Event,
            "true or 1: the event happened at `time`; false or 0: censored",
        )
    }

    /// Takes options as a last argument.
    pub fn options<P: Options>(mut self) -> Collect<P> {
        self.doc.options = P::docs();
        Collect { doc: self.doc, required: self.required, options: PhantomData }
    }

    /// Adds a key of the options that holds a value per row, such as `{'weight': weight}`; the other keys are one for a group.
    /// It may be left out: ask [`Rows::given`].
    pub fn row_option(mut self, name: &'static str, kind: Kind, description: &'static str) -> Self {
        self.doc.row_options.push(ArgumentDoc { name, kind, description, optional: true });
        self
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

    /// What is computed from a group's complete rows. A group without rows gives NULL, as SQL's aggregates do; one that fails does
    /// with `'on_error': 'null'`.
    pub fn returns<T: SqlType + 'static>(mut self, kernel: impl Fn(&Rows, &O) -> Result<T, Problem> + Send + Sync + 'static) -> Function {
        self.doc.returns = T::sql();
        let kernel = Arc::new(kernel);
        let kernel: Kernel = Arc::new(move |options| {
            let (options, kernel) = (parse::<O>(options)?, kernel.clone());
            Ok(Box::new(move |rows| T::array(vec![Some(kernel(rows, &options)?)])))
        });
        finish(self.doc, self.required, column_field::<T>("result"), kernel)
    }
}

/// The same code for all functions: compiled once.
fn finish(mut doc: Doc, required: usize, result: FieldRef, kernel: Kernel) -> Function {
    let per_row = doc.row_options.iter().map(|option| OptionDoc {
        name: option.name,
        default: "null".into(),
        description: format!("Per row: {}.", option.description),
    });
    doc.options.extend(per_row.collect::<Vec<_>>());
    doc.options.push(OnError::doc("group"));
    let doc = Arc::new(doc);
    let most = doc.arguments.len() + usize::from(!doc.options.is_empty());
    let signature = TypeSignature::OneOf((required..=most).map(TypeSignature::Any).collect());
    let aggregate = Aggregate {
        documentation: doc.documentation(),
        doc: doc.clone(),
        required,
        signature: Signature::new(signature, Volatility::Immutable),
        result,
        kernel,
    };
    Function { doc, implementation: Implementation::Aggregate(Arc::new(AggregateUDF::new_from_impl(aggregate))) }
}

/// From a call's options to what computes a group.
type Kernel = Arc<dyn Fn(Option<&Value>) -> Result<Compute, Problem> + Send + Sync>;

/// From the rows of a group, of which there are some, to an array of one value.
type Compute = Box<dyn Fn(&Rows) -> Result<ArrayRef, Problem>>;

/// The DataFusion aggregate.
#[derive(Clone)]
struct Aggregate {
    doc: Arc<Doc>,
    required: usize,
    documentation: Documentation,
    signature: Signature,
    result: FieldRef,
    kernel: Kernel,
}

impl fmt::Debug for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aggregate").field("name", &self.doc.name).finish()
    }
}

impl PartialEq for Aggregate {
    fn eq(&self, other: &Self) -> bool {
        self.doc.name == other.doc.name
    }
}
impl Eq for Aggregate {}
impl Hash for Aggregate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.doc.name.hash(state);
    }
}

impl Aggregate {
    /// How many of a call's arguments are not its options: the options stand behind all others, or are the STRUCT where an
    /// optional argument could stand.
    fn given(&self, arguments: &[FieldRef]) -> usize {
        let most = arguments.len().min(self.doc.arguments.len());
        let is_structure = |field: &FieldRef| matches!(field.data_type(), DataType::Struct(_) | DataType::Map(..));
        let has_options = !self.doc.options.is_empty() && most == arguments.len() && most > self.required;
        if has_options && arguments.last().is_some_and(is_structure) { most - 1 } else { most }
    }

    /// The types of a state's lists: one per argument, then one per option of rows.
    fn state_types(&self, given: &[FieldRef]) -> Vec<DataType> {
        let arguments = self.given(given);
        let options = given.get(arguments).map(|field| field.data_type());
        let per_row = self.doc.row_options.iter().map(|option| match options {
            Some(DataType::Struct(fields)) => fields.find(option.name).map_or(DataType::Null, |(_, field)| field.data_type().clone()),
            _ => DataType::Null,
        });
        let items = given.iter().take(arguments).map(|field| field.data_type().clone()).chain(per_row);
        items.map(|item| DataType::List(Arc::new(Field::new_list_field(item, true)))).collect()
    }
}

impl AggregateUDFImpl for Aggregate {
    fn name(&self) -> &str {
        &self.doc.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.result.data_type().clone())
    }

    fn return_field(&self, _: &[FieldRef]) -> Result<FieldRef> {
        Ok(self.result.clone())
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let arguments = self.given(args.expr_fields);
        let columns = vec![Vec::new(); arguments + self.doc.row_options.len()];
        let states = self.state_types(args.expr_fields);
        Ok(Box::new(Collected { function: self.clone(), arguments, states, columns, options: None }))
    }

    /// One list per argument and per option of rows with the rows so far, and the options.
    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let states = self.state_types(args.input_fields).into_iter().enumerate();
        let mut fields: Vec<FieldRef> =
            states.map(|(i, data_type)| Arc::new(Field::new(format!("{}_{i}", args.name), data_type, true)) as FieldRef).collect();
        fields.push(Arc::new(Field::new(format!("{}_options", args.name), DataType::Utf8, true)));
        Ok(fields)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// The rows of a group so far.
#[derive(Debug)]
struct Collected {
    function: Aggregate,
    /// How many arguments the call has, besides its options.
    arguments: usize,
    /// The types of the lists that a state consists of.
    states: Vec<DataType>,
    /// For each argument, then for each option of rows, its values in pieces as they came. An option that is not given has none.
    columns: Vec<Vec<ArrayRef>>,
    options: Option<Value>,
}

impl Collected {
    fn set_options(&mut self, value: Option<Value>) -> Result<(), Problem> {
        match (&self.options, value) {
            (Some(known), Some(value)) if *known != value => Err(Problem::user("options must be the same in every row of a group")),
            (None, Some(value)) => {
                self.options = Some(value);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Each column in one piece, `None` for one without pieces.
    fn joined(&self) -> Result<Vec<Option<ArrayRef>>, Problem> {
        let join = |pieces: &Vec<ArrayRef>| match pieces.as_slice() {
            [] => Ok(None),
            pieces => Ok(Some(concat(&pieces.iter().map(|piece| piece.as_ref()).collect::<Vec<_>>())?)),
        };
        self.columns.iter().map(join).collect()
    }

    fn compute(&self) -> Result<ScalarValue, Problem> {
        let doc = &self.function.doc;
        let joined = self.joined()?;
        let null = || Ok(ScalarValue::try_new_null(self.function.result.data_type())?);
        if joined.iter().take(self.arguments).any(Option::is_none) {
            return null();
        }
        let given = doc
            .arguments
            .iter()
            .take(self.arguments)
            .chain(&doc.row_options)
            .zip(joined)
            .filter_map(|(doc, array)| Some((doc.clone(), array?)));
        let (arguments, arrays): (Vec<ArgumentDoc>, Vec<ArrayRef>) = given.unzip();
        let is_absent = |array: &ArrayRef| array.logical_null_count() == array.len();
        let mut models = arguments.iter().zip(&arrays).skip(self.arguments).filter(|(option, _)| option.kind == Kind::Model);
        if let Some((option, _)) = models.find(|(_, array)| is_absent(array)) {
            let message =
                format!("options: `{}` is NULL in every row: is the model's query empty? Leave the option out to do without", option.name);
            return Err(Problem::user(message));
        }
        let environment = Environment::current();
        environment.pool()?.install(|| {
            environment.enter(|| {
                let rows = Rows::new(&arguments, &arrays)?;
                let (options, on_error) = options::given(doc, self.options.clone().unwrap_or_default())?;
                let kernel = (self.function.kernel)(options.as_ref())?;
                let compute = || {
                    if rows.is_empty() {
                        return null();
                    }
                    match kernel(&rows) {
                        Ok(value) => Ok(ScalarValue::try_from_array(&value, 0)?),
                        Err(problem) => {
                            on_error.note(&doc.name, problem, &|| format!("a group of {} rows", rows.len())).and_then(|()| null())
                        }
                    }
                };
                if doc.is_model() { guard::fit(&doc.name, self.options.as_ref(), &rows, compute) } else { compute() }
            })
        })
    }

    fn place(&self) -> &str {
        &self.function.doc.name
    }
}

/// What the options give row by row, one entry per option of rows, and the options that are left.
///
/// # Errors
/// A key that the function does not know: told here, since its values may differ from row to row as well.
fn split(doc: &Doc, options: &ArrayRef) -> Result<(Vec<Option<ArrayRef>>, Option<ArrayRef>), Problem> {
    let row_options = &doc.row_options;
    let Some(given) = options.as_struct_opt().filter(|_| !row_options.is_empty()) else {
        return Ok((vec![None; row_options.len()], Some(options.clone())));
    };
    known_keys(doc, &mut names(given))?;
    let absent = is_null(given)?;
    let columns = row_options
        .iter()
        .map(|option| given.column_by_name(option.name).map(|column| Ok(nullif(column, &absent)?)).transpose())
        .collect::<Result<_, Problem>>()?;
    let (fields, arrays): (Vec<FieldRef>, Vec<ArrayRef>) = given
        .fields()
        .iter()
        .zip(given.columns())
        .filter(|(field, _)| row_options.iter().all(|option| option.name != field.name()))
        .map(|(field, array)| (field.clone(), array.clone()))
        .unzip();
    if fields.is_empty() {
        return Ok((columns, None));
    }
    Ok((columns, Some(Arc::new(StructArray::try_new(fields.into(), arrays, given.nulls().cloned())?))))
}

/// The keys of a STRUCT.
fn names(structure: &StructArray) -> impl Iterator<Item = &str> {
    structure.fields().iter().map(|field| field.name().as_str())
}

impl Accumulator for Collected {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let arguments = self.arguments;
        let mut columns: Vec<Option<ArrayRef>> = values[..arguments].iter().cloned().map(Some).collect();
        if let Some(options) = values.get(arguments) {
            let taken = split(&self.function.doc, options).and_then(|(per_row, rest)| {
                columns.extend(per_row);
                // Of an option that is unknown that is what to say, not that it differs between rows.
                let rest = rest.as_ref().map(shared).transpose();
                let mut keys = options.as_struct_opt().into_iter().flat_map(names);
                let rest = rest.or_else(|differs| known_keys(&self.function.doc, &mut keys).and(Err(differs)))?;
                self.set_options(rest.flatten())
            });
            taken.map_err(|problem| problem.at(self.place()))?;
        }
        for (pieces, array) in self.columns.iter_mut().zip(columns) {
            pieces.extend(array.filter(|array| !array.is_empty()));
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.compute().map_err(|problem| problem.at(self.place()).into())
    }

    fn size(&self) -> usize {
        let pieces = self.columns.iter().flatten();
        size_of_val(self) + pieces.map(|piece| piece.to_data().get_slice_memory_size().unwrap_or(0) + size_of::<ArrayRef>()).sum::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        // What has no values yet is a NULL of the promised type: states of several partitions stand in one column.
        let lists = self.joined()?.into_iter().zip(&self.states).map(|(array, state)| match array {
            Some(array) => Ok(SingleRowListArrayBuilder::new(array).build_list_scalar()),
            None => ScalarValue::try_new_null(state),
        });
        let lists = lists.collect::<Result<Vec<_>>>()?;
        let options = self.options.as_ref().map(Value::to_string);
        Ok(lists.into_iter().chain([ScalarValue::Utf8(options)]).collect())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (columns, options) = states.split_at(self.columns.len());
        for options in options[0].as_string::<i32>().iter().flatten() {
            let value = serde_json::from_str(options).map_err(Problem::bug)?;
            self.set_options(Some(value)).map_err(|problem| problem.at(self.place()))?;
        }
        for (pieces, lists) in self.columns.iter_mut().zip(columns) {
            if let Some(lists) = lists.as_list_opt::<i32>() {
                pieces.extend(lists.iter().flatten().filter(|piece| !piece.is_empty()));
            }
        }
        Ok(())
    }
}
