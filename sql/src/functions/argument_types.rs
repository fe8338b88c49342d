//! The types that arguments are converted to before a function is called.

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::plan_err;
use datafusion::error::Result;

/// For an argument that is a text: whole numbers count as their digits.
pub(super) fn text_type(data_type: &DataType) -> Result<DataType> {
    match data_type {
        DataType::Null | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok(DataType::Utf8),
        other if other.is_integer() => Ok(DataType::Utf8),
        other => plan_err!("a text is needed, not {other}"),
    }
}

/// For an argument that is a text, or bytes.
pub(super) fn text_or_bytes_type(data_type: &DataType) -> Result<DataType> {
    match data_type {
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            Ok(DataType::Binary)
        }
        other => text_type(other),
    }
}

/// For an argument that is a whole number.
pub(super) fn whole_number_type(data_type: &DataType) -> Result<DataType> {
    match data_type {
        DataType::Null => Ok(DataType::Int64),
        other if other.is_integer() => Ok(DataType::Int64),
        other => plan_err!("a whole number is needed, not {other}"),
    }
}

/// The texts of an argument that [`text_type`] has converted.
pub(super) fn texts(argument: &ArrayRef) -> &StringArray {
    argument.as_string::<i32>()
}

/// The bytes of each value of an argument that [`text_or_bytes_type`] has converted; `None` for null.
pub(super) fn bytes_of(argument: &ArrayRef) -> Box<dyn Iterator<Item = Option<&[u8]>> + '_> {
    match argument.data_type() {
        DataType::Binary => Box::new(argument.as_binary::<i32>().iter()),
        _ => Box::new(texts(argument).iter().map(|text| text.map(str::as_bytes))),
    }
}
