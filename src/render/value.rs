//! One cell of an Arrow array as DuckDB casts it to VARCHAR.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Float32Type, Float64Type, IntervalMonthDayNanoType, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use esccsql_functions::shape::Model;

use super::number;

/// How much of a BLOB is written. A model is always named by its kind and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blobs {
    /// The first bytes.
    Short,
    /// All bytes.
    Whole,
}

/// `None` is NULL.
pub fn text(array: &ArrayRef, row: usize, blobs: Blobs) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Null => return None,
        DataType::Float64 => number::double(array.as_primitive::<Float64Type>().value(row)),
        DataType::Float32 => number::float(array.as_primitive::<Float32Type>().value(row)),
        DataType::Utf8 => array.as_string::<i32>().value(row).to_string(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).to_string(),
        DataType::Utf8View => array.as_string_view().value(row).to_string(),
        DataType::Decimal128(_, scale) => decimal(array.as_primitive::<Decimal128Type>().value(row), usize::try_from(*scale).unwrap_or(0)),
        DataType::Binary => blob(array.as_binary::<i32>().value(row), blobs),
        DataType::LargeBinary => blob(array.as_binary::<i64>().value(row), blobs),
        DataType::BinaryView => blob(array.as_binary_view().value(row), blobs),
        DataType::List(_) => list(&array.as_list::<i32>().value(row), blobs),
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row), blobs),
        DataType::FixedSizeList(..) => list(&array.as_fixed_size_list().value(row), blobs),
        DataType::Struct(fields) => {
            let array = array.as_struct();
            let members: Vec<String> = (fields.iter().zip(array.columns()))
                .map(|(field, member)| format!("'{}': {}", field.name(), nested(member, row, blobs)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let entries: Vec<String> = (0..entries.len())
                .map(|at| format!("{}={}", nested(entries.column(0), at, blobs), nested(entries.column(1), at, blobs)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let key = dictionary.normalized_keys()[row];
            return text(dictionary.values(), key, blobs);
        }
        DataType::Union(..) => {
            let array = array.as_union();
            return text(array.child(array.type_id(row)), array.value_offset(row), blobs);
        }
        DataType::Interval(_) => match array.as_primitive_opt::<IntervalMonthDayNanoType>() {
            Some(intervals) => {
                let value = intervals.value(row);
                interval(value.months, value.days, value.nanoseconds / 1000)
            }
            None => formatted(array, row),
        },
        DataType::Timestamp(unit, Some(_)) => {
            let local = arrow::compute::cast(array, &DataType::Timestamp(*unit, None)).unwrap_or_else(|_| array.clone());
            format!("{}+00", formatted(&local, row))
        }
        DataType::Timestamp(..) | DataType::Time64(TimeUnit::Microsecond | TimeUnit::Nanosecond) => formatted(array, row),
        _ => formatted(array, row),
    })
}

/// What Arrow's own formatter says, in DuckDB's layout of date and time.
fn formatted(array: &ArrayRef, row: usize) -> String {
    let options = FormatOptions::new().with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f")).with_time_format(Some("%H:%M:%S%.f"));
    let Ok(formatter) = ArrayFormatter::try_new(array.as_ref(), &options) else { return format!("<{}>", array.data_type()) };
    let text = formatter.value(row).to_string();
    let has_fraction = matches!(array.data_type(), DataType::Timestamp(..) | DataType::Time32(_) | DataType::Time64(_));
    if has_fraction && text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

/// DECIMAL, and HUGEINT, whose 39 digits are more than Arrow's own formatter writes.
fn decimal(value: i128, scale: usize) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn list(items: &ArrayRef, blobs: Blobs) -> String {
    let items: Vec<String> = (0..items.len()).map(|at| nested(items, at, blobs)).collect();
    format!("[{}]", items.join(", "))
}

/// A value within a list, struct or map: text, or the text of a whole BLOB, that could be misread is in quotes.
fn nested(array: &ArrayRef, row: usize, blobs: Blobs) -> String {
    let Some(text) = text(array, row, blobs) else { return "NULL".into() };
    let kind = array.data_type();
    let is_text = matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..));
    let is_whole_blob = blobs == Blobs::Whole && matches!(kind, DataType::Binary | DataType::LargeBinary | DataType::BinaryView);
    // A BLOB's own backslashes need none.
    let special = |c: char| "()[]{},:='\"".contains(c) || (is_text && c == '\\');
    let needs_quotes = text.is_empty() || text.contains(special) || text.trim() != text || text.eq_ignore_ascii_case("null");
    if (is_text || is_whole_blob) && needs_quotes {
        return format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    }
    text
}

