//! Options: the last argument, a STRUCT. Unknown keys, wrong types and values out of range are errors that say what is valid.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type, UInt64Type};
use arrow::{compute::cast, util::display::array_value_to_string};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::doc::{Doc, OptionDoc};
use super::error::Problem;
use super::on_error::OnError;

/// A function's options. Made by the [`options!`](crate::shape::options) macro, which keeps key, type, default and text together.
pub trait Options: DeserializeOwned + Default + Clone + Send + Sync + 'static {
    /// The keys, for documentation.
    fn docs() -> Vec<OptionDoc>;

    /// Is every value in range? Told as "`trees` must be at least 1".
    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    /// From a JSON object of the STRUCT's fields.
    fn parse(value: &Value) -> Result<Self, Problem> {
        let read = |value: &Value| serde_json::from_value::<Self>(value.clone());
        let options = read(value).map_err(|error| unreadable(&error, &Self::docs(), value, &|alone| read(alone).is_ok()))?;
        options.check().map_err(out_of_range)?;
        Ok(options)
    }
}

fn out_of_range(message: String) -> Problem {
    Problem::user(format!("options: {message}"))
}

/// serde's words, and an analyst's.
const WORDS: [(&str, &str); 7] = [
    ("unknown field", "unknown option"),
    ("unknown variant", "unknown value"),
    ("expected usize", "expected a whole number of 0 or more"),
    ("expected u32", "expected a whole number of 0 or more"),
    ("expected u64", "expected a whole number of 0 or more"),
    ("expected f64", "expected a number"),
    ("expected a sequence", "expected a LIST"),
];

/// What serde says, in SQL's words. It does not say which key holds a value of a wrong type: that is found by trying each alone.
fn unreadable(error: &serde_json::Error, docs: &[OptionDoc], value: &Value, reads: &dyn Fn(&Value) -> bool) -> Problem {
    if docs.is_empty() {
        return no_options();
    }
    let message = WORDS.iter().fold(error.to_string(), |message, (word, sql)| message.replace(word, sql));
    let is_wrong = |(key, field): &(&String, &Value)| {
        let alone = Value::Object([(key.to_string(), (*field).clone())].into_iter().collect());
        docs.iter().any(|doc| doc.name == *key) && !reads(&alone)
    };
    let wrong = value.as_object().into_iter().flatten().find(is_wrong);
    let key = wrong.map_or(String::new(), |(key, _)| format!(" (option `{key}`)"));
    Problem::user(format!("options: {message}{key}"))
}

fn no_options() -> Problem {
    Problem::user("this function takes no options")
}

/// For functions without options.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoOptions {}

impl Options for NoOptions {
    fn docs() -> Vec<OptionDoc> {
        Vec::new()
    }
}

/// Declares an options STRUCT: each key with its text, type and default; then how values are checked.
///
/// ```text
/// options! {
///     pub struct Options {
///         /// Trees in the forest.
///         trees: usize = 500,
///     }
///     check |options| if options.trees == 0 { Err("`trees` must be at least 1".into()) } else { Ok(()) }
/// }
/// ```
macro_rules! options {
    (
        $(#[$meta:meta])*
        $visibility:vis struct $name:ident {
            $( $(#[doc = $text:literal])+ $key:ident : $type:ty = $default:expr ),+ $(,)?
        }
        $( check |$options:ident| $check:expr )?
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        $visibility struct $name {
            $( $(#[doc = $text])+ pub $key: $type, )+
        }

        impl Default for $name {
            fn default() -> Self {
                $name { $( $key: $default, )+ }
            }
        }

        impl $crate::shape::Options for $name {
            fn docs() -> Vec<$crate::shape::OptionDoc> {
                let defaults = $name::default();
                vec![
                    $( $crate::shape::OptionDoc::new(
                        stringify!($key),
                        serde_json::to_string(&defaults.$key).unwrap_or_default(),
                        &[$($text),+],
                    ), )+
                ]
            }

            $( fn check(&self) -> Result<(), String> {
                let $options = self;
                $check
            } )?
        }
    };
}
pub(crate) use options;

/// A call's own options and what a failure means to it. NULL and no key at all are no options: the defaults.
pub(super) fn given(doc: &Doc, mut value: Value) -> Result<(Option<Value>, OnError), Problem> {
    known_keys(doc, &mut value.as_object().into_iter().flat_map(|fields| fields.keys()).map(String::as_str))?;
    let on_error = OnError::take(doc, &mut value)?;
    let is_given = value.as_object().is_some_and(|fields| !fields.is_empty());
    Ok((is_given.then_some(value), on_error))
}

/// What [`given`] gave, as the function's options.
pub(super) fn parse<O: Options>(given: Option<&Value>) -> Result<O, Problem> {
    given.map_or_else(|| Ok(O::default()), O::parse)
}

/// An error for a key that the function does not know.
pub(super) fn known_keys(doc: &Doc, keys: &mut dyn Iterator<Item = &str>) -> Result<(), Problem> {
    let known: Vec<&str> = doc.options.iter().map(|option| option.name).collect();
    for key in keys {
        match known.as_slice() {
            [] => return Err(no_options()),
            known if known.contains(&key) => {}
            [only] => return Err(Problem::user(format!("options: unknown option `{key}`, expected `{only}`"))),
            known => return Err(Problem::user(format!("options: unknown option `{key}`, expected one of `{}`", known.join("`, `")))),
        }
    }
    Ok(())
}

/// One value of any SQL type as JSON.
pub fn json(array: &ArrayRef, row: usize) -> Result<Value, Problem> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    Ok(match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row).into(),
        kind if kind.is_integer() => cast(&array.slice(row, 1), &DataType::Int64)?.as_primitive::<Int64Type>().value(0).into(),
        kind if kind.is_numeric() => {
            let number = cast(&array.slice(row, 1), &DataType::Float64)?.as_primitive::<Float64Type>().value(0);
            // 4.0 is 4: arithmetic in SQL makes whole DOUBLEs, which options that count take too.
            let is_whole = number.fract() == 0.0 && number.abs() < (1u64 << 53) as f64;
            if is_whole { Value::from(number as i64) } else { Value::from(number) }
        }
        DataType::List(_) => list(&array.as_list::<i32>().value(row))?,
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row))?,
        DataType::FixedSizeList(..) => list(&array.as_fixed_size_list().value(row))?,
        DataType::Struct(fields) => {
            let array = array.as_struct();
            let fields = fields.iter().zip(array.columns());
            Value::Object(fields.map(|(field, child)| Ok((field.name().clone(), json(child, row)?))).collect::<Result<_, Problem>>()?)
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let pairs = (0..entries.len()).map(|entry| Ok((array_value_to_string(keys, entry)?, json(values, entry)?)));
            Value::Object(pairs.collect::<Result<_, Problem>>()?)
        }
        _ => Value::String(array_value_to_string(array, row)?),
    })
}

