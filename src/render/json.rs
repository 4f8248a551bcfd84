//! JSON: an array of objects, or one object a line. What JSON cannot say (nan, inf) is null, as NULL is.

use std::io::{self, Write};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type};

use super::value::Blobs;
use super::{Table, number, value};

pub fn write(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "[")?;
    let mut first = true;
    each_row(table, &mut |object| {
        let separator = if first { "" } else { ",\n" };
        first = false;
        write!(out, "{separator}{object}")
    })?;
    writeln!(out, "]")
}

pub fn write_lines(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    each_row(table, &mut |object| writeln!(out, "{object}"))
}

fn each_row(table: &Table, line: &mut dyn FnMut(String) -> io::Result<()>) -> io::Result<()> {
    for batch in &table.batches {
        for row in 0..batch.num_rows() {
            let members: Vec<String> = (table.columns.iter().zip(batch.columns()))
                .map(|(column, array)| format!("{}:{}", text(&column.name), json(array, row)))
                .collect();
            line(format!("{{{}}}", members.join(",")))?;
        }
    }
    Ok(())
}

fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn json(array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) {
        return "null".into();
    }
    let finite = |is_finite: bool, text: String| if is_finite { text } else { "null".into() };
    match array.data_type() {
        DataType::Null => "null".into(),
        DataType::Float64 => {
            let value = array.as_primitive::<Float64Type>().value(row);
            finite(value.is_finite(), number::double(value))
        }
        DataType::Float32 => {
            let value = array.as_primitive::<Float32Type>().value(row);
            finite(value.is_finite(), number::float(value))
        }
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        kind if kind.is_numeric() => value::text(array, row, Blobs::Whole).unwrap_or_else(|| "null".into()),
        DataType::List(_) => items(&array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => items(&array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => items(&array.as_fixed_size_list().value(row)),
        DataType::Struct(fields) => {
            let members: Vec<String> = (fields.iter().zip(array.as_struct().columns()))
                .map(|(field, member)| format!("{}:{}", text(field.name()), json(member, row)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let members: Vec<String> = (0..entries.len())
                .map(|at| {
                    let key = value::text(entries.column(0), at, Blobs::Whole).unwrap_or_default();
                    format!("{}:{}", text(&key), json(entries.column(1), at))
                })
                .collect();
            format!("{{{}}}", members.join(","))
        }
        _ => value::text(array, row, Blobs::Whole).map_or("null".into(), |value| text(&value)),
    }
}

fn items(items: &ArrayRef) -> String {
    let items: Vec<String> = (0..items.len()).map(|at| json(items, at)).collect();
    format!("[{}]", items.join(","))
}
