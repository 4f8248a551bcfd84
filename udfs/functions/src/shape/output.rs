//! Results as SQL values: which SQL type a Rust type has, and how a column of them becomes Arrow.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, Int64Array, ListArray, MapArray, StringArray, StructArray, UInt64Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};

use super::column::sql_name;
use super::error::Problem;
use super::model::Model;

/// A Rust type that a function returns.
pub trait SqlType: Sized + Send {
    /// Its Arrow type.
    fn data_type() -> DataType;

    /// A column of it.
    fn array(values: Vec<Option<Self>>) -> Result<ArrayRef, Problem>;

    /// The name of the SQL type where it is more than the Arrow type says (IMAGE, MODEL).
    fn alias() -> Option<&'static str> {
        None
    }

    /// Its SQL type, for documentation.
    fn sql() -> String {
        Self::alias().map_or_else(|| sql_name(&Self::data_type()), str::to_string)
    }
}

/// IMAGE: a recipe that says where voxels come from and what to do with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image(pub String);

/// MAP(VARCHAR, DOUBLE), in the order given.
#[derive(Debug, Clone, PartialEq)]
pub struct Map(pub Vec<(String, f64)>);

/// MAP(VARCHAR, VARCHAR), in the order given.
#[derive(Debug, Clone, PartialEq)]
pub struct TextMap(pub Vec<(String, String)>);

macro_rules! primitive {
    ($($rust:ty => $data_type:ident, $array:ident;)+) => {
        $(impl SqlType for $rust {
            fn data_type() -> DataType {
                DataType::$data_type
            }
            fn array(values: Vec<Option<Self>>) -> Result<ArrayRef, Problem> {
                Ok(Arc::new($array::from(values)))
            }
        })+
    };
}

primitive! {
    f32 => Float32, Float32Array;
    f64 => Float64, Float64Array;
    i64 => Int64, Int64Array;
    u64 => UInt64, UInt64Array;
    bool => Boolean, BooleanArray;
    String => Utf8, StringArray;
}

impl SqlType for Image {
    fn data_type() -> DataType {
        DataType::Utf8
    }
    fn array(values: Vec<Option<Self>>) -> Result<ArrayRef, Problem> {
        String::array(values.into_iter().map(|value| value.map(|image| image.0)).collect())
    }
    fn alias() -> Option<&'static str> {
        Some("IMAGE")
    }
}

impl SqlType for Model {
    fn data_type() -> DataType {
        DataType::Binary
    }
    fn array(values: Vec<Option<Self>>) -> Result<ArrayRef, Problem> {
        Vec::<u8>::array(values.into_iter().map(|value| value.map(|model| model.0)).collect())
    }
    fn alias() -> Option<&'static str> {
        Some("MODEL")
    }
}

/// BLOB.
impl SqlType for Vec<u8> {
    fn data_type() -> DataType {
        DataType::Binary
    }
    fn array(values: Vec<Option<Self>>) -> Result<ArrayRef, Problem> {
        Ok(Arc::new(values.iter().map(|value| value.as_deref()).collect::<BinaryArray>()))
    }
}

/// A value that may be NULL inside a STRUCT or LIST.
impl<T: SqlType> SqlType for Option<T> {
    fn data_type() -> DataType {
        T::data_type()
    }
    fn array(values: Vec<Option<Self>>) -> Result<ArrayRef, Problem> {
        T::array(values.into_iter().map(Option::flatten).collect())
    }
    fn alias() -> Option<&'static str> {
        T::alias()
    }
}

/// Marks the types that stand in a LIST (all but bytes, whose vector is a BLOB).
pub trait Item: SqlType {}
impl Item for f32 {}
impl Item for f64 {}
impl Item for i64 {}
impl Item for u64 {}
impl Item for bool {}
impl Item for String {}
impl Item for Map {}
impl Item for TextMap {}
impl<T: Item> Item for Vec<T> {}
impl<T: Item> Item for Option<T> {}

impl<T: Item> SqlType for Vec<T> {
    fn data_type() -> DataType {
        DataType::List(Arc::new(Field::new("item", T::data_type(), true)))
    }
    fn array(values: Vec<Option<Self>>) -> Result<ArrayRef, Problem> {
        let lengths: Vec<Option<usize>> = values.iter().map(|value| value.as_ref().map(Vec::len)).collect();
        let mut items = Vec::with_capacity(lengths.iter().flatten().sum());
        for list in values.into_iter().flatten() {
            items.extend(list.into_iter().map(Some));
        }
        lists(&lengths, T::array(items)?)
    }
}

/// Lists of these lengths, one behind the other in `items`.
fn lists(lengths: &[Option<usize>], items: ArrayRef) -> Result<ArrayRef, Problem> {
    let nulls = NullBuffer::from_iter(lengths.iter().map(Option::is_some));
    let offsets = OffsetBuffer::from_lengths(lengths.iter().map(|length| length.unwrap_or(0)));
    let field = Field::new("item", items.data_type().clone(), true);
    Ok(Arc::new(ListArray::try_new(Arc::new(field), offsets, items, Some(nulls))?))
}

/// Structs of these columns.
pub(crate) fn structs(data_type: DataType, is_valid: Vec<bool>, columns: Vec<ArrayRef>) -> Result<ArrayRef, Problem> {
    let DataType::Struct(fields) = data_type else { return Err(Problem::bug(format!("a record that is a {data_type}"))) };
    Ok(Arc::new(StructArray::try_new(fields, columns, Some(is_valid.into()))?))
}

