//! Functions written to DataFusion's traits by hand, as any third party would.

use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::*;
use arrow::util::display::array_value_to_string;
use datafusion_common::{DataFusionError, Result, ScalarValue};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
    Volatility,
};
use esccsql_duckdb::Registrar;
use esccsql_functions::shape::{Implementation, Kind, table};

pub fn register(registrar: &Registrar) {
    registrar.scalar(&scalar(Describe(Signature::variadic_any(Volatility::Immutable)))).unwrap();
    registrar.scalar(&scalar(Identity(Signature::exact(vec![DataType::Float64], Volatility::Immutable)))).unwrap();
    for (name, data_type) in results() {
        let signature = Signature::any(1, Volatility::Immutable);
        registrar.scalar(&scalar(Make { name, data_type, signature })).unwrap();
    }
    registrar.scalar(&scalar(Fail(Signature::exact(vec![DataType::Utf8], Volatility::Immutable)))).unwrap();
    for (name, at) in [
        ("gather", None),
        ("fail_update", Some("update")),
        ("fail_merge", Some("merge")),
        ("fail_evaluate", Some("evaluate")),
        ("fail_drop", Some("drop")),
    ] {
        let signature = Signature::one_of(vec![TypeSignature::Any(1), TypeSignature::Any(2)], Volatility::Immutable);
        registrar.aggregate(&Arc::new(AggregateUDF::new_from_impl(Gather { name, at, signature }))).unwrap();
    }
    let numbers = table("count_to", "1 to n.").arg("n", Kind::Text, "how far, or 'error', or 'panic'").rows(|arguments, _: &_| {
        match arguments.text(0) {
            "error" => Err(esccsql_functions::shape::Problem::user("asked to fail")),
            "panic" => panic!("asked to panic"),
            n => Ok((1..=n.parse().unwrap()).map(Counted).collect()),
        }
    });
    let Implementation::Table(function) = &numbers.implementation else { unreachable!() };
    registrar.table(function).unwrap();
}

fn scalar(implementation: impl ScalarUDFImpl + 'static) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(implementation))
}

/// One row of `count_to`.
struct Counted(i64);
impl esccsql_functions::shape::SqlType for Counted {
    fn data_type() -> DataType {
        DataType::Struct(vec![Field::new("i", DataType::Int64, true), Field::new("squares", i64s(), true)].into())
    }
    fn array(values: Vec<Option<Self>>) -> std::result::Result<ArrayRef, esccsql_functions::shape::Problem> {
        let i: Int64Array = values.iter().map(|value| value.as_ref().map(|counted| counted.0)).collect();
        let squares = ListArray::from_iter_primitive::<Int64Type, _, _>(
            values.iter().map(|value| value.as_ref().map(|counted| vec![Some(counted.0), Some(counted.0 * counted.0)])),
        );
        let DataType::Struct(fields) = Self::data_type() else { unreachable!() };
        Ok(Arc::new(StructArray::new(fields, vec![Arc::new(i), Arc::new(squares)], None)))
    }
}

fn i64s() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)))
}

/// `describe(...)`: each argument's Arrow type and value.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Describe(Signature);
impl ScalarUDFImpl for Describe {
    fn name(&self) -> &str {
        "describe_arguments"
    }
    fn signature(&self) -> &Signature {
        &self.0
    }
    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = args.args.iter().map(|arg| arg.to_array(args.number_rows)).collect::<Result<Vec<_>>>()?;
        let describe = |row| {
            let parts = arrays.iter().map(|array| {
                let value = if array.is_null(row) { "NULL".into() } else { array_value_to_string(array, row).unwrap() };
                let kind = match array.data_type() {
                    nested if nested.is_nested() => nested.to_string().split(['(', ' ']).next().unwrap().to_string(),
                    flat => flat.to_string(),
                };
                match array.data_type() {
                    DataType::Null => "Null".into(),
                    _ => format!("{kind} {value}"),
                }
            });
            parts.collect::<Vec<_>>().join(" | ")
        };
        Ok(ColumnarValue::Array(Arc::new((0..args.number_rows).map(|row| Some(describe(row))).collect::<StringArray>())))
    }
}

/// `identity(DOUBLE)`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Identity(Signature);
impl ScalarUDFImpl for Identity {
    fn name(&self) -> &str {
        "identity"
    }
    fn signature(&self) -> &Signature {
        &self.0
    }
    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(args.args[0].clone())
    }
}

/// `fail('error' | 'panic')`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Fail(Signature);
impl ScalarUDFImpl for Fail {
    fn name(&self) -> &str {
        "fail"
    }
    fn signature(&self) -> &Signature {
        &self.0
    }
    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let array = args.args[0].to_array(args.number_rows)?;
        match array.as_string::<i32>().value(0) {
            "error" => Err(DataFusionError::Execution("asked to fail".into())),
            "panic" => panic!("asked to panic"),
            _ => Ok(args.args[0].clone()),
        }
    }
}

/// The result types that functions may have, by the name of the function that makes them.
fn results() -> Vec<(&'static str, DataType)> {
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    let entries = DataType::Struct(vec![Field::new("key", DataType::Utf8, false), number("value")].into());
    let point = DataType::Struct(
        vec![number("x"), Field::new("labels", DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))), true)].into(),
    );
    vec![
        ("make_list", DataType::List(Arc::new(number("item")))),
        ("make_array", DataType::FixedSizeList(Arc::new(Field::new_list_field(DataType::Float32, true)), 3)),
        ("make_map", DataType::Map(Arc::new(Field::new("entries", entries, false)), false)),
        ("make_struct", point.clone()),
        ("make_structs", DataType::List(Arc::new(Field::new_list_field(point, true)))),
        ("make_blob", DataType::Binary),
    ]
}