fn list(values: &ArrayRef) -> Result<Value, Problem> {
    Ok(Value::Array((0..values.len()).map(|entry| json(values, entry)).collect::<Result<_, _>>()?))
}

/// The options of a batch, which must be the same in every row where they are given; `None` if every row has NULL.
pub fn shared(array: &ArrayRef) -> Result<Option<Value>, Problem> {
    if *array.data_type() == DataType::Null || array.is_empty() {
        return Ok(None);
    }
    if !matches!(array.data_type(), DataType::Struct(_) | DataType::Map(..)) {
        return Err(Problem::user(format!(
            "options must be a STRUCT such as {{'seed': 1}}, got {}",
            super::column::sql_name(array.data_type())
        )));
    }
    let rows = array.len();
    if array.slice(0, rows - 1).to_data() != array.slice(1, rows - 1).to_data() {
        return Err(Problem::user("options must be the same in every row of a group"));
    }
    match json(array, 0)? {
        Value::Null => Ok(None),
        value => Ok(Some(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    options! {
        struct Example {
            /// Trees in the forest.
            trees: usize = 500,
            /// Share of the rows
            /// in a tree.
            fraction: f64 = 0.632,
        }
        check |options| if options.trees == 0 { Err("`trees` must be at least 1".into()) } else { Ok(()) }
    }

    #[test]
    fn defaults_and_docs_come_from_the_declaration() {
        let docs = Example::docs();
        assert_eq!(docs[0].default, "500");
        assert_eq!(docs[1].description, "Share of the rows in a tree.");
        assert_eq!(Example::parse(&serde_json::json!({"fraction": 1})).unwrap().fraction, 1.0);
    }

    #[test]
    fn an_unknown_key_lists_the_valid_ones() {
        let error = Example::parse(&serde_json::json!({"treees": 4})).unwrap_err().to_string();
        assert!(error.contains("unknown option `treees`, expected `trees` or `fraction`"), "{error}");
    }

    #[test]
    fn a_wrong_type_names_its_key() {
        let error = Example::parse(&serde_json::json!({"fraction": 0.5, "trees": "many"})).unwrap_err().to_string();
        assert!(error.contains("(option `trees`)"), "{error}");
    }

    #[test]
    fn a_whole_double_counts_and_a_fraction_does_not() {
        let structure = |trees: f64| crate::shape::features::structure(vec![("trees", vec![Some(trees)])]);
        assert_eq!(Example::parse(&json(&structure(4.0), 0).unwrap()).unwrap().trees, 4);
        let error = Example::parse(&json(&structure(4.5), 0).unwrap()).unwrap_err().to_string();
        assert!(error.contains("floating point `4.5`, expected a whole number of 0 or more (option `trees`)"), "{error}");
    }

    #[test]
    fn a_value_out_of_range_says_the_range() {
        let error = Example::parse(&serde_json::json!({"trees": 0})).unwrap_err().to_string();
        assert!(error.contains("`trees` must be at least 1"), "{error}");
    }
}
