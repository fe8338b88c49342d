//! A key or a value as bytes.

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use volley_api::{Column, Error, Result};

/// The bytes of each row of a column; null where there is no value.
#[derive(Debug)]
pub(crate) struct PartBytes {
    /// `None`: no row has a value.
    bytes: Option<BinaryArray>,
}

impl PartBytes {
    /// The bytes of a column of bytes, or also of text.
    ///
    /// # Errors
    /// `Data` if it holds anything else; `what` names it, and `advice` says what to do.
    pub(crate) fn of(column: &Column, takes_text: bool, what: &str, advice: &str) -> Result<Self> {
        let data_type = column.array.data_type();
        let is_taken = match data_type {
            DataType::Null => return Ok(Self { bytes: None }),
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => true,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => takes_text,
            _ => false,
        };
        if !is_taken {
            let wanted = if takes_text { "bytes or text" } else { "bytes" };
            return Err(Error::data(format!("the {what} is not {wanted} but {data_type}: {advice}")));
        }
        let array: ArrayRef = cast(&column.array, &DataType::Binary)?;
        Ok(Self { bytes: Some(array.as_binary::<i32>().clone()) })
    }

    /// The bytes of a row.
    pub(crate) fn get(&self, row: usize) -> Option<&[u8]> {
        self.bytes.as_ref().filter(|bytes| bytes.is_valid(row)).map(|bytes| bytes.value(row))
    }
}