/// Makes a value of a type from the row's number; NULL where the number is NULL.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Make {
    name: &'static str,
    data_type: DataType,
    signature: Signature,
}
impl ScalarUDFImpl for Make {
    fn name(&self) -> &str {
        self.name
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.data_type.clone())
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let input = args.args[0].to_array(args.number_rows)?;
        let input = arrow::compute::cast(&input, &DataType::Float64)?;
        let values = input.as_primitive::<Float64Type>().iter().map(|number| make(&self.data_type, number));
        Ok(ColumnarValue::Array(ScalarValue::iter_to_array(values)?))
    }
}

fn make(data_type: &DataType, number: Option<f64>) -> ScalarValue {
    let Some(x) = number else { return ScalarValue::try_new_null(data_type).unwrap() };
    match data_type {
        DataType::Float64 => ScalarValue::Float64(Some(x)),
        DataType::Float32 => ScalarValue::Float32(Some(x as f32)),
        DataType::Utf8 => ScalarValue::Utf8(Some(format!("a label that is longer than twelve bytes {x}"))),
        DataType::Binary => ScalarValue::Binary(Some(vec![b'x'; 100 + x as usize])),
        DataType::List(item) => {
            let items = ScalarValue::iter_to_array([make(item.data_type(), Some(x)), make(item.data_type(), None)]).unwrap();
            ScalarValue::List(Arc::new(ListArray::new(item.clone(), arrow::buffer::OffsetBuffer::from_lengths([2]), items, None)))
        }
        DataType::FixedSizeList(item, size) => {
            let items = ScalarValue::iter_to_array((0..*size).map(|i| make(item.data_type(), Some(x + f64::from(i))))).unwrap();
            ScalarValue::FixedSizeList(Arc::new(FixedSizeListArray::new(item.clone(), *size, items, None)))
        }
        DataType::Struct(fields) => {
            let children = fields.iter().map(|field| make(field.data_type(), Some(x)).to_array().unwrap()).collect();
            ScalarValue::Struct(Arc::new(StructArray::new(fields.clone(), children, None)))
        }
        DataType::Map(..) => {
            let mut builder = MapBuilder::new(
                Some(MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() }),
                StringBuilder::new(),
                Float64Builder::new(),
            );
            builder.keys().append_value("a");
            builder.values().append_value(x);
            builder.keys().append_value("b");
            builder.values().append_null();
            builder.append(true).unwrap();
            ScalarValue::Map(Arc::new(builder.finish()))
        }
        other => unreachable!("{other}"),
    }
}

/// `gather(value[, options])`: how many rows, how many NULLs, the sorted texts' first and last, the options.
/// The others do the same until they reach the callback that they fail in; 'panic' as the options' `how` makes it a panic.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Gather {
    name: &'static str,
    at: Option<&'static str>,
    signature: Signature,
}

#[derive(Debug)]
struct Gathered {
    at: Option<&'static str>,
    texts: Vec<String>,
    nulls: usize,
    options: String,
}

impl AggregateUDFImpl for Gather {
    fn name(&self) -> &str {
        self.name
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }
    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Gathered { at: self.at, texts: Vec::new(), nulls: 0, options: String::new() }))
    }
    fn state_fields(&self, _: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let texts = DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)));
        Ok(vec![Arc::new(Field::new("texts", texts, true)), Arc::new(Field::new("options", DataType::Utf8, true))])
    }
}

impl Gathered {
    fn stumble(&self, place: &str) -> Result<()> {
        if self.at != Some(place) {
            return Ok(());
        }
        if self.options.contains("panic") {
            panic!("asked to panic in {place}");
        }
        Err(DataFusionError::Execution(format!("asked to fail in {place}")))
    }
}

impl Accumulator for Gathered {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if let Some(options) = values.get(1).filter(|options| !options.is_empty()) {
            self.options = array_value_to_string(options, 0)?;
        }
        self.stumble("update")?;
        for row in 0..values[0].len() {
            match values[0].is_null(row) {
                true => self.nulls += 1,
                false => self.texts.push(array_value_to_string(&values[0], row)?),
            }
        }
        Ok(())
    }
    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.stumble("evaluate")?;
        self.texts.sort();
        let edges = match self.texts.len() {
            0 => String::new(),
            n => format!(" {}..{}", self.texts[0], self.texts[n - 1]),
        };
        Ok(ScalarValue::Utf8(Some(format!("{}+{}{edges} {}", self.texts.len(), self.nulls, self.options).trim().into())))
    }
    fn size(&self) -> usize {
        self.texts.iter().map(String::len).sum()
    }
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let texts = self.texts.iter().map(|text| Some(text.clone())).chain(vec![None; self.nulls]);
        let texts = ScalarValue::iter_to_array(texts.map(ScalarValue::Utf8).chain([ScalarValue::Utf8(Some("end".into()))]))?;
        let field = Arc::new(Field::new_list_field(DataType::Utf8, true));
        let list = ListArray::new(field, arrow::buffer::OffsetBuffer::from_lengths([texts.len()]), texts, None);
        Ok(vec![ScalarValue::List(Arc::new(list)), ScalarValue::Utf8(Some(self.options.clone()))])
    }
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for (list, options) in states[0].as_list::<i32>().iter().flatten().zip(states[1].as_string::<i32>()) {
            self.options = options.unwrap_or_default().into();
            self.stumble("merge")?;
            let texts = list.as_string::<i32>();
            for text in texts.slice(0, texts.len() - 1).iter() {
                match text {
                    Some(text) => self.texts.push(text.into()),
                    None => self.nulls += 1,
                }
            }
        }
        Ok(())
    }
}

impl Drop for Gathered {
    fn drop(&mut self) {
        if self.at == Some("drop") {
            panic!("asked to panic in drop");
        }
    }
}
