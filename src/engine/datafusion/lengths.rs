//! DuckDB's names of lengths that DataFusion lacks or narrows: `len` of a text (characters) or a list (items), and `octet_length` of a BLOB.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::compute::kernels::length::length;
use arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// Both functions.
pub fn lengths() -> [ScalarUDF; 2] {
    [Unit::Item, Unit::Byte].map(|unit| ScalarUDF::new_from_impl(Length { unit, signature: Signature::any(1, Volatility::Immutable) }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Unit {
    Item,
    Byte,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Length {
    unit: Unit,
    signature: Signature,
}

impl ScalarUDFImpl for Length {
    fn name(&self) -> &str {
        match self.unit {
            Unit::Item => "len",
            Unit::Byte => "octet_length",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        use DataType::{Binary, BinaryView, FixedSizeList, LargeBinary, LargeList, LargeUtf8, List, Null, Utf8, Utf8View};
        match (self.unit, &arguments[0]) {
            (_, Utf8 | LargeUtf8 | Utf8View | Null)
            | (Unit::Item, List(_) | LargeList(_) | FixedSizeList(..))
            | (Unit::Byte, Binary | LargeBinary | BinaryView) => Ok(DataType::Int64),
            (Unit::Item, other) => plan_err!("len takes a text or a list, got {other}"),
            (Unit::Byte, other) => plan_err!("octet_length takes a text or a BLOB, got {other}"),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let values = arguments.args[0].to_array(arguments.number_rows)?;
        let lengths = match (self.unit, values.data_type()) {
            (_, DataType::Null) => return Ok(ColumnarValue::Array(arrow::array::new_null_array(&DataType::Int64, values.len()))),
            (Unit::Item, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => characters(&values)?,
            _ => cast(&length(&values)?, &DataType::Int64)?,
        };
        Ok(ColumnarValue::Array(lengths))
    }
}

fn characters(texts: &ArrayRef) -> Result<ArrayRef> {
    let texts = cast(texts, &DataType::Utf8View)?;
    let counted: Int64Array = texts.as_string_view().iter().map(|text| text.map(|text| text.chars().count() as i64)).collect();
    Ok(std::sync::Arc::new(counted))
}
