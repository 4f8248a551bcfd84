//! Aggregates that need all rows of a group at once: fits, curves, tests, metrics.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::utils::SingleRowListArrayBuilder;
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, Signature, TypeSignature, Volatility};
use serde_json::Value;

use super::arguments::Kind;
use super::doc::{ArgumentDoc, Doc};
use super::environment::Environment;
use super::error::Problem;
use super::options::{NoOptions, Options, shared};
use super::output::{SqlType, column_field};
use super::rows::Rows;
use super::{Function, Implementation};

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

    /// What is computed from a group's complete rows. A group without rows gives NULL, as SQL's aggregates do.
    pub fn returns<T: SqlType + 'static>(mut self, kernel: impl Fn(&Rows, &O) -> Result<T, Problem> + Send + Sync + 'static) -> Function {
        self.doc.returns = T::sql();
        let doc = Arc::new(self.doc);
        let most = doc.arguments.len() + usize::from(!doc.options.is_empty());
        let signature = TypeSignature::OneOf((self.required..=most).map(TypeSignature::Any).collect());
        let kernel: Kernel = Arc::new(move |rows, options| {
            let options = match options {
                Some(value) => O::parse(value)?,
                None => O::default(),
            };
            let value = if rows.is_empty() { None } else { Some(kernel(rows, &options)?) };
            Ok(ScalarValue::try_from_array(&T::array(vec![value])?, 0)?)
        });
        let aggregate = Aggregate {
            documentation: doc.documentation(),
            doc: doc.clone(),
            required: self.required,
            signature: Signature::new(signature, Volatility::Immutable),
            result: column_field::<T>("result"),
            kernel,
        };
        Function { doc, implementation: Implementation::Aggregate(Arc::new(AggregateUDF::new_from_impl(aggregate))) }
    }
}

type Kernel = Arc<dyn Fn(&Rows, Option<&Value>) -> Result<ScalarValue, Problem> + Send + Sync>;

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
        let arguments = vec![Vec::new(); self.given(args.expr_fields)];
        Ok(Box::new(Collected { function: self.clone(), arguments, options: None }))
    }

    /// One list per argument with the rows so far, and the options.
    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let arguments = self.given(args.input_fields);
        let mut fields: Vec<FieldRef> = (args.input_fields.iter().take(arguments))
            .enumerate()
            .map(|(i, field)| {
                let item = Arc::new(Field::new_list_field(field.data_type().clone(), true));
                Arc::new(Field::new(format!("{}_{i}", args.name), DataType::List(item), true))
            })
            .collect();
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
    /// For each argument its values, in pieces as they came.
    arguments: Vec<Vec<ArrayRef>>,
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

    /// Each argument in one piece; `None` before the first row.
    fn joined(&self) -> Result<Option<Vec<ArrayRef>>, Problem> {
        if self.arguments.iter().any(Vec::is_empty) {
            return Ok(None);
        }
        let join = |pieces: &Vec<ArrayRef>| Ok(concat(&pieces.iter().map(|piece| piece.as_ref()).collect::<Vec<_>>())?);
        self.arguments.iter().map(join).collect::<Result<_, Problem>>().map(Some)
    }

    fn compute(&self) -> Result<ScalarValue, Problem> {
        let Some(arrays) = self.joined()? else {
            return Ok(ScalarValue::try_new_null(self.function.result.data_type())?);
        };
        let environment = Environment::current();
        environment.pool()?.install(|| {
            environment.enter(|| {
                let rows = Rows::new(&self.function.doc.arguments, &arrays)?;
                (self.function.kernel)(&rows, self.options.as_ref())
            })
        })
    }

    fn place(&self) -> &str {
        &self.function.doc.name
    }
}

impl Accumulator for Collected {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (arguments, options) = values.split_at(self.arguments.len());
        if let Some(options) = options.first() {
            let options = shared(options).and_then(|value| self.set_options(value));
            options.map_err(|problem| problem.at(self.place()))?;
        }
        for (pieces, array) in self.arguments.iter_mut().zip(arguments) {
            if !array.is_empty() {
                pieces.push(array.clone());
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.compute().map_err(|problem| problem.at(self.place()).into())
    }

    fn size(&self) -> usize {
        let pieces = self.arguments.iter().flatten();
        size_of_val(self) + pieces.map(|piece| piece.to_data().get_slice_memory_size().unwrap_or(0) + size_of::<ArrayRef>()).sum::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let lists = match self.joined()? {
            Some(arrays) => arrays.into_iter().map(|array| SingleRowListArrayBuilder::new(array).build_list_scalar()).collect(),
            None => vec![ScalarValue::Null; self.arguments.len()],
        };
        let options = self.options.as_ref().map(Value::to_string);
        Ok(lists.into_iter().chain([ScalarValue::Utf8(options)]).collect())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (arguments, options) = states.split_at(self.arguments.len());
        for options in options[0].as_string::<i32>().iter().flatten() {
            let value = serde_json::from_str(options).map_err(Problem::bug)?;
            self.set_options(Some(value)).map_err(|problem| problem.at(self.place()))?;
        }
        for (pieces, lists) in self.arguments.iter_mut().zip(arguments) {
            if let Some(lists) = lists.as_list_opt::<i32>() {
                pieces.extend(lists.iter().flatten().filter(|piece| !piece.is_empty()));
            }
        }
        Ok(())
    }
}