impl SqlType for Map {
    fn data_type() -> DataType {
        DataType::Map(Arc::new(Field::new("entries", DataType::Struct(map_fields()), false)), false)
    }
    fn array(values: Vec<Option<Self>>) -> Result<ArrayRef, Problem> {
        let nulls = NullBuffer::from_iter(values.iter().map(Option::is_some));
        let offsets = OffsetBuffer::from_lengths(values.iter().map(|value| value.as_ref().map_or(0, |map| map.0.len())));
        let (keys, numbers): (Vec<String>, Vec<f64>) = values.into_iter().flatten().flat_map(|map| map.0).unzip();
        let entries =
            StructArray::try_new(map_fields(), vec![Arc::new(StringArray::from(keys)), Arc::new(Float64Array::from(numbers))], None)?;
        let field = Arc::new(Field::new("entries", DataType::Struct(map_fields()), false));
        Ok(Arc::new(MapArray::try_new(field, offsets, entries, Some(nulls), false)?))
    }
}

impl SqlType for TextMap {
    fn data_type() -> DataType {
        DataType::Map(Arc::new(Field::new("entries", DataType::Struct(text_map_fields()), false)), false)
    }
    fn array(values: Vec<Option<Self>>) -> Result<ArrayRef, Problem> {
        let nulls = NullBuffer::from_iter(values.iter().map(Option::is_some));
        let offsets = OffsetBuffer::from_lengths(values.iter().map(|value| value.as_ref().map_or(0, |map| map.0.len())));
        let (keys, texts): (Vec<String>, Vec<String>) = values.into_iter().flatten().flat_map(|map| map.0).unzip();
        let columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from(keys)), Arc::new(StringArray::from(texts))];
        let entries = StructArray::try_new(text_map_fields(), columns, None)?;
        let field = Arc::new(Field::new("entries", DataType::Struct(text_map_fields()), false));
        Ok(Arc::new(MapArray::try_new(field, offsets, entries, Some(nulls), false)?))
    }
}

fn text_map_fields() -> Fields {
    vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)].into()
}

fn map_fields() -> Fields {
    vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Float64, true)].into()
}

/// Declares a STRUCT result: a plain Rust struct whose fields are its columns.
macro_rules! record {
    (
        $(#[$meta:meta])*
        $visibility:vis struct $name:ident { $( $(#[$field_meta:meta])* $field:ident : $type:ty ),+ $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        $visibility struct $name { $( $(#[$field_meta])* pub $field: $type, )+ }

        impl $crate::shape::SqlType for $name {
            fn data_type() -> arrow::datatypes::DataType {
                arrow::datatypes::DataType::Struct(
                    vec![$( $crate::shape::column_field::<$type>(stringify!($field).trim_start_matches("r#")) ),+].into(),
                )
            }

            fn array(values: Vec<Option<Self>>) -> std::result::Result<arrow::array::ArrayRef, $crate::shape::Problem> {
                let is_valid = values.iter().map(Option::is_some).collect();
                $( let mut $field: Vec<Option<$type>> = Vec::with_capacity(values.len()); )+
                for value in values {
                    match value {
                        Some(value) => { $( $field.push(Some(value.$field)); )+ }
                        None => { $( $field.push(None); )+ }
                    }
                }
                let columns = vec![$( <$type as $crate::shape::SqlType>::array($field)? ),+];
                $crate::shape::structs(<Self as $crate::shape::SqlType>::data_type(), is_valid, columns)
            }
        }

        impl $crate::shape::Item for $name {}
    };
}
pub(crate) use record;

/// The key under which a field carries the name of its SQL type.
pub const ALIAS_KEY: &str = "esccsql:type";

/// A field of `T`, with the name of its SQL type as metadata.
pub fn column_field<T: SqlType>(name: &str) -> Arc<Field> {
    field(name, T::data_type(), T::alias())
}

fn field(name: &str, data_type: DataType, alias: Option<&str>) -> Arc<Field> {
    let field = Field::new(name, data_type, true);
    Arc::new(match alias {
        Some(alias) => field.with_metadata([(ALIAS_KEY.to_string(), alias.to_string())].into()),
        None => field,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, AsArray};
    use arrow::util::display::array_value_to_string;

    record! {
        struct Step { time: f64, label: Option<String> }
    }

    #[test]
    fn lists_of_structs_keep_nulls_at_every_level() {
        let array = Vec::<Step>::array(vec![
            Some(vec![Step { time: 1.0, label: None }, Step { time: 2.0, label: Some("b".into()) }]),
            None,
            Some(vec![]),
        ])
        .unwrap();
        assert_eq!(array_value_to_string(&array, 0).unwrap(), "[{time: 1.0, label: }, {time: 2.0, label: b}]");
        assert!(array.is_null(1));
        assert_eq!(array.as_list::<i32>().value(2).len(), 0);
        assert_eq!(Vec::<Step>::sql(), "STRUCT(time DOUBLE, label VARCHAR)[]");
    }

    #[test]
    fn maps_keep_their_order() {
        let array = Map::array(vec![Some(Map(vec![("b".into(), 1.0), ("a".into(), 2.0)])), None]).unwrap();
        assert_eq!(array_value_to_string(&array, 0).unwrap(), "{b: 1.0, a: 2.0}");
        assert!(array.is_null(1));
    }
}