fn blob(bytes: &[u8], blobs: Blobs) -> String {
    const SHOWN: usize = 32;
    if let Ok((header, _)) = Model::header(bytes) {
        return format!("MODEL {} {}", header.kind, size(bytes.len()));
    }
    if blobs == Blobs::Short && bytes.len() > SHOWN {
        format!("{}... {}", escaped(&bytes[..SHOWN]), size(bytes.len()))
    } else {
        escaped(bytes)
    }
}

/// Printable bytes as they are, others as `\xHH`.
fn escaped(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\\' | b'\'' | b'"' | 0..32 | 127.. => {
                text.push_str("\\x");
                text.extend([byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)])));
            }
            _ => text.push(char::from(byte)),
        }
    }
    text
}

fn size(bytes: usize) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.0} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

fn interval(months: i32, days: i32, microseconds: i64) -> String {
    let mut parts = Vec::new();
    let mut part = |count: i32, unit: &str| {
        if count != 0 {
            parts.push(format!("{count} {unit}{}", if count.abs() == 1 { "" } else { "s" }));
        }
    };
    part(months / 12, "year");
    part(months % 12, "month");
    part(days, "day");
    if microseconds != 0 || parts.is_empty() {
        let sign = if microseconds < 0 { "-" } else { "" };
        let all = microseconds.unsigned_abs();
        let (seconds, fraction) = (all / 1_000_000, all % 1_000_000);
        let mut time = format!("{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        if fraction != 0 {
            time.push_str(format!(".{fraction:06}").trim_end_matches('0'));
        }
        parts.push(time);
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals() {
        assert_eq!(interval(14, -1, 3_600_500_000), "1 year 2 months -1 day 01:00:00.5");
        assert_eq!(interval(0, 0, 0), "00:00:00");
    }

    #[test]
    fn decimals() {
        assert_eq!(decimal(-5, 2), "-0.05");
        assert_eq!(decimal(1250, 2), "12.50");
        assert_eq!(decimal(i128::MAX, 0), i128::MAX.to_string());
    }

    #[test]
    fn blobs_are_short_or_whole() {
        assert_eq!(blob(b"a\x00\\", Blobs::Short), "a\\x00\\x5C");
        assert!(blob(&[65; 5000], Blobs::Short).ends_with("... 5 kB"));
        assert_eq!(blob(&[65; 5000], Blobs::Whole), "A".repeat(5000));
    }

    #[test]
    fn whole_blobs_are_as_duckdb_casts_them() {
        let connection = duckdb::Connection::open_in_memory().unwrap();
        let blobs = "['a,b', '\\x00', 'a b', ' c', '', 'null', '\\x00,', '\\x00 ', '\\x27', '\\xAB\\x7F\\x1F~', repeat('ab', 60)]::BLOB[]";
        for value in [
            blobs.to_string(),
            format!("{{'k': ({blobs})[7], 'l': [({blobs})[11]]}}"),
            format!("MAP {{({blobs})[1]: ({blobs})[2]}}"),
            format!("({blobs})[10]"),
        ] {
            let expected: String = connection.query_row(&format!("SELECT ({value})::VARCHAR"), [], |row| row.get(0)).unwrap();
            let batch = connection.prepare(&format!("SELECT {value}")).unwrap().query_arrow([]).unwrap().next().unwrap();
            assert_eq!(text(batch.column(0), 0, Blobs::Whole), Some(expected), "{value}");
        }
    }
}
